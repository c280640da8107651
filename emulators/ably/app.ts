import { type Capability, FULL_CAPABILITY, parseCapability } from "./capability.ts"
import { type Channel, createChannel } from "./channel.ts"
import type { ChannelName } from "./channel-name.ts"
import type { Clock } from "./clock.ts"
import type { Connection } from "./connection.ts"
import { ablyError } from "./errors.ts"
import { createRateLimiter, DEFAULT_LIMITS, type Limits, type RateLimiter, watchLimits } from "./limits.ts"
import type { Random } from "./random.ts"
import { createRecent, type Recent } from "./recent.ts"
import type { Revocation } from "./revocation.ts"
import { createStats, type Stats } from "./stats.ts"
import { MAX_TTL, type Token } from "./tokens.ts"
import { createWebhooks, type WebhookRule, type WebhookSender, type Webhooks } from "./webhooks.ts"
import { isRecord } from "./wire.ts"

export interface Key {
  /** `appId.keyId`, which is also a JWT's `kid`. */
  name: string
  secret: string
  capability: Capability
  /** Whether `revokeTokens` is allowed for this key's tokens (40163). */
  revocableTokens: boolean
}

/** Rules for the channels whose name begins with `{id}:`, or is `id`. */
export interface Namespace {
  id: string
  persisted: boolean
  persistLast: boolean
  /** Update, delete, append and annotations (§6.4, 93002). */
  mutableMessages: boolean
}

/** The body of the sandbox's `POST /apps`, with ids and secrets that the caller may fix. */
export interface AppSetup {
  id?: string
  keys?: { id?: string; secret?: string; capability?: string | Capability; revocableTokens?: boolean }[]
  namespaces?: { id: string; persisted?: boolean; persistLast?: boolean; mutableMessages?: boolean }[]
  /** Presence members that are there from the beginning. */
  channels?: { name: string; presence?: { clientId: string; data?: string; encoding?: string }[] }[]
  limits?: Partial<Limits>
  webhooks?: WebhookRule[]
}

/** One vendor application: everything below it is separate from other apps. */
export interface App {
  readonly id: string
  readonly keys: Key[]
  readonly namespaces: Map<string, Namespace>
  /** They may be changed at any time. Whoever is connected is told of it, once for all that changes in one turn. */
  readonly limits: Limits
  /** Counts what is published in the whole app. */
  readonly rate: RateLimiter
  readonly clock: Clock
  readonly random: Random
  /** Attached, dropped-but-resumable and REST-used channels, by base name. */
  readonly channels: Map<string, Channel>
  /** Live and resumable connections, by connection id. */
  readonly connections: Map<string, Connection>
  /** Those of them that have no socket, the longest dropped first. */
  readonly dropped: Set<Connection>
  /** Those it has issued, and the JWTs it has seen, by their text. */
  readonly tokens: Map<string, Token>
  /** Those of token requests, for as long as their time would still be accepted. */
  readonly nonces: Recent<true>
  revocations: Revocation[]
  readonly webhooks: Webhooks
  readonly stats: Stats
  /** When set, everything that counts towards the account's quota is refused with 40112. */
  overQuota: boolean
  channel(name: ChannelName): Channel
  revoke(revocation: Revocation): void
  /** Something was added that has its time: what had it is let go after a while. */
  tidyLater(): void
}

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
