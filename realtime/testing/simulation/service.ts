import type { TransportCapabilities } from "../../capabilities.ts"
import { isRealtimeError, RealtimeError } from "../../errors.ts"
import type { JsonValue } from "../../json.ts"
import type { Member, PresenceSnapshot, Signal, User, WireMessage } from "../../message.ts"
import { packMessages } from "../../packing.ts"
import type { RealtimePublisher } from "../../publisher.ts"
import type { RealtimeCore } from "../../server/types.ts"
import type {
  ChannelObserver,
  OutgoingMessage,
  RealtimeTransport,
  TransportStatus,
  TransportSubscription,
} from "../../transport.ts"
import type { Chance } from "../chance.ts"
import type { Link } from "./link.ts"

/** How a provider treats what is published through its interface for servers. */
export type Reception = "takes" | "refuses" | "hangs" | "takes and fails"

export interface ServiceFaults {
  /** Nobody is connected, and nobody can connect. */
  isDown: boolean
  reception: Reception
  /** Of a hundred deliveries, how many never come. */
  drops: number
  /** Of a hundred deliveries, how many come twice. */
  duplicates: number
  /** By how many milliseconds deliveries overtake each other at most. */
  spreadMs: number
}

export const noFaults: ServiceFaults = {
  isDown: false,
  reception: "takes",
  drops: 0,
  duplicates: 0,
  spreadMs: 0,
}

/** A provider made of nothing but what it might do wrong, with what any of them may do differently. */
export interface SimulatedService {
  readonly provider: string
  readonly publisher: RealtimePublisher
  readonly faults: ServiceFaults
  createTransport(options: ServiceUser): RealtimeTransport
  /** Cuts connections without a goodbye; those that don't notice at once do so within half a minute. */
  cut(options?: { link?: Link; isNoticed: boolean }): void
}

export interface ServiceUser {
  link: Link
  user: User
  credentials(body: Record<string, unknown>): Promise<unknown>
}

/** What providers differ in, as far as the client has to know. */
export interface ServiceKind {
  provider: string
  publishesOverConnection: boolean
  catchesUpOnSubscribe: boolean
  signalsOverConnection: boolean
}

interface Connection {
  link: Link
  user: User
  isOpen: boolean
  /** What is delivered later arrives no earlier than this. */
  busyUntil: number
  latencyMs: number
  members: Map<string, JsonValue>
  observers: Map<string, ChannelObserver>
  onCut(): void
}

const maxPresenceMembers = 100
/** Larger messages go without their payload. */
const maxDeliveryBytes = 600
/** How long a service takes to notice that somebody is gone. */
const ghostMs = 15_000

export function createSimulatedService(
  kind: ServiceKind,
  { chance, core }: { chance: Chance; core: () => RealtimeCore },
): SimulatedService {
  const { provider } = kind
  const faults = { ...noFaults }
  let signals = 0
  /** Those that the service believes to be there. */
  const connections = new Set<Connection>()
  const capabilities: TransportCapabilities = {
    ...{ ...kind, maxSignalsPerSecond: 50, latestSignalsPerSecond: 20, maxPresenceMembers, maxDeliveryBytes },
    maxChannels: Number.POSITIVE_INFINITY,
    // Nothing here asks whether signals cross from one service to another.
    signalsPassServer: true,
  }

  const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
  const error = (code: "provider-unavailable" | "not-connected" | "timeout", message: string) =>
    new RealtimeError(code, { provider, message })

  /** One delivery on its way to one connection; it may not come, come twice, or come late. */
  function send(connection: Connection, deliver: () => void): void {
    if (chance.happens(faults.drops / 100)) return
    const copies = chance.happens(faults.duplicates / 100) ? 2 : 1
    for (let copy = 0; copy < copies; copy += 1) {
      const due = Math.max(performance.now() + connection.latencyMs, connection.busyUntil)
      if (faults.spreadMs === 0) connection.busyUntil = due
      const lateMs = faults.spreadMs > 0 ? chance.between(0, faults.spreadMs) : 0
      setTimeout(() => connection.isOpen && deliver(), due + lateMs - performance.now())
    }
  }

  function snapshotOf(channel: string): PresenceSnapshot {
    const members = new Map<string, Member>()
    for (const connection of connections) {
      const data = connection.members.get(channel)
      if (data !== undefined) members.set(connection.user.id, { user: connection.user, data })
    }
    return { count: members.size, members: [...members.values()] }
  }

  /** Presence is told in order, as every provider does; what is lost of it, the next snapshot brings. */
  function announce(channel: string): void {
    const snapshot = snapshotOf(channel)
    for (const connection of connections) {
      const observer = connection.observers.get(channel)
      if (!observer) continue
      setTimeout(() => {
        if (connection.isOpen) observer.onPresence(snapshot)
      }, connection.latencyMs)
    }
  }

  function forget(connection: Connection): void {
    if (!connections.delete(connection)) return
    for (const channel of connection.members.keys()) announce(channel)
  }

  /** The bytes stop; either side learns it in its own time. */
  function breakOff(connection: Connection, isNoticed: boolean): void {
    if (!connection.isOpen) return
    connection.isOpen = false
    setTimeout(connection.onCut, isNoticed ? 0 : chance.between(0, 30_000))
    setTimeout(() => forget(connection), faults.isDown || isNoticed ? 0 : chance.between(0, ghostMs))
  }

  function signal(signal: Signal, sender: Connection | null): void {
    for (const connection of connections) {
      const observer = connection.observers.get(signal.channel)
      if (observer && connection !== sender) send(connection, () => observer.onSignal(signal))
    }
  }

  const publisher: RealtimePublisher = {
    provider,
    async publish(messages) {
      await pause(chance.between(1, 40))
      const { reception, isDown } = faults
      if (reception === "hangs") return new Promise(() => {})
      if (reception === "refuses" || isDown) throw error("provider-unavailable", "unable to publish")
      for (const group of packMessages(messages, maxDeliveryBytes)) {
        const [{ channel }] = group as [WireMessage]
        for (const connection of connections) {
          const observer = connection.observers.get(channel)
          if (observer) send(connection, () => observer.onMessages(group))
        }
      }
      if (reception === "takes and fails") throw error("timeout", "unable to hear the answer")
    },
    async signal(sent) {
      signal(sent, null)
    },
    async revoke(userId, channel) {
      for (const connection of connections) {
        if (connection.user.id === userId && (channel === undefined || connection.observers.has(channel)))
          breakOff(connection, true)
      }
    },
    members: async (channel) => snapshotOf(channel),
    clientConfig: () => ({ provider }),
    async credentials({ body, authorize }) {
      if (typeof body.channel === "string") await authorize(body.channel, "subscribe")
      return {}
    },
    close: async () => {},
  }

  function createTransport({ link, user, credentials }: ServiceUser): RealtimeTransport {
    interface Joined {
      observer: ChannelObserver
      watches: boolean
      data: JsonValue | undefined
      isAttached: boolean
    }
    const listeners = new Set<(status: TransportStatus) => void>()
    const joined = new Map<string, Joined>()
    let status: TransportStatus = { state: "connecting" }
    let connection: Connection | null = null
    let isTrying = false
    let failures = 0
    let retry: ReturnType<typeof setTimeout> | undefined

    const isClosed = () => status.state === "closed"

    function setStatus(next: TransportStatus): void {
      status = next
      for (const listener of [...listeners]) listener(next)
    }

    async function attempt(): Promise<void> {
      clearTimeout(retry)
      if (isTrying || connection || isClosed()) return
      isTrying = true
      try {
        await credentials({})
        await pause(chance.between(5, 100))
        if (faults.isDown || link.isDead || link.weather === "cut")
          throw error("provider-unavailable", "unable to connect")
      } catch (cause) {
        isTrying = false
        if (isClosed()) return
        const reason = isRealtimeError(cause) ? cause : error("provider-unavailable", "unable to connect")
        if (!reason.retryable) return setStatus({ state: "failed", error: reason })
        failures += 1
        const waiting = status.state === "connecting" ? "connecting" : "reconnecting"
        setStatus({ state: failures > 3 ? "suspended" : waiting, error: reason })
        retry = setTimeout(attempt, Math.min(15_000, 500 * 2 ** failures) * (0.5 + Math.random() / 2))
        return
      }
      isTrying = false
      if (isClosed()) return
      failures = 0
      const opened: Connection = {
        ...{ link, user, isOpen: true, busyUntil: 0, latencyMs: chance.between(2, 60) },
        members: new Map(),
        observers: new Map(),
        onCut() {
          if (connection !== opened) return
          connection = null
          for (const subscription of joined.values()) {
            if (subscription.isAttached) subscription.observer.onDetached()
            subscription.isAttached = false
          }
          if (isClosed()) return
          setStatus({ state: "reconnecting" })
          void attempt()
        },
      }
      connection = opened
      connections.add(opened)
      setStatus({ state: "connected" })
      for (const [channel, subscription] of joined) void attach(channel, subscription, opened)
    }

    async function attach(channel: string, subscription: Joined, to: Connection): Promise<void> {
      const isWanted = () => connection === to && joined.get(channel) === subscription
      try {
        await credentials({ channel })
      } catch (cause) {
        if (!isWanted()) return
        const reason = isRealtimeError(cause) ? cause : error("not-connected", "unable to join")
        if (!reason.retryable) return subscription.observer.onDenied(reason)
        await pause(1_000)
        if (isWanted()) void attach(channel, subscription, to)
        return
      }
      await pause(to.latencyMs)
      if (!isWanted() || !to.isOpen) return
      const after = kind.catchesUpOnSubscribe ? subscription.observer.cursor() : null
      to.observers.set(channel, subscription.observer)
      const page =
        after &&
        (await core()
          .readAfter(channel, after.seq, 100)
          .catch(() => undefined))
      await pause(to.latencyMs)
      if (!isWanted() || !to.isOpen) return
      subscription.isAttached = true
      subscription.observer.onAttached(page ?? undefined)
      if (subscription.watches) subscription.observer.onPresence(snapshotOf(channel))
      if (subscription.data !== undefined) enter(channel, subscription.data, to)
    }

    function enter(channel: string, data: JsonValue, at: Connection | null): void {
      if (!at?.isOpen || !connections.has(at)) return
      at.members.set(channel, data)
      announce(channel)
    }

    async function publish(channel: string, messages: readonly OutgoingMessage[]) {
      const used = connection
      if (!used?.isOpen) throw error("not-connected", "unable to publish; there is no connection")
      await pause(used.latencyMs)
      if (!used.isOpen) throw error("not-connected", "unable to publish; the connection broke")
      const results = await core().accept(user, channel, messages)
      await pause(used.latencyMs)
      if (used.isOpen) return results
      throw error("timeout", "unable to hear the answer; the connection broke")
    }

    return {
      provider,
      capabilities,
      get status() {
        return status
      },
      onStatus(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
      connect() {
        if (status.state === "failed") setStatus({ state: "connecting" })
        void attempt()
      },
      subscribe(channel, observer): TransportSubscription {
        const subscription: Joined = { observer, watches: false, data: undefined, isAttached: false }
        joined.set(channel, subscription)
        if (connection) void attach(channel, subscription, connection)
        return {
          ...(kind.signalsOverConnection && {
            async signal(event: string, payload: JsonValue) {
              if (!connection?.isOpen || !subscription.isAttached)
                throw error("not-connected", "unable to send")
              signals += 1
              const id = `${provider} ${signals}`
              signal({ id, channel, event, payload, from: user, at: Date.now() }, connection)
            },
          }),
          watchPresence() {
            subscription.watches = true
            if (subscription.isAttached) observer.onPresence(snapshotOf(channel))
          },
          async enterPresence(data) {
            subscription.data = data
            if (subscription.isAttached) enter(channel, data, connection)
          },
          async leavePresence() {
            subscription.data = undefined
            if (connection?.members.delete(channel)) announce(channel)
          },
          unsubscribe() {
            if (joined.get(channel) !== subscription) return
            joined.delete(channel)
            connection?.observers.delete(channel)
            if (connection?.members.delete(channel)) announce(channel)
          },
        }
      },
      ...(kind.publishesOverConnection && { publish }),
      async close() {
        if (isClosed()) return
        clearTimeout(retry)
        const last = connection
        connection = null
        joined.clear()
        setStatus({ state: "closed" })
        if (!last) return
        // Who says goodbye is forgotten at once; who just vanishes is not.
        if (link.isDead || !last.isOpen) breakOff(last, false)
        else {
          last.isOpen = false
          forget(last)
        }
      },
    }
  }

  return {
    provider,
    publisher,
    faults,
    createTransport,
    cut({ link, isNoticed } = { isNoticed: true }) {
      for (const connection of [...connections])
        if (!link || connection.link === link) breakOff(connection, isNoticed)
    },
  }
}
