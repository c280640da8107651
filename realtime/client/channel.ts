import { type AnyChannelDefinition, type ChannelRef, schemaOf, validate } from "../channel.ts"
import { isDenial, isRealtimeError, type OnError, RealtimeError } from "../errors.ts"
import type { JsonValue } from "../json.ts"
import { createListeners, type Listeners } from "../listeners.ts"
import {
  type Cursor,
  jsonByteLength,
  type LogHead,
  type LogPage,
  type PresenceSnapshot,
  type Signal,
  type WireMessage,
} from "../message.ts"
import { createMessageId } from "../message-id.ts"
import type { ChannelObserver, TransportSubscription } from "../transport.ts"
import type { MessageFollower } from "./follow-messages.ts"
import type { RealtimeHttp } from "./http.ts"
import type { Outbox } from "./outbox.ts"
import { createPresenceTracker } from "./presence.ts"
import type { SignalAges } from "./signal-ages.ts"
import { createSignalInbox } from "./signal-inbox.ts"
import { createSignalOutlet, type SignalPace } from "./signal-outlet.ts"
import { createStream, type Stream } from "./stream.ts"
import {
  idleSubscription,
  nextSubscription,
  type SubscriptionCommand,
  type SubscriptionEvent,
} from "./subscription-policy.ts"
import type { Channel, ChannelHandlers, PendingMessage, PresenceState, StateListener } from "./types.ts"

export interface ChannelOptions {
  ref: ChannelRef
  /** The client is open. */
  isOpen: () => boolean
  /** Takes part in it on the connection; null while the client isn't open. */
  join: (observer: ChannelObserver) => TransportSubscription | null
  http: RealtimeHttp
  /** What the page calls itself to whoever gets its signals. */
  page: string
  /** All channels share it: the clocks of one are those of the others. */
  signalAges: SignalAges
  /** All channels share it; only asked when the provider's code is there. */
  signalPace: () => SignalPace
  outbox: Outbox
  follower: MessageFollower | undefined
  maxPayloadBytes: number
  presenceGraceMs: number | undefined
  onError: OnError
}

/** The client's own side of a channel. */
export interface ManagedChannel extends Channel {
  /** The page is looked at again: it looks at once whether something was missed. */
  check(): void
  /**
   * Begins a comparison with the log's head, if anybody follows the channel; the returned function ends it.
   */
  startComparison(): ((head: LogHead | RealtimeError) => void) | null
  /** Hot reload has evaluated the application's definitions again: from now on this one counts. */
  redefine(definition: AnyChannelDefinition): void
  /** The client is open: what listens to the channel takes part in it (again), each from its own place. */
  open(): void
  /** Lets go of the connection; what listens stays, and what waits for an answer rejects. */
  close(): void
}

/** Who listens to messages: a stream from each opening of the client to its closing. */
interface Follower {
  stream: Stream
  follow(from: Cursor | null, isContinuation?: boolean): Stream
}

const defaultTimeoutMs = 15_000
/** The most messages of one read of the log. */
const pageSize = 500

/** One channel of one client: a single subscription at the provider, shared by any number of listeners. */
export function createChannel(options: ChannelOptions): ManagedChannel {
  const { ref, join, http, signalPace, outbox, follower, maxPayloadBytes, onError } = options
  const { name } = ref
  let { definition } = ref
  const followers = new Set<Follower>()
  const signalListeners = new Map<string, Listeners<[Signal]>>()
  const statusListeners = createListeners(onError, "onStatus")
  const presence = createPresenceTracker({ graceMs: options.presenceGraceMs, onError })
  const entries = new Set<{ data: unknown }>()
  const reads = new Map<string, Promise<LogPage>>()
  let watchesPresence = false
  /** Tells overlapping updates apart: the latest counts. */
  let presenceUpdates = 0
  let policy = idleSubscription
  let subscription: TransportSubscription | null = null
  let asked: Cursor | null = null

  let stateListener: StateListener | undefined
  const isFresh = createSignalInbox({ page: options.page, ages: options.signalAges })
  let signalsSent = 0
  const signals = createSignalOutlet({
    pace: () => (policy.status.state === "attached" ? signalPace() : null),
    isLatest: (event) => definition.latest.includes(event),
    async deliver(event, payload) {
      if (!options.isOpen()) throw notOpen()
      signalsSent += 1
      const origin = { page: options.page, n: signalsSent }
      const overConnection = subscription?.signal
      if (overConnection) {
        try {
          return await overConnection(event, payload as JsonValue, origin)
        } catch (error) {
          // Refused by a permission that may be out of date, it is no way any more:
          // the server says what counts now.
          if (!isDenial(error) || subscription?.signal) throw error
        }
      }
      await http.signal(name, event, payload, origin)
    },
  })

  function happens(event: SubscriptionEvent): void {
    const { state, commands } = nextSubscription(policy, event)
    policy = state
    for (const command of commands) perform(command)
  }

  function perform(command: SubscriptionCommand): void {
    switch (command.type) {
      case "join":
        subscription = join(observer)
        if (subscription) happens({ type: "joined" })
        break
      case "leave":
        subscription?.unsubscribe()
        subscription = null
        break
      case "enter-presence":
        if (watchesPresence) subscription?.watchPresence()
        enterLatest(subscription)
        break
      case "forget-presence":
        presenceUpdates += 1
        presence.forget()
        break
      case "show":
        statusListeners.tell()
        break
      case "interrupt":
        for (const stream of streams()) stream.detached()
        break
      case "refuse":
        for (const stream of streams()) stream.deny(command.error)
        break
      case "ask":
        http
          .heads([name])
          // Without an answer the next comparison asks again.
          .then(
            (heads) => heads.get(name),
            () => undefined,
          )
          .then((head) => happens({ type: "answered", head }))
        break
      case "settle-later":
        setTimeout(() => happens({ type: "settled" }), 0)
    }
  }

  const streams = () => [...followers].map(({ stream }) => stream)
  const isFollowed = (stream: Stream) => streams().includes(stream)

  /** The earliest place of all listeners: from there the provider's catch-up serves them all. */
  function earliestCursor(): Cursor | null {
    let earliest: Cursor | null = null
    for (const { cursor } of streams()) {
      if (cursor && (!earliest || cursor.seq < earliest.seq)) earliest = cursor
    }
    return earliest
  }

  /** The server itself said no. */
  const shutOut = (error: RealtimeError) => happens({ type: "denied", by: "server", error })

  /** Nobody's mistake brings another channel's messages to this one's listeners. */
  function ownOf<M extends WireMessage>(messages: readonly M[]): M[] {
    return messages.filter(({ channel: of }) => of === name)
  }

  const ownPage = (page: LogPage): LogPage => ({ ...page, messages: ownOf(page.messages) })

  /** Takes part in the provider's subscription; it begins with the first use and ends after the last. */
  function use(): () => void {
    happens({ type: "used" })
    let isReleased = false
    return () => {
      if (isReleased) return
      isReleased = true
      happens({ type: "released" })
    }
  }

  const observer: ChannelObserver = {
    cursor() {
      asked = earliestCursor()
      return asked
    },
    onAttached(page) {
      happens({ type: "attached" })
      // Reads that began before can't know what was published until now; the
      // streams' next ones must not share them.
      reads.clear()
      for (const stream of streams()) stream.attached(page && ownPage(page), asked)
      stateListener?.attached()
      outbox.wake(name)
    },
    onState: (patches) => stateListener?.receive(patches),
    onDetached: () => happens({ type: "detached" }),
    onDenied: (error) => happens({ type: "denied", by: "provider", error }),
    onMessages(messages) {
      const own = ownOf(messages)
      for (const stream of streams()) stream.receive(own)
    },
    onSignal: (signal) => void receiveSignal(signal),
    onPresence: (snapshot) => void receivePresence(snapshot),
  }

  /** Peers' signals may come past the server, so their shape is checked here too. */
  async function receiveSignal(signal: Signal): Promise<void> {
    const listeners = signalListeners.get(signal.event)
    if (signal.channel !== name || !listeners || !isFresh(signal)) return
    try {
      const payload = await validate(schemaOf(definition.signals, signal.event), signal.payload, "the signal")
      listeners.tell({ ...signal, payload })
    } catch (error) {
      onError(error, { stage: "receive a signal" })
    }
  }

  /** Members whose data has another shape (an older page, or one that came past the server) are not shown. */
  async function receivePresence(snapshot: PresenceSnapshot): Promise<void> {
    presenceUpdates += 1
    const update = presenceUpdates
    const checked = await Promise.all(
      (snapshot.members ?? []).map(async (member) => {
        const data = await validate(definition.presence, member.data, "presence").catch(() => undefined)
        return data === undefined ? null : { user: member.user, data }
      }),
    )
    if (update !== presenceUpdates) return
    const members = checked.filter((member) => member !== null)
    presence.update(snapshot.members ? { count: members.length, members } : snapshot)
  }

  /** Equal requests share one read. */
  function read(after: Cursor | null): Promise<LogPage> {
    const key = after ? `${after.epoch}:${after.seq}` : "head"
    const started = reads.get(key)
    if (started) return started
    const reading = http
      .history(name, after ? { after: after.seq, limit: pageSize } : { limit: 1 })
      .then(ownPage)
      .finally(() => reads.get(key) === reading && reads.delete(key))
    reads.set(key, reading)
    return reading
  }

  /** The page is one person: the data given last stands for all its components. */
  function enterLatest(joined: TransportSubscription | null): void {
    const latest = [...entries].at(-1)
    const done = latest ? joined?.enterPresence(latest.data as JsonValue) : joined?.leavePresence()
    done?.catch((error) => onError(error, { stage: "presence" }))
  }

  /** Shows when messages that are followed were handed to the application. */
  function followed(handlers: ChannelHandlers): ChannelHandlers {
    if (!follower) return handlers
    return {
      ...handlers,
      onMessages: (messages) => follower.receive(messages, () => handlers.onMessages(messages)),
    }
  }

  /** What the server would refuse, said before it is sent. */
  function validateOutgoing(event: string, payload: unknown): RealtimeError | undefined {
    if (!schemaOf(definition.messages, event)) {
      return new RealtimeError("event-unknown", {
        message: `unable to publish "${event}"; it isn't declared`,
      })
    }
    const bytes = jsonByteLength(payload)
    if (bytes <= maxPayloadBytes) return undefined
    const message = `unable to publish ${bytes} bytes in "${name}"; the limit is ${maxPayloadBytes}`
    return new RealtimeError("message-too-large", { message })
  }

  const channel: Channel<AnyChannelDefinition> = {
    name,
    get status() {
      return policy.status
    },
    onStatus: statusListeners.add,

    subscribe(handlers, { since = null } = {}) {
      const follow: Follower["follow"] = (from, isContinuation = false) =>
        createStream({
          ...{ since: from, isContinuation, handlers: followed(handlers) },
          ...{ read, onDenied: shutOut, onError },
        })
      const follower: Follower = { stream: follow(since ?? null), follow }
      followers.add(follower)
      const wasAttached = policy.status.state === "attached"
      const stop = use()
      const { stream } = follower
      if (wasAttached) queueMicrotask(() => isFollowed(stream) && stream.attached(undefined, null))
      return {
        get ready() {
          return follower.stream.ready
        },
        get cursor() {
          return follower.stream.cursor
        },
        unsubscribe() {
          followers.delete(follower)
          follower.stream.close()
          stop()
        },
      }
    },

    async publish(event, payload, { id = createMessageId(), timeoutMs = defaultTimeoutMs } = {}) {
      const error = validateOutgoing(event, payload)
      if (error) throw error
      return outbox.publish(name, { id, event, payload: payload as JsonValue }, timeoutMs)
    },

    outbox: {
      get messages() {
        return outbox.messages(name) as readonly PendingMessage[]
      },
      subscribe: (listener) => outbox.subscribe(name, listener),
      add(event, payload) {
        const id = createMessageId()
        outbox.add(name, { id, event, payload: payload as JsonValue }, validateOutgoing(event, payload))
        return id
      },
      retry: outbox.retry,
      discard: outbox.discard,
      arrived: (ids) => outbox.arrived(name, ids),
    },

    signal: (event, payload) => signals.send(event, payload),
    onSignal(event, handler) {
      const listeners = signalListeners.get(event) ?? createListeners<[Signal]>(onError, "onSignal")
      signalListeners.set(event, listeners)
      const stopListening = listeners.add(handler as (signal: Signal) => void)
      const stop = use()
      return () => {
        stopListening()
        stop()
      }
    },

    presence: {
      get snapshot() {
        return presence.snapshot as PresenceState | null
      },
      subscribe(listener) {
        const stopListening = presence.subscribe(listener)
        const stop = use()
        if (!watchesPresence) {
          watchesPresence = true
          subscription?.watchPresence()
        }
        return () => {
          stopListening()
          stop()
        }
      },
      enter(data) {
        const entry = { data: data as unknown }
        entries.add(entry)
        const stop = use()
        enterLatest(subscription)
        return {
          update(next) {
            entry.data = next
            entries.delete(entry)
            entries.add(entry)
            enterLatest(subscription)
          },
          leave() {
            if (!entries.delete(entry)) return
            setTimeout(() => entries.size === 0 && enterLatest(subscription), 0)
            stop()
          },
        }
      },
    },

    join(listener) {
      stateListener = listener ?? stateListener
      return {
        ...{ post: http.post, shutOut, release: use() },
        watch: (wanted) => subscription?.watchState?.(wanted),
      }
    },

    report: onError,

    history: (page = {}) => http.history(name, page),
  }

  // The getters must survive, so the management functions are added to the object itself.
  return Object.assign(channel, {
    check() {
      if (policy.status.state === "denied") return happens({ type: "review" })
      // Without a subscription too: the log stands in for a provider that is away.
      for (const stream of streams()) stream.check()
    },
    startComparison() {
      if (policy.status.state === "denied")
        return (head: LogHead | RealtimeError) => happens({ type: "compared", head })
      // Whoever isn't positioned yet has a read under way, which tells them more.
      const asked = streams().flatMap((stream) => (stream.cursor ? [{ stream, after: stream.cursor }] : []))
      if (asked.length === 0) return null
      return (head: LogHead | RealtimeError) => {
        if (!asked.some(({ stream }) => isFollowed(stream))) return
        if (isDenial(head)) return shutOut(head)
        if (isRealtimeError(head)) return onError(head, { stage: "compare heads" })
        for (const { stream, after } of asked) if (isFollowed(stream)) stream.head(head, after)
      }
    },
    redefine(next: AnyChannelDefinition) {
      definition = next
    },
    open() {
      happens({ type: "opened" })
    },
    close() {
      signals.close()
      // A read that is under way belongs to those who asked for it; the next
      // ones go on from where they stood.
      reads.clear()
      for (const follower of followers) {
        const { cursor, isEstablished } = follower.stream
        follower.stream.close()
        follower.stream = follower.follow(cursor, isEstablished)
      }
      happens({ type: "closed" })
    },
  })
}

const notOpen = () =>
  new RealtimeError("not-connected", { message: "unable to send; the client isn't open", retryable: false })
