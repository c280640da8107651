import { FULL_CAPABILITY, parseCapability } from "./capability.ts"
import { createChannel } from "./channel.ts"
import type { Clock } from "./clock.ts"
import { ablyError } from "./errors.ts"
import { createRateLimiter, DEFAULT_LIMITS, type Limits, watchLimits } from "./limits.ts"
import type { App, AppSetup, Namespace } from "./model.ts"
import type { Random } from "./random.ts"
import { createRecent } from "./recent.ts"
import { createStats } from "./stats.ts"
import { MAX_TTL } from "./tokens.ts"
import { createWebhooks, type WebhookSender } from "./webhooks.ts"
import { isRecord } from "./wire.ts"

const DEFAULT_NAMESPACES = [
  { id: "persisted", persisted: true },
  { id: "mutable", mutableMessages: true },
]

export function createApp(
  setup: AppSetup,
  context: { clock: Clock; random: Random; sendWebhook: WebhookSender; limits?: Partial<Limits> },
): App {
  const { clock, random } = context
  const id = setup.id ?? random.string(6)
  const limits = watchLimits({ ...DEFAULT_LIMITS, ...context.limits, ...setup.limits }, () => {
    for (const connection of app.connections.values()) connection.announce()
  })
  const namespaces = (setup.namespaces ?? DEFAULT_NAMESPACES).map(
    (namespace): Namespace => ({
      persisted: false,
      persistLast: false,
      mutableMessages: false,
      ...namespace,
    }),
  )

  const keys = (setup.keys ?? [{}]).map((key) => ({
    name: `${id}.${key.id ?? random.string(6)}`,
    secret: key.secret ?? random.string(43),
    capability: key.capability === undefined ? FULL_CAPABILITY : parseCapability(key.capability),
    revocableTokens: key.revocableTokens ?? false,
  }))

  const app: App = {
    id,
    keys,
    webhooks: createWebhooks({ rules: setup.webhooks ?? [], keys, clock, send: context.sendWebhook }),
    namespaces: new Map(namespaces.map((namespace) => [namespace.id, namespace])),
    limits,
    rate: createRateLimiter(clock, limits, () => limits.maxAppRate),
    clock,
    random,
    channels: new Map(),
    connections: new Map(),
    dropped: new Set(),
    tokens: new Map(),
    nonces: createRecent(clock, () => 2 * limits.timestampTolerance),
    revocations: [],
    stats: createStats(clock),
    overQuota: false,
    channel(name) {
      const channel = app.channels.get(name.base) ?? createChannel(name, app)
      channel.usedAt = clock.now()
      app.channels.set(name.base, channel)
      app.tidyLater()
      return channel
    },
    revoke(revocation) {
      app.tidyLater()
      app.revocations.push(revocation)
      for (const connection of app.connections.values()) connection.onRevocation(revocation)
    },
    tidyLater() {
      if (isTidying) return
      isTidying = true
      clock.schedule(tidy, limits.continuityWindow)
    },
  }

  let isTidying = false

  /** Lets go of what nobody can ask for any more. */
  function tidy() {
    isTidying = false
    const now = clock.now()
    for (const [base, channel] of app.channels) if (channel.isIdle()) app.channels.delete(base)
    // An expired one is told so for a day more.
    for (const [text, { expires }] of app.tokens) if (expires + MAX_TTL < now) app.tokens.delete(text)
    app.revocations = app.revocations.filter(({ appliesAt }) => appliesAt + MAX_TTL > now)
    app.nonces.trim()
    if (app.channels.size + app.tokens.size + app.revocations.length + app.nonces.size > 0) app.tidyLater()
  }

  for (const { name, presence } of setup.channels ?? []) {
    const namespace = name.split(":")[0] ?? name
    const channel = app.channel({ wire: name, base: name, params: {}, namespace })
    for (const member of presence ?? []) channel.presence.addFixture(member)
  }
  return app
}

/** Reads the body of `POST /apps`; only the shapes that `createApp` relies on are checked. */
export function readAppSetup(value: unknown): AppSetup {
  if (!isRecord(value)) throw ablyError(40001)
  for (const field of ["keys", "namespaces", "channels"] as const) {
    const list = value[field]
    if (list !== undefined && !(Array.isArray(list) && list.every(isRecord)))
      throw ablyError(40001, `${field} is a list of objects`)
  }
  if (value.id !== undefined && (typeof value.id !== "string" || !/^[\w-]+$/.test(value.id)))
    throw ablyError(40003, "id is a word")
  // Rules are made elsewhere at the vendor, and an app made over HTTP has no business to make the emulator post.
  const { limits, webhooks, ...setup } = value as AppSetup & Record<string, unknown>
  return { ...setup, limits: readLimits(limits) }
}

/** The vendor's setup file nests `limits: { presence: { maxMembers } }`; ours is flat. Both are read. */
export function readLimits(value: unknown): Partial<Limits> {
  if (!isRecord(value)) return {}
  const flat = Object.entries(value).filter(
    ([name, limit]) => Object.hasOwn(DEFAULT_LIMITS, name) && typeof limit === "number" && limit >= 0,
  )
  const limits: Partial<Limits> = Object.fromEntries(flat)
  if (isRecord(value.presence) && typeof value.presence.maxMembers === "number") {
    limits.maxPresenceMembers = value.presence.maxMembers
  }
  return limits
}
