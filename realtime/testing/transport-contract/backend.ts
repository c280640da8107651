import * as z from "zod/mini"
import { type ChannelRef, defineChannel } from "../../channel.ts"
import { createHttp, type RealtimeHttp } from "../../client/http.ts"
import type { OnError } from "../../errors.ts"
import { lockMessages } from "../../locks.ts"
import { createMemoryLog, createMemoryLogStore, type MemoryLogStore } from "../../log/memory.ts"
import type { MessageLog } from "../../log/message-log.ts"
import { parseUser, type User, type WireMessage } from "../../message.ts"
import type { RealtimePublisher } from "../../publisher.ts"
import { createRealtime } from "../../server/create-realtime.ts"
import { createLocks, type Locks } from "../../server/locks.ts"
import { createMemoryPresenceCounts } from "../../server/presence-counts.ts"
import type { HeardSignal, Realtime } from "../../server/types.ts"
import type { RealtimeTransport } from "../../transport.ts"

/**
 * The channels that the contract plays in. `vault` is closed to everyone but "keeper",
 * who alone speaks in a `gallery`.
 */
export const contractChannels = {
  room: defineChannel("room:{room}", {
    messages: { said: z.object({ text: z.string() }), anything: z.unknown() },
    signals: {
      typing: z.object({ isTyping: z.boolean() }),
      pointed: z.object({ at: z.number() }),
      moved: z.object({ at: z.number() }),
      steered: z.object({ at: z.number() }),
    },
    latest: ["moved"],
    heard: ["steered"],
    presence: z.object({ mood: z.string() }),
    state: {
      phase: z.string(),
      anything: z.unknown(),
      "quote:{symbol}": z.object({ bid: z.number(), ask: z.number(), note: z.optional(z.string()) }),
    },
  }),
  gallery: defineChannel("gallery:{gallery}", {
    messages: { said: z.object({ text: z.string() }) },
    signals: { typing: z.object({ isTyping: z.boolean() }) },
    presence: z.object({ mood: z.string() }),
  }),
  vault: defineChannel("vault:{vault}", {
    messages: { said: z.object({ text: z.string() }) },
    signals: { typing: z.object({ isTyping: z.boolean() }) },
    presence: z.object({ mood: z.string() }),
    state: { code: z.string() },
  }),
  locks: defineChannel("locks:{locks}", {
    messages: lockMessages,
    presence: z.object({ mood: z.string() }),
  }),
}

/** The server half of a backend, whose log can be set back. */
export interface ContractRealtime extends Realtime<typeof contractChannels> {
  /** The channel's log is as a backup holds it that was made when this was its newest message. */
  putBack(channel: ChannelRef, seq: number): void
  /** The locks of its channels. */
  readonly locks: Locks
  /** The log is another one, which keeps no state yet: as after a restart with one in memory. */
  loseState(): void
}

/**
 * What was closed or opened to somebody; channels have names of their own, so that
 * all backends may share the list.
 */
const exceptions = new Map<string, boolean>()

/** From now on the user may do nothing in the channel; who is in it isn't put out by that. */
export function closeTo(user: User, { name }: ChannelRef): void {
  exceptions.set(`${user.id} ${name}`, false)
}

/** From now on the user may do everything in the channel. */
export function openTo(user: User, { name }: ChannelRef): void {
  exceptions.set(`${user.id} ${name}`, true)
}

const accidents = new Map<string, { after: number; times: number }>()

/**
 * So many times what this user asks about the channel ends in an error of the application's own code, which
 * says nothing of them; what is asked before, `after` times, is answered.
 */
export function failAt(user: User, { name }: ChannelRef, times: number, after = 0): void {
  accidents.set(`${user.id} ${name}`, { after, times })
}

function stumble(key: string): void {
  const { after, times } = accidents.get(key) ?? { after: 0, times: 0 }
  if (times === 0) return
  accidents.set(key, after > 0 ? { after: after - 1, times } : { after, times: times - 1 })
  if (after === 0) throw new Error("the application's own code failed")
}

export type HeardInContract = HeardSignal<typeof contractChannels.room, "steered">

const heard = new Map<string, HeardInContract[]>()

/** What server code heard in the channel, in whichever process; a negative one makes its handler fail. */
export const heardIn = ({ name }: ChannelRef): readonly HeardInContract[] => heard.get(name) ?? []

/**
 * A provider, running, as the contract needs it. Made anew for each check, so
 * that none sees another's traces.
 */
export interface ContractBackend extends AsyncDisposable {
  /** The server's half, with the provider's publisher. */
  readonly realtime: ContractRealtime
  /** A transport as the product makes it for this user. The backend closes it in the end. */
  createTransport(user: User): RealtimeTransport
  /** A transport whose permission to connect is refused for good. */
  createRefusedTransport(): RealtimeTransport
  /**
   * Tries in every way that the provider's own API has to make this envelope look like a message of
   * its channel, as a signed-in member who writes their own client. Resolves when all was tried;
   * that some ways are refused is fine.
   */
  forge(user: User, message: WireMessage): Promise<void>
  /** Cuts every connection without a goodbye, as a network does; clients may come back at once. */
  dropConnections(): void | Promise<void>
  /** Nobody can connect, and nobody is connected, until the returned function is called. */
  startOutage(): Promise<() => void | Promise<void>>
}

export interface ContractRealtimeOptions {
  /** The provider's server half: the publisher that is tested. */
  publishers: readonly RealtimePublisher[]
  /** In place of a log in memory. */
  log?: MessageLog
  /** Of the log, unless one is given. */
  store?: MemoryLogStore
  /** Default: nobody is told, since providers fail on purpose here. */
  onError?: OnError
  /** As of `createRealtime`. */
  deliveryTimeoutMs?: number
}

/** The server half for a backend: the contract's channels, its users and its rules. */
export function createContractRealtime(options: ContractRealtimeOptions): ContractRealtime {
  const { store = createMemoryLogStore() } = options
  const locks: Locks = createLocks(() => realtime)
  const realtime = createRealtime({
    channels: contractChannels,
    identify: (request) =>
      parseUser(JSON.parse(decodeURIComponent(request.headers.get("x-contract-user") ?? "null"))),
    authorize(request) {
      const { user, channel, action } = request
      stumble(`${user.id} ${channel.name}`)
      if (channel.kind === "locks") return locks.permits(request)
      const isPublic = channel.kind === "room" || (channel.kind === "gallery" && action === "subscribe")
      return exceptions.get(`${user.id} ${channel.name}`) ?? (isPublic || user.id === "keeper")
    },
    onSignal: {
      room: {
        steered(signal) {
          heard.set(signal.channel.name, [...heardIn(signal.channel), signal])
          if (signal.payload.at < 0) throw new Error("the application's own code failed")
        },
      },
    },
    log: options.log ?? createMemoryLog({ store }),
    publishers: options.publishers,
    presenceCounts: createMemoryPresenceCounts(),
    maxStateKeys: 10,
    // Providers fail on purpose here; what of it concerns anyone reaches them by the contract.
    onError: options.onError ?? (() => {}),
    ...(options.deliveryTimeoutMs !== undefined && { deliveryTimeoutMs: options.deliveryTimeoutMs }),
  })
  return Object.assign(realtime, {
    locks,
    loseState() {
      store.epoch = crypto.randomUUID()
      store.states.clear()
    },
    putBack({ name }: ChannelRef, seq: number) {
      const channel = store.channels.get(name)
      if (!channel || options.log) throw new Error("only what the store holds can be put back")
      for (const { id } of channel.kept.filter((row) => row.seq > seq)) channel.byId.delete(id)
      channel.kept = channel.kept.filter((row) => row.seq <= seq)
      channel.seq = seq
    },
  })
}

/** The catch-all route as this user's browser sees it, without a network between. */
export function createContractHttp(
  realtime: Pick<ContractRealtime, "handlers">,
  user: User | null,
): RealtimeHttp {
  return createHttp({
    basePath: "http://contract.test/api/realtime",
    async fetch(input, init) {
      const request = new Request(input, init)
      request.headers.set("x-contract-user", encodeURIComponent(JSON.stringify(user)))
      return request.method === "POST" ? realtime.handlers.POST(request) : realtime.handlers.GET(request)
    },
  })
}
