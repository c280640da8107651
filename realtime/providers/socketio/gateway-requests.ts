import { isDenial, RealtimeError } from "../../errors.ts"
import { isPosition, parseSignalOrigin } from "../../message.ts"
import { toWireResult } from "../../publish-result.ts"
import type { RealtimeCore } from "../../server/types.ts"
import {
  defaultStateRate,
  maxStateRate,
  maxWatchedKeys,
  maxWatchedKeysAtOnce,
  parseWatchedKeys,
} from "../../state.ts"
import type { OutgoingMessage } from "../../transport.ts"
import type { Broadcaster } from "./broadcaster.ts"
import { type ClientEvents, channelRoom, presenceRoom, provider } from "./mapping.ts"
import { dataOf, type GatewaySocket, type Membership } from "./membership.ts"

/** The most messages of a catch-up that comes with a subscription; the client reads the rest over HTTP. */
const catchUpLimit = 500

export interface GatewayRequestsOptions {
  broadcaster: Broadcaster
  core: RealtimeCore
  /** The most channels that one connection may join. */
  maxSubscriptions: number
}

/** What a page may ask of the gateway; whatever a packet holds in place of the arguments. */
export type GatewayRequests = Record<
  keyof ClientEvents,
  (socket: GatewaySocket, ...args: unknown[]) => Promise<object>
>

/**
 * Server: the requests of all connections, once: functions of each one's own
 * would be a kilobyte of it. What is refused throws.
 */
export function createGatewayRequests({ broadcaster, core, maxSubscriptions }: GatewayRequestsOptions) {
  const { presence, watchers } = broadcaster

  /**
   * Asked before anything is waited for: who leaves meanwhile, or asks for too many at once, is known by it.
   */
  function want(socket: GatewaySocket, channel: string): Membership {
    const { channels } = dataOf(socket)
    const wanted = channels.get(channel)
    if (wanted) return wanted
    if (channels.size >= maxSubscriptions) {
      const message = `unable to join more than ${maxSubscriptions} channels over one connection; leave others first`
      throw new RealtimeError("rate-limited", { provider, message, retryable: false })
    }
    const membership = { isJoined: false, isPresent: false, asked: 0, done: 0, watches: 0, watchedKeys: 0 }
    channels.set(channel, membership)
    return membership
  }

  function leavePresence(socket: GatewaySocket, channel: string): void {
    const membership = dataOf(socket).channels.get(channel)
    if (!membership) return
    membership.asked += 1
    membership.done = membership.asked
    if (!membership.isPresent) return
    membership.isPresent = false
    broadcaster.leave(channel, socket.id)
  }

  async function leaveChannel(socket: GatewaySocket, channel: string): Promise<void> {
    leavePresence(socket, channel)
    watchers.unwatch(socket.id, channel)
    dataOf(socket).channels.delete(channel)
    await Promise.all([socket.leave(channelRoom(channel)), socket.leave(presenceRoom(channel))])
  }

  /** Permission may be taken back while it is being given: only one that holds by then counts. */
  async function authorizeReading(socket: GatewaySocket, channel: string): Promise<void> {
    const { user } = dataOf(socket)
    await core.limitRead(user)
    for (let asked = -1; asked !== broadcaster.revocations(); ) {
      asked = broadcaster.revocations()
      await core.authorize(user, channel, "subscribe")
    }
  }

  async function join(socket: GatewaySocket, channel: string, cursor: unknown): Promise<object> {
    const membership = want(socket, channel)
    try {
      await authorizeReading(socket, channel)
    } catch (error) {
      // What passes leaves whoever is in where they are.
      const isOut = !membership.isJoined || isDenial(error)
      if (isOut && isStill(socket, channel, membership)) await leaveChannel(socket, channel)
      throw error
    }
    if (!isStill(socket, channel, membership)) throw leftMeanwhile()
    membership.isJoined = true
    // Joined before the log is read: what is committed in between arrives live, and
    // the client tells the two apart.
    await socket.join(channelRoom(channel))
    const seq = (cursor as { seq?: unknown } | null)?.seq
    const page = isPosition(seq)
      ? await broadcaster.catchUp(channel, seq, () => core.readAfter(channel, seq, catchUpLimit))
      : undefined
    // A log that doesn't answer is none that stands in; whoever reads it then knows what is old.
    const readHead = async () => page?.head ?? (await core.heads([channel]).catch(() => []))[0]
    await broadcaster.startAt(channel, readHead)
    if (!isStill(socket, channel, membership)) throw leftMeanwhile()
    return { page }
  }

  async function watchState(socket: GatewaySocket, channel: string, wanted: unknown): Promise<void> {
    const membership = requireJoined(socket, channel)
    const { keys, perSecond } = (wanted ?? {}) as { keys?: unknown; perSecond?: unknown }
    const watched = keysOf(keys)
    membership.watches += 1
    const turn = membership.watches
    await core.limitRead(dataOf(socket).user)
    if (!isStill(socket, channel, membership) || turn !== membership.watches) return
    makeRoom(socket, membership, watched.length)
    if (watched.length === 0) watchers.unwatch(socket.id, channel)
    else watchers.watch(socket.id, channel, watched, rateOf(perSecond))
  }

  async function enter(socket: GatewaySocket, channel: string, data: unknown): Promise<void> {
    const { user } = dataOf(socket)
    const membership = requireJoined(socket, channel)
    membership.asked += 1
    const turn = membership.asked
    await core.limitRead(user)
    const accepted = await core.acceptPresence(user, channel, data)
    if (!isStill(socket, channel, membership) || turn < membership.done) return
    membership.done = turn
    membership.isPresent = true
    broadcaster.enter(channel, socket.id, user, accepted)
  }

  const requests: GatewayRequests = {
    subscribe: (socket, name, cursor) => join(socket, textOf(name), cursor),
    async unsubscribe(socket, name) {
      await leaveChannel(socket, textOf(name))
      return {}
    },
    async publish(socket, name, messages) {
      const results = await core.accept(dataOf(socket).user, textOf(name), messagesOf(messages))
      return { results: results.map(toWireResult) }
    },
    async signal(socket, name, event, payload, origin) {
      const channel = textOf(name)
      requireJoined(socket, channel)
      const { user } = dataOf(socket)
      const sent = parseSignalOrigin(origin)
      const signal = await core.acceptSignal(user, channel, textOf(event), payload, sent)
      broadcaster.signal(signal, socket.id)
      // The sender need not wait for a service, nor for the application.
      void core.relaySignal(signal, provider)
      void core.hearSignal(signal)
      return {}
    },
    async watch(socket, name) {
      const channel = textOf(name)
      const membership = requireJoined(socket, channel)
      await core.limitRead(dataOf(socket).user)
      if (!isStill(socket, channel, membership)) return {}
      await socket.join(presenceRoom(channel))
      // As an event, not as the answer: only events keep their order with the changes that follow.
      socket.emit("presence", channel, presence.snapshot(channel))
      return {}
    },
    async state(socket, name, wanted) {
      await watchState(socket, textOf(name), wanted)
      return {}
    },
    async enter(socket, name, data) {
      await enter(socket, textOf(name), data)
      return {}
    },
    async leave(socket, name) {
      leavePresence(socket, textOf(name))
      return {}
    },
  }

  return {
    requests,
    /** Puts a socket out of a channel, and says so. */
    async removeFromChannel(socket: GatewaySocket, channel: string): Promise<void> {
      await leaveChannel(socket, channel)
      socket.emit("revoked", channel)
    },
    /** Its connection is gone, and whatever it is still asking for is for nobody. */
    gone(socket: GatewaySocket): void {
      const { channels } = dataOf(socket)
      for (const channel of channels.keys()) {
        leavePresence(socket, channel)
        watchers.unwatch(socket.id, channel)
      }
      channels.clear()
    },
  }
}

/**
 * Packets hold anything: what should be text and isn't becomes the empty text, which is the name of nothing.
 */
const textOf = (value: unknown) => (typeof value === "string" ? value : "")

function messagesOf(value: unknown): OutgoingMessage[] {
  const isMessage = (item: unknown) => typeof item === "object" && item !== null
  if (Array.isArray(value) && value.every(isMessage)) return value as OutgoingMessage[]
  const message = "unable to publish; there are no messages"
  throw new RealtimeError("invalid-request", { provider, message })
}

function keysOf(value: unknown): string[] {
  const keys = parseWatchedKeys(value)
  if (keys) return keys
  const message = `unable to watch; at most ${maxWatchedKeys} keys of a channel can be watched, each a text`
  throw new RealtimeError("invalid-request", { provider, message })
}

const rateOf = (value: unknown): number =>
  typeof value === "number" && value >= 1 ? Math.min(value, maxStateRate) : defaultStateRate

const isStill = (socket: GatewaySocket, channel: string, membership: Membership) =>
  dataOf(socket).channels.get(channel) === membership

function requireJoined(socket: GatewaySocket, channel: string): Membership {
  const membership = dataOf(socket).channels.get(channel)
  if (membership?.isJoined) return membership
  throw new RealtimeError("channel-denied", { provider, message: "unable to do this before subscribing" })
}

/** Each channel has its limit; of many together it would be no limit. */
function makeRoom(socket: GatewaySocket, membership: Membership, watchedKeys: number): void {
  const memberships = [...dataOf(socket).channels.values()]
  const others = memberships.reduce((sum, other) => sum + other.watchedKeys, -membership.watchedKeys)
  if (others + watchedKeys > maxWatchedKeysAtOnce) {
    const message = `unable to watch more than ${maxWatchedKeysAtOnce} keys over one connection; watch fewer`
    throw new RealtimeError("rate-limited", { provider, message, retryable: false })
  }
  membership.watchedKeys = watchedKeys
}

/**
 * It is asked for again by whoever still wants it: the page doesn't, whose access was looked at anew does.
 */
const leftMeanwhile = () =>
  new RealtimeError("not-connected", {
    ...{ provider, message: "unable to subscribe; the channel was left meanwhile", retryAfterMs: 0 },
  })
