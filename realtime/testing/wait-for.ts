/**
 * How long `waitFor` waits. A test of what must fail lowers it, and so does a run in
 * which hundreds of tests have to.
 */
export const waitLimit = { ms: Number(process.env.THROUGHLINE_PATIENCE_MS ?? 15_000) }

/**
 * A busy machine may take so long to load a program. Less than a hook's own limit, which says nothing of what
 * was waited for.
 */
const startLimitMs = 45_000

type Found<T> = Exclude<T, false | null | undefined>

/**
 * Resolves with the first truthy answer of `condition`, asking again and again. Rejects, with
 * what the condition last threw or answered, when it takes longer than any healthy run would: a
 * limit against hanging, not a measure.
 */
export function waitFor<T>(condition: () => T | Promise<T>, what = "the condition"): Promise<Found<T>> {
  return waitWithin(() => waitLimit.ms, condition, what)
}

/** A process that was started, as `node:child_process` tells of it. */
export interface StartedProgram {
  /** With what it ended by itself; null as long as it runs. */
  readonly exitCode: number | null
  /** The signal that ended it; null as long as it runs. */
  readonly signalCode: string | null
}

/** How a program that was started is waited for. */
export interface StartOptions {
  /** What it has said so far, which says why it ended. */
  said?: () => string
  /** For how long it is waited for at least, in milliseconds; by default 45 seconds. */
  limitMs?: number
}

/**
 * As `waitFor`, for a program that was started to answer. Rejects at once, with what it said, when it has
 * ended: it won't answer any more, and whoever waits until the limit learns the reason late or never.
 */
export function waitForStart<T>(
  program: StartedProgram,
  condition: () => T | Promise<T>,
  what: string,
  { said = () => "", limitMs = startLimitMs }: StartOptions = {},
): Promise<Found<T>> {
  function requireRunning(): void {
    const { exitCode, signalCode } = program
    if (exitCode === null && signalCode === null) return
    throw new Error(`waited in vain for ${what}: it ended with ${signalCode ?? exitCode}. ${said()}`)
  }
  return waitWithin(() => Math.max(waitLimit.ms, limitMs), condition, what, requireRunning)
}

async function waitWithin<T>(
  limitMs: () => number,
  condition: () => T | Promise<T>,
  what: string,
  /** Throws when there is nothing left to wait for. */
  requirePossible = () => {},
): Promise<Found<T>> {
  const started = performance.now()
  let last: unknown
  while (performance.now() - started < limitMs()) {
    requirePossible()
    try {
      const answer = await condition()
      if (answer) return answer as Found<T>
      last = answer
    } catch (error) {
      last = error
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const seen = last instanceof Error ? last.message : JSON.stringify(last)
  throw new Error(`waited in vain for ${what}; last: ${seen}`, { cause: last })
}
