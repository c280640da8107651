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

/** As `waitFor`, for a program that was started to answer: for `limitMs` at least. */
export function waitForStart<T>(
  condition: () => T | Promise<T>,
  what: string,
  limitMs = startLimitMs,
): Promise<Found<T>> {
  return waitWithin(() => Math.max(waitLimit.ms, limitMs), condition, what)
}

async function waitWithin<T>(
  limitMs: () => number,
  condition: () => T | Promise<T>,
  what: string,
): Promise<Found<T>> {
  const started = performance.now()
  let last: unknown
  while (performance.now() - started < limitMs()) {
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
