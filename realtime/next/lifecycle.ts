import { type OnError, RealtimeError } from "../errors.ts"
import { throwAny } from "../throw-any.ts"
import { withinLimit } from "../within-limit.ts"

/** What was opened, and how each part of it is closed. */
export interface Cleanup {
  /** `doing` completes "unable to …". */
  add(doing: string, end: () => unknown): void
  /** The same, for what limits each step of its own: a limit around all of them would cut the later ones. */
  addBounded(end: () => Promise<unknown>): void
  /**
   * Closes what was opened last first, each part once. What fails, or doesn't end in its time, keeps no
   * other from its turn; resolves with the reasons. `limitMs` is for all of them together: once it is over,
   * each of the others is given a second at most. Default: without end.
   */
  run(limitMs?: number): Promise<unknown[]>
}

/** More than the gateway takes to send its pages away. */
const endTimeoutMs = 15_000
/** What ends at once does so in much less, however late it is its turn. */
const leastMs = 1_000

export function createCleanup(timeoutMs = endTimeoutMs): Cleanup {
  const steps: ((leftMs: number) => Promise<unknown>)[] = []
  return {
    add(doing, end) {
      steps.push((leftMs) => withinLimit(Math.min(timeoutMs, leftMs), doing, async () => end()))
    },
    addBounded: (end) => void steps.push(end),
    async run(limitMs = Number.POSITIVE_INFINITY) {
      const failures: unknown[] = []
      const deadline = performance.now() + limitMs
      for (let end = steps.pop(); end; end = steps.pop()) {
        const leftMs = Math.ceil(Math.max(deadline - performance.now(), Math.min(leastMs, limitMs)))
        await end(leftMs).catch((error) => failures.push(error))
      }
      return failures
    },
  }
}

/**
 * One thing that is opened and closed again and again: closed, opening, open, closing, and closed. Whoever
 * asks while a step is under way waits for its end.
 */
export interface Lifecycle<Value> {
  /** What is open or being opened. */
  readonly opened: Promise<Value> | undefined
  /**
   * Opens it, where it isn't. After `close` that begins once all is closed. Where `work` fails, what it had
   * added by then is closed before this rejects, and the next call tries again.
   */
  open(work: (cleanup: Cleanup) => Promise<Value>, onError: OnError): Promise<Value>
  /**
   * Closes what is open or being opened at this moment. Called again, it waits for the same end. Rejects with
   * whatever couldn't be closed, when the rest is; an opening that doesn't end in its time is given up, and
   * what it opens later is closed again.
   */
  close(): Promise<void>
}

export function createLifecycle<Value>(timeoutMs = endTimeoutMs): Lifecycle<Value> {
  let current: { opened: Promise<Value>; cleanup: Cleanup } | undefined
  const givenUp = new WeakSet<Cleanup>()
  const closed = Promise.resolve()
  let closing = closed

  async function enter(
    work: (cleanup: Cleanup) => Promise<Value>,
    cleanup: Cleanup,
    before: Promise<unknown>,
    onError: OnError,
  ): Promise<Value> {
    await before
    try {
      const value = await work(cleanup)
      if (givenUp.has(cleanup)) throw closedMeanwhile()
      return value
    } catch (error) {
      for (const failure of await cleanup.run()) onError(failure, { stage: "close what couldn't be opened" })
      throw error
    }
  }

  async function end(opened: Promise<Value>, cleanup: Cleanup): Promise<void> {
    const failures: unknown[] = []
    // Whoever opened it is told why it couldn't be, and nothing is open then.
    const ending = () => opened.then(ignore, ignore)
    await withinLimit(timeoutMs, "wait for what is being opened", ending).catch((error) => {
      givenUp.add(cleanup)
      failures.push(error)
    })
    throwAny([...failures, ...(await cleanup.run())])
  }

  return {
    get opened() {
      return current?.opened
    },
    open(work, onError) {
      if (current) return current.opened
      const cleanup = createCleanup()
      // Whoever closed it is told how that ended.
      const opening = { cleanup, opened: enter(work, cleanup, closing.catch(ignore), onError) }
      current = opening
      opening.opened.catch(() => {
        if (current === opening) current = undefined
      })
      return opening.opened
    },
    close() {
      if (!current) return closing
      const { opened, cleanup } = current
      current = undefined
      const ending = end(opened, cleanup)
      closing = ending
      ending.catch(ignore).then(() => {
        if (closing === ending) closing = closed
      })
      return ending
    },
  }
}

const ignore = () => {}

const closedMeanwhile = () =>
  new RealtimeError("not-connected", {
    message: "unable to open; it took so long that it was closed meanwhile",
  })
