import { createHash } from "node:crypto"
import { v7 as uuidv7 } from "uuid"
import type { ChannelDefinitions } from "../channel.ts"
import { RealtimeError } from "../errors.ts"
import { createReporter } from "../guard.ts"
import { isDevelopment } from "../is-development.ts"
import type { MessageLog } from "../log/message-log.ts"
import type { LogPage, Member, PresenceSnapshot } from "../message.ts"
import { throwAny } from "../throw-any.ts"
import { withinLimit } from "../within-limit.ts"
import { defaultMaxPayloadBytes } from "./acceptance.ts"
import { createCore } from "./core.ts"
import { createCounts } from "./counts.ts"
import { createHandlers } from "./handlers.ts"
import { requireHeard } from "./hearing.ts"
import { identifyBy } from "./session.ts"
import type { ClientConfig, HistoryOptions, Realtime, RealtimeOptions } from "./types.ts"

const defaultPageSize = 50
const maxPageSize = 500
/** For each publisher, and for the log. */
const endTimeoutMs = 15_000

/**
 * Those of this process, while it is developed. Under a name that every copy of this
 * module knows: each bundle has its own.
 */
const key = Symbol.for("throughline.developed")
const shared = globalThis as { [key]?: Map<string, Realtime> }
shared[key] ??= new Map()
const developed = shared[key]

/** Null in production, where a module is evaluated once, and for a log that doesn't say where it is. */
function nameWhileDeveloped(basePath: string, { location }: MessageLog): string | null {
  return isDevelopment() && location !== undefined ? `${basePath} ${location}` : null
}

/**
 * Server: one contract over every provider. Takes what was declared (channels), who may do what (`identify`,
 * `authorize`), where messages are kept (`log`) and who delivers them (`publishers`). `basePath` is where the
 * catch-all route is mounted, `/api/realtime` by default.
 *
 * In development hot reload evaluates the module that calls it again and again. Over the same log and path
 * there is one all the same, whose log stays open: it is redefined, and what is declared by now counts
 * wherever it is in use, at a gateway too. Its other options stay as they were. Of a log without a `location`
 * nothing is known, and each call makes another one.
 *
 * ```ts
 * export const realtime = createRealtime({
 *   channels: { room },
 *   identify: (request) => currentUser(request), // { id, name } or null
 *   authorize: ({ user, channel }) => isMember(user.id, channel.params.room),
 *   log: createSqliteLog({ path: ".data/realtime.db" }),
 *   publishers: [createAblyPublisher({ apiKey: process.env.ABLY_API_KEY ?? "" })],
 * })
 * ```
 */
export function createRealtime<Definitions extends ChannelDefinitions>(
  given: RealtimeOptions<Definitions> & { basePath?: string },
): Realtime<Definitions> {
  const { log, publishers, basePath = "/api/realtime", maxPayloadBytes = defaultMaxPayloadBytes } = given
  const name = nameWhileDeveloped(basePath, log)
  const known = name === null ? undefined : developed.get(name)
  if (known) {
    const { channels, identify, authorize, limit, onSignal } = given
    known.redefine({ channels, identify, authorize, limit, onSignal })
    return known as Realtime<Definitions>
  }

  let closing: Promise<void> | undefined
  let config: ClientConfig | undefined
  let described = ""

  /**
   * As the publishers say now: where one is reached may turn out later, and pages
   * follow a version that has changed.
   */
  function clientConfig(): ClientConfig {
    const providers = publishers.map((publisher) => publisher.clientConfig())
    const content = { basePath, maxPayloadBytes, providers }
    const description = JSON.stringify(content)
    if (config && description === described) return config
    described = description
    const version = createHash("sha256").update(description).digest("base64url").slice(0, 12)
    config = { version, ...content }
    return config
  }

  /** All parts look at this one, which `redefine` changes. */
  const options = { ...given }
  const onError = createReporter(options.onError)
  const core = createCore(options)
  const counts = createCounts(options)

  async function readPage(
    channel: string,
    { after, before, limit = defaultPageSize }: HistoryOptions,
  ): Promise<LogPage> {
    const size = Math.min(Math.max(1, limit), maxPageSize)
    return after === undefined
      ? log.readBefore(channel, before ?? null, size)
      : core.readAfter(channel, after, size)
  }

  /** Each provider knows only who is connected through it: a person is there if they are with any of them. */
  async function members(channel: string): Promise<PresenceSnapshot> {
    if (publishers.length === 0)
      throw new RealtimeError("unsupported", { message: "unable to reach a provider; none is configured" })
    const answers = await Promise.allSettled(publishers.map((publisher) => publisher.members(channel)))
    const snapshots = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []))
    const failed = answers.find((answer) => answer.status === "rejected")
    if (snapshots.length === 0 && failed) throw failed.reason
    return mergeSnapshots(snapshots)
  }

  const realtime: Realtime<Definitions> = {
    async publish(channel, event, payload, { id = uuidv7(), from = null } = {}) {
      const [receipt] = await core.publishTrusted([{ channel: channel.name, event, payload, id, from }])
      if (!receipt)
        throw new RealtimeError("internal", { message: "unable to publish; the log gave no receipt" })
      return receipt
    },
    publishBatch: (entries) =>
      core.publishTrusted(
        entries.map(({ channel, event, payload, id = uuidv7(), from = null }) => ({
          channel: channel.name,
          event,
          payload,
          id,
          from,
        })),
      ),
    async signal(channel, event, payload, { from }) {
      await core.deliverSignal(await core.validateSignal(from, channel.name, event, payload))
    },
    state: ({ name: channel }) => ({
      set: (key, value) => core.writeState({ channel, key, kind: "set", value }),
      patch: (key, value) => core.writeState({ channel, key, kind: "patch", value }),
      delete: (key) => core.writeState({ channel, key, kind: "delete" }),
      read: (keys) => core.readState(channel, keys),
    }),
    snapshot: ({ name: channel }) => ({
      read: ({ before } = {}) => core.snapshots.read(channel, before),
      write: (snapshot) => core.snapshots.write(channel, snapshot),
      trim: () => core.snapshots.trim(channel),
    }),
    async revoke({ id }, channel) {
      const revocations = publishers.map((publisher) =>
        publisher
          .revoke(id, channel?.name)
          .catch((error) => onError(error, { stage: `revoke at ${publisher.provider}` })),
      )
      await Promise.all(revocations)
    },
    history: (channel, options = {}) => readPage(channel.name, options),
    async head(channel) {
      const [head] = await log.heads([channel.name])
      if (!head)
        throw new RealtimeError("internal", { message: "unable to read the head; the log gave none" })
      return head
    },
    members: (channel) => members(channel.name),
    counts: (channels) => counts.of(channels.map(({ name }) => name)),
    clientConfig,
    handlers: createHandlers({
      ...options,
      ...{ onError, core, counts, clientConfig, readPage, members },
      identify: (request) => identifyBy(options.identify, request),
    }),
    core,
    redefine(declarations) {
      const next = { ...options, ...declarations }
      requireHeard(next)
      Object.assign(options, next)
    },
    close() {
      closing ??= end()
      return closing
    },
  }

  /** Each part once, in its time, whatever becomes of the others. */
  async function end(): Promise<void> {
    if (name !== null && developed.get(name) === realtime) developed.delete(name)
    await core.stop()
    const failures: unknown[] = []
    const endPart = (doing: string, end: () => unknown) =>
      withinLimit(endTimeoutMs, doing, async () => end()).catch((error) => failures.push(error))
    await Promise.all(
      publishers.map((publisher) =>
        endPart(`close the publisher of ${publisher.provider}`, () => publisher.close()),
      ),
    )
    await endPart("close the log", () => log.close())
    throwAny(failures)
  }
  if (name !== null) developed.set(name, realtime)
  return realtime
}

/**
 * Of somebody who is with several providers, the first provider's data. Where only numbers are
 * known, people can't be told apart.
 */
function mergeSnapshots(snapshots: readonly PresenceSnapshot[]): PresenceSnapshot {
  const members = new Map<string, Member>()
  let unnamed = 0
  for (const snapshot of snapshots) {
    if (snapshot.members === null) unnamed += snapshot.count
    for (const member of snapshot.members ?? [])
      if (!members.has(member.user.id)) members.set(member.user.id, member)
  }
  if (unnamed > 0) return { count: unnamed + members.size, members: null }
  return { count: members.size, members: [...members.values()] }
}
