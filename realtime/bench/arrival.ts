/** After so many ms without one more, what is missing won't come. */
const silenceMs = 15_000

/**
 * Waits until so many have come, or no more do. Resolves with how many are missing, and when the last one
 * came.
 */
export async function arrival(
  countNow: () => number,
  expected: number,
): Promise<{ missing: number; lastAt: number }> {
  let count = countNow()
  let lastAt = performance.now()
  while (count < expected && performance.now() - lastAt < silenceMs) {
    await new Promise((resolve) => setImmediate(resolve))
    if (countNow() === count) continue
    count = countNow()
    lastAt = performance.now()
  }
  return { missing: Math.max(0, expected - count), lastAt }
}
