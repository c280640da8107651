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
  type UnreadAnswer,
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
  /** Tells that the server has another list of rooms than the page shows; again and again until the page shows it. */
  onListChanged(listener: () => void): () => void
  /** What the server rendered, or answered. */
  accept(rooms: readonly CountedRoom[]): void
  /** The version of the list of rooms that the page shows. */
  showList(version: string): void
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
  /** Asks the server for the counts of all rooms that one is in, and for the version of one's list of rooms. */
  ask(): Promise<UnreadAnswer>
  /** Tells the server how far one has read; `isLast` when the page is about to go. */
  move(room: string, place: Cursor, isLast: boolean): Promise<void>
  onError: OnError
}

const askEveryMs = 60_000
/** Reasons to ask that come together are one. */
const askPauseMs = 1_000
/** Of what rings while the page is hidden: its title counts on, but nobody sees that it is late. And after a failure. */
const laterMs = 15_000
/** A list of rooms that was asked for is there by then, or is asked for again: after twice as long each time, and each minute at last. */
const listPatienceMs = 5_000
const doubtMs = 300
const movePauseMs = 1_000
const maxOwn = 500
/** Of so many missed messages the number is enough: they are skipped instead of read. */
const maxMissed = 500

/** What is heard of a room that changes one's list of rooms. */
const changesList = ({ event }: ChannelMessage<RoomDefinition>) =>
  event === "room-deleted" || event === "room-renamed"

interface Followed {
  subscription: ChannelSubscription
  /** Whether the room was ended, or has let one out: there is nothing more to hear. */
  isOver(): boolean
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
  const listListeners = createListeners(onError, "activity.onListChanged")
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

  /**
   * Joins and leaves channels until they are the right ones. The count may know of a room's end before the room tells of it: a room that
   * isn't counted any more is heard until it has told.
   */
  function follow(): void {
    if (!isStarted) return
    const wanted = [...state.keys()].sort(byActivity(state)).filter((room) => room !== current)
    if (current && state.has(current)) wanted.unshift(current)
    const chosen = new Set(wanted.slice(0, maxFollowed))
    for (const [room, { stop, isOver }] of followed)
      if (!chosen.has(room) && (state.has(room) || isOver())) stop()
    for (const room of chosen) if (!followed.has(room)) join(room)
  }

  function join(room: string): void {
    const channel = client.channel(roomChannel({ room }))
    const since = state.get(room)?.head
    let isEnded = false
    const subscription = channel.subscribe(
      {
        onMessages(messages) {
          isEnded ||= messages.some(({ event }) => event === "room-deleted")
          receive(room, messages)
          if (isEnded) follow()
        },
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
    const isDenied = () => channel.status.state === "denied"
    // Whoever was put out, has left elsewhere, or wasn't there when the room was ended, isn't told by the room.
    const stopStatus = channel.onStatus(() => {
      if (!isDenied()) return
      askSoon()
      follow()
    })
    followed.set(room, {
      subscription,
      isOver: () => isEnded || isDenied(),
      stop() {
        followed.delete(room)
        subscription.unsubscribe()
        stopTyping()
        stopStatus()
      },
    })
  }

  function receive(room: string, messages: readonly ChannelMessage<RoomDefinition>[]): void {
    const head = state.get(room)?.head
    if (messages.some(changesList)) {
      askForList()
      // The answer that is on its way may be the list of before.
      isDue ||= isAsking
    }
    for (const { id, from, event } of messages) if (from?.id === me && event === "text-sent") remember(id)
    dispatch({ type: "arrived", room, messages, reader })
    messageListeners.tell(room, messages)
    // One isn't in it any more.
    if (!state.has(room)) return
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
    const before = state
    dispatch({ type: "counted", rooms })
    follow()
    readShown()
    // Of a page that was rendered and an answer, which come in any order, this may be the older one: the next answer tells.
    if (before.size !== state.size || [...state.keys()].some((room) => !before.has(room))) askSoon()
  }

  let asking: ReturnType<typeof setTimeout> | undefined
  let askingLater: ReturnType<typeof setTimeout> | undefined
  let doubting: ReturnType<typeof setTimeout> | undefined
  let wasAskedAt = Number.NEGATIVE_INFINITY
  let isAsking = false
  /** Whether there was a reason to ask since the server was asked, of which its answer may know nothing. */
  let isDue = false

  /** Now, or when the last time is long enough ago, and has been answered. */
  function askSoon(): void {
    if (!isStarted) return
    if (isAsking) isDue = true
    else asking ??= setTimeout(askNow, Math.max(0, wasAskedAt + askPauseMs - performance.now()))
  }

  function askLater(): void {
    if (isStarted) askingLater ??= setTimeout(askSoon, laterMs)
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
    askingLater = asking = undefined
    isAsking = true
    try {
      // What was read goes first, so that the answer knows of it.
      await flush()
      isDue = false
      wasAskedAt = performance.now()
      const { rooms, list } = await ask()
      if (!isStarted) return
      accept(rooms)
      answeredList = list
      compareLists()
    } catch (error) {
      // The last numbers stay meanwhile.
      onError(error, { stage: "count unread messages" })
      if (isRealtimeError(error) && error.retryable) askLater()
    } finally {
      isAsking = false
      if (isDue) askSoon()
      askIfDoubtful()
    }
  }

  // --- the list of rooms, which the page has from the server ---

  let shownList: string | null = null
  let answeredList: string | null = null
  let awaitedList: string | null = null
  let listing: ReturnType<typeof setTimeout> | undefined
  let listMs = listPatienceMs

  /** Whether the page gets it only the next answer tells: what renders it may fail, or never come. */
  function askForList(): void {
    if (!isStarted) return
    listListeners.tell()
    clearTimeout(listing)
    listing = setTimeout(() => {
      listing = undefined
      askSoon()
    }, listMs)
    listMs = Math.min(2 * listMs, askEveryMs)
  }

  function compareLists(): void {
    if (shownList === null || answeredList === shownList) {
      clearTimeout(listing)
      listing = undefined
      listMs = listPatienceMs
    } else if (!listing || answeredList !== awaitedList) {
      awaitedList = answeredList
      askForList()
    }
  }

  // --- how far one has read ---

  const unsaid = new Map<string, Cursor>()
  /** What the server couldn't be told; it goes with the next move or query. */
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
      else askLater()
    })
    const stopNews = signals.onSignal("list-changed", askForList)
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
      stopNews()
      stopStatus()
      clearInterval(timer)
      clearTimeout(pause)
      clearTimeout(asking)
      clearTimeout(askingLater)
      clearTimeout(doubting)
      clearTimeout(listing)
      clearTimeout(expiry)
      pause = asking = askingLater = doubting = listing = expiry = undefined
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
    onListChanged: listListeners.add,
    accept,
    showList(version) {
      if (version === shownList) return
      const isFirst = shownList === null
      shownList = version
      // Rendered before or after the last answer: the next one tells.
      if (version === answeredList) compareLists()
      else if (!isFirst) askSoon()
    },
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
