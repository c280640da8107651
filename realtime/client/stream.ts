import { type BackOff, backOffMs, randomBetween } from "../back-off.ts"
import { isDenial, type OnError, RealtimeError } from "../errors.ts"
import { guard } from "../guard.ts"
import type { Cursor, LogHead, LogPage, WireMessage } from "../message.ts"
import { withResolvers } from "../with-resolvers.ts"
import { createSequencer, type SequencerAction } from "./sequencer.ts"
import type { ChannelHandlers, ChannelMessage } from "./types.ts"

/** One listener's place in a channel: a sequencer, and the reads of the log that it asks for. */
export interface Stream {
  readonly cursor: Cursor | null
  readonly ready: Promise<void>
  /** It has been followed: what comes after an interruption is caught up with. */
  readonly isEstablished: boolean
  receive(messages: readonly WireMessage[]): void
  /** The provider has (again) accepted the subscription; `page` is what it says was missed after `after`. */
  attached(page: LogPage | undefined, after: Cursor | null): void
  /** The subscription was interrupted: what comes from here on is catching up. */
  detached(): void
  /** Looks whether something was missed, at once. */
  check(): void
  /** The head of the log, as it was asked for when the cursor stood at `after`. */
  head(head: LogHead, after: Cursor | null): void
  deny(error: RealtimeError): void
  close(): void
}

export interface StreamOptions {
  since: Cursor | null
  /** It goes on in the place of one that was followed: what it begins with is catching up. */
  isContinuation?: boolean
  handlers: ChannelHandlers
  /** Reads the log after a cursor; with null, any page that shows the head. */
  read(after: Cursor | null): Promise<LogPage>
  /** Called when the log itself refuses this reader. */
  onDenied(error: RealtimeError): void
  onError: OnError
}

const backOff: BackOff = { firstMs: 300, maxMs: 10_000 }
/** Two deliveries that changed places: the other one is waited for at least, and at most, so long. */
const minLateMs = 50
const maxLateMs = 250

export function createStream(options: StreamOptions): Stream {
  const { since, isContinuation = false, handlers, read, onDenied, onError } = options
  const sequencer = createSequencer({ cursor: since })
  const ready = withResolvers<void>()
  // Waiting for `ready` is the listener's choice; not waiting must not crash a process.
  ready.promise.catch(() => {})
  let isAttached = false
  let isClosed = false
  /** What came since the last interruption; null when there was none, or it is over. */
  let catchingUp: { count: number; recovered: boolean } | null = isContinuation
    ? { count: 0, recovered: true }
    : null
  /** Reads in a row that failed, or brought nothing of what is known to exist. */
  let vain = 0
  let paused: { timer: ReturnType<typeof setTimeout>; run: () => void } | null = null
  let late: ReturnType<typeof setTimeout> | undefined

  const call = (stage: keyof ChannelHandlers, handler: () => unknown) => guard(onError, stage, handler)

  function perform(actions: SequencerAction[]): void {
    for (const action of actions) {
      if (isClosed) return
      switch (action.type) {
        case "deliver":
          if (catchingUp) catchingUp.count += action.messages.length
          call("onMessages", () => handlers.onMessages(action.messages as ChannelMessage[]))
          break
        case "gap":
          if (catchingUp) catchingUp.recovered = false
          call("onGap", () => handlers.onGap?.({ from: action.from, to: action.to }))
          break
        case "reset":
          if (catchingUp) catchingUp.recovered = false
          call("onReset", () => handlers.onReset?.({ previous: action.previous, cursor: action.cursor }))
          break
        case "fetch":
          if (action.isStalled) pauseThen(() => void fetch(action.after))
          else void fetch(action.after)
          break
        case "wait":
          // Not in step with other clients, which the same two deliveries reached.
          late ??= setTimeout(
            () => {
              stopWaiting()
              perform(sequencer.overdue())
            },
            randomBetween(minLateMs, maxLateMs),
          )
          break
      }
    }
    if (!sequencer.isCurrent) return
    stopWaiting()
    if (!isAttached) return
    ready.resolve()
    if (!catchingUp) return
    const result = catchingUp
    catchingUp = null
    call("onCaughtUp", () => handlers.onCaughtUp?.(result))
  }

  async function fetch(after: Cursor | null): Promise<void> {
    try {
      const page = await read(after)
      if (isClosed) return
      const actions = sequencer.page(page, after)
      vain = actions.some((action) => action.type === "fetch" && action.isStalled) ? vain + 1 : 0
      perform(actions)
    } catch (error) {
      if (isClosed) return
      if (isDenial(error)) {
        sequencer.abandon()
        ready.reject(error)
        onDenied(error)
        return
      }
      vain += 1
      onError(error, { stage: "read the log" })
      pauseThen(() => perform(sequencer.retry()), error)
    }
  }

  function stopWaiting(): void {
    clearTimeout(late)
    late = undefined
  }

  function pauseThen(run: () => void, error?: unknown): void {
    clearTimeout(paused?.timer)
    paused = { timer: setTimeout(hurry, backOffMs(backOff, vain, error)), run }
  }

  function hurry(): void {
    const { timer, run } = paused ?? {}
    clearTimeout(timer)
    paused = null
    run?.()
  }

  return {
    get cursor() {
      return sequencer.cursor
    },
    ready: ready.promise,
    get isEstablished() {
      return isAttached || catchingUp !== null
    },
    receive: (messages) => perform(sequencer.receive(messages)),
    attached(page, after) {
      isAttached = true
      hurry()
      perform(sequencer.resume(page, after))
    },
    detached() {
      if (isAttached) catchingUp ??= { count: 0, recovered: true }
      isAttached = false
    },
    check() {
      hurry()
      perform(sequencer.resume())
    },
    head: (head, after) => perform(sequencer.head(head, after)),
    deny: (error) => ready.reject(error),
    close() {
      isClosed = true
      stopWaiting()
      clearTimeout(paused?.timer)
      ready.reject(
        new RealtimeError("not-connected", { message: "unable to wait; the subscription was ended" }),
      )
    },
  }
}
