import { type Cursor, createListeners, isRealtimeError, type OnError } from "throughline"
import type { ChannelMessage, ChannelSubscription, RealtimeClient } from "throughline/client"
import { person, type RoomDefinition, room as roomChannel } from "./channels.ts"
import {
  type ActivityEvent,
  type ActivityState,
  byActivity,
  type CountedRoom,
  concerns,
  maxFollowed,
  reduceActivity,
  typingLastsMs,
} from "./room-activity.ts"

/** Something that was said in a room while the page looked on, live or caught up with; never by oneself. */
export interface Arrival {
  room: string
  message: Extract<ChannelMessage<RoomDefinition>, { event: "text-sent" }>
  isMention: boolean
}

/** Browser: what goes on in all the rooms that one is in, and how far one has read each. */
export interface RoomActivityStore {
  readonly state: ActivityState
  subscribe(listener: () => void): () => void
  /** Every message of the rooms that are followed, one's own too. */
  onMessages(
    listener: (room: string, messages: readonly ChannelMessage<RoomDefinition>[]) => void,
  ): () => void
  onArrival(listener: (arrival: Arrival) => void): () => void
  /** What the server rendered, or answered. */
  accept(rooms: readonly CountedRoom[]): void
  /** The room that is open; null when none is. It is followed whatever the others do. */
  open(room: string | null): void
  /** The newest message of the open room that stands on the screen. It counts as read once somebody looks at the page. */
  show(room: string, seq: number): void
  start(): () => void
}

export interface RoomActivityOptions {
  client: RealtimeClient
  me: string
  initial: readonly CountedRoom[]
  /** Asks the server for the counts of all rooms that one is in. */
  ask(): Promise<readonly CountedRoom[]>
  /** Tells the server how far one has read; `isLast` when the page is about to go. */
  move(room: string, place: Cursor, isLast: boolean): Promise<void>
  onError: OnError
}

const askEveryMs = 60_000
/** Reasons to ask that come together are one. */
const askPauseMs = 1_000
/** Of what rings while the page is hidden: its title counts on, but nobody sees that it is late. */
const hiddenPauseMs = 15_000
const doubtMs = 300
const movePauseMs = 1_000
const maxOwn = 500
/** Of so many missed messages the number is enough: they are skipped instead of read. */
const maxMissed = 500

interface Followed {
  subscription: ChannelSubscription
  stop(): void
}

/** Whether somebody sees what the page shows. */
export const isLookedAt = () => document.visibilityState !== "hidden" && document.hasFocus()

export function createRoomActivity(options: RoomActivityOptions): RoomActivityStore {
  const { client, me, ask, move, onError } = options
  const listeners = createListeners(onError, "activity.subscribe")
  const messageListeners = createListeners<Parameters<Parameters<RoomActivityStore["onMessages"]>[0]>>(
    onError,
    "activity.onMessages",
  )
  const arrivalListeners = createListeners<[Arrival]>(onError, "activity.onArrival")
  const followed = new Map<string, Followed>()
  let state: ActivityState = reduceActivity(new Map(), { type: "counted", rooms: options.initial })
  const own = new Set<string>()
  const reader = { id: me, own }
  let isStarted = false
  let current: string | null = null
  let shown: { room: string; seq: number } | null = null

  function dispatch(event: ActivityEvent): void {
    const before = state
    state = reduceActivity(state, event)
    if (state === before) return
    listeners.tell()
    askIfDoubtful()
  }

  // --- the rooms' channels ---

  /** Joins and leaves channels until they are the right ones. */
  function follow(): void {
    if (!isStarted) return
    const wanted = [...state.keys()].sort(byActivity(state)).filter((room) => room !== current)
    if (current && state.has(current)) wanted.unshift(current)
    const chosen = new Set(wanted.slice(0, maxFollowed))
    for (const [room, { stop }] of followed) if (!chosen.has(room)) stop()
    for (const room of chosen) if (!followed.has(room)) join(room)
  }

  function join(room: string): void {
    const channel = client.channel(roomChannel({ room }))
    const since = state.get(room)?.head
    const subscription = channel.subscribe(
      {
        onMessages: (messages) => receive(room, messages),
        onReset: () => dispatch({ type: "replaced", room }),
      },
      { since },
    )
    const stopTyping = channel.onSignal("typing", ({ from, payload: { isTyping } }) => {
      if (from.id === me) return
      const who = { id: from.id, name: from.name ?? "" }
      dispatch({ type: "typing", room, who, isTyping, now: Date.now() })
      if (isTyping) expiry ??= setTimeout(expire, typingLastsMs + 1)
    })
    followed.set(room, {
      subscription,
      stop() {
        followed.delete(room)
        subscription.unsubscribe()
        stopTyping()
      },
    })
  }

  function receive(room: string, messages: readonly ChannelMessage<RoomDefinition>[]): void {
    const head = state.get(room)?.head
    for (const { id, from, event } of messages) if (from?.id === me && event === "text-sent") remember(id)
    dispatch({ type: "arrived", room, messages, reader })
    messageListeners.tell(room, messages)
    for (const message of messages) {
      const isNew = head?.epoch !== message.epoch || message.seq > head.seq
      if (message.event !== "text-sent" || message.from?.id === me || !isNew) continue
      const isMention = concerns(message.payload, reader)
      arrivalListeners.tell({ room, message, isMention })
    }
  }

  /** Of one's own messages, so that answers to them are known. */
  function remember(id: string): void {
    own.add(id)
    if (own.size > maxOwn) own.delete(own.values().next().value as string)
  }

  let expiry: ReturnType<typeof setTimeout> | undefined
  function expire(): void {
    expiry = undefined
    dispatch({ type: "time-passed", now: Date.now() })
    const ends = [...state.values()].flatMap(({ typists }) => typists.map(({ until }) => until))
    if (ends.length > 0) expiry = setTimeout(expire, Math.max(0, Math.min(...ends) - Date.now()) + 1)
  }

  // --- what the server counts ---

  function accept(rooms: readonly CountedRoom[]): void {
    for (const { room, head } of rooms) {
      const cursor = followed.get(room)?.subscription.cursor
      if (cursor?.epoch === head.epoch && head.seq - cursor.seq > maxMissed) followed.get(room)?.stop()
    }
    dispatch({ type: "counted", rooms })
    follow()
    readShown()
  }

  let asking: ReturnType<typeof setTimeout> | undefined
  let askingLater: ReturnType<typeof setTimeout> | undefined
  let doubting: ReturnType<typeof setTimeout> | undefined
  let wasAskedAt = Number.NEGATIVE_INFINITY

  /** Now, or when the last time is long enough ago. */
  function askSoon(): void {
    if (!isStarted) return
    asking ??= setTimeout(askNow, Math.max(0, wasAskedAt + askPauseMs - performance.now()))
  }

  function askWhereHidden(): void {
    askingLater ??= setTimeout(askSoon, hiddenPauseMs)
  }

  const isInDoubt = () => [...state.values()].some(({ isDoubtful }) => isDoubtful)

  /** Not at once: what is read in a moment is no longer in doubt. */
  function askIfDoubtful(): void {
    if (!isStarted || !isInDoubt()) return
    doubting ??= setTimeout(() => {
      doubting = undefined
      if (isInDoubt()) askSoon()
    }, doubtMs)
  }

  async function askNow(): Promise<void> {
    clearTimeout(askingLater)
    askingLater = undefined
    try {
      // What was read goes first, so that the answer knows of it.
      await flush()
      wasAskedAt = performance.now()
      const rooms = await ask()
      if (isStarted) accept(rooms)
    } catch (error) {
      // The last numbers stay; the next reason to ask comes within the minute.
      onError(error, { stage: "count unread messages" })
    } finally {
      asking = undefined
      askIfDoubtful()
    }
  }

  // --- how far one has read ---

  const unsaid = new Map<string, Cursor>()
  /** What the server couldn't be told; it goes with the next move or question. */
  const failed = new Map<string, Cursor>()
  let pause: ReturnType<typeof setTimeout> | undefined

  /** What is on the screen is read while somebody looks. */
  function readShown(): void {
    if (!shown || shown.room !== current) return
    if (!isLookedAt()) return
    const activity = state.get(shown.room)
    if (!activity) return
    const { read, head } = activity
    if (read.epoch === head.epoch && read.seq >= shown.seq) return
    const place = { epoch: head.epoch, seq: shown.seq }
    dispatch({ type: "read", room: shown.room, place })
    unsaid.set(shown.room, place)
    if (pause) return
    pause = setTimeout(afterPause, movePauseMs)
    void flush()
  }

  /** The first move is told at once, those within the pause together after it. */
  function afterPause(): void {
    pause = undefined
    if (unsaid.size === 0) return
    pause = setTimeout(afterPause, movePauseMs)
    void flush()
  }

  async function flush(isLast = false): Promise<void> {
    const moves = [...new Map([...failed, ...unsaid])]
    failed.clear()
    unsaid.clear()
    await Promise.all(moves.map(([room, place]) => tell(room, place, isLast)))
  }

  async function tell(room: string, place: Cursor, isLast: boolean): Promise<void> {
    try {
      await move(room, place, isLast)
    } catch (error) {
      if (isRealtimeError(error) && error.retryable && !unsaid.has(room)) failed.set(room, place)
      return
    }
    // One's other tabs and devices; whoever isn't there asks when they come back.
    client
      .channel(person({ person: me }))
      .signal("read-moved", { room, ...place })
      .catch(() => {})
  }

  // --- the page ---

  function start(): () => void {
    isStarted = true
    follow()
    if (state.size === 0) askSoon()
    const stopSignals = client
      .channel(person({ person: me }))
      .onSignal("read-moved", ({ payload: { room, ...place } }) => dispatch({ type: "read", room, place }))
    const signals = client.channel(person({ person: me }))
    const stopBell = signals.onSignal("room-stirred", ({ payload: { room } }) => {
      if (followed.has(room)) return
      if (document.visibilityState === "visible") askSoon()
      else askWhereHidden()
    })
    // What was read elsewhere until they arrive here, nobody repeats: neither after an interruption nor after the page was rendered.
    const stopStatus = signals.onStatus(() => signals.status.state === "attached" && askSoon())
    const onLook = () => {
      readShown()
      if (document.visibilityState === "visible") askSoon()
    }
    const onLeave = () => void flush(true)
    const timer = setInterval(() => document.visibilityState === "visible" && askSoon(), askEveryMs)
    document.addEventListener("visibilitychange", onLook)
    window.addEventListener("focus", readShown)
    // A network that was away for a moment may have taken a signal along without breaking the connection.
    window.addEventListener("online", onLook)
    window.addEventListener("pagehide", onLeave)
    return () => {
      isStarted = false
      void flush()
      for (const { stop } of followed.values()) stop()
      stopSignals()
      stopBell()
      stopStatus()
      clearInterval(timer)
      clearTimeout(pause)
      clearTimeout(asking)
      clearTimeout(askingLater)
      clearTimeout(doubting)
      clearTimeout(expiry)
      pause = asking = askingLater = doubting = expiry = undefined
      document.removeEventListener("visibilitychange", onLook)
      window.removeEventListener("focus", readShown)
      window.removeEventListener("online", onLook)
      window.removeEventListener("pagehide", onLeave)
    }
  }

  return {
    get state() {
      return state
    },
    subscribe: listeners.add,
    onMessages: messageListeners.add,
    onArrival: arrivalListeners.add,
    accept,
    open(room) {
      current = room
      follow()
      readShown()
    },
    show(room, seq) {
      if (shown?.room !== room || seq > shown.seq) shown = { room, seq }
      readShown()
    },
    start,
  }
}
