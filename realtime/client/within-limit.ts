import { RealtimeError } from "../errors.ts"
import { withResolvers } from "../with-resolvers.ts"

/**
 * Waits for the browser, which may never answer: what `answer` resolves or rejects with, or a rejection with `timeout` after
 * `limitMs`. `doing` completes «unable to …».
 */
export async function withinLimit<T>(limitMs: number, doing: string, answer: Promise<T>): Promise<T> {
  const { promise: limit, reject } = withResolvers<never>()
  const timer = setTimeout(() => {
    const message = `unable to ${doing}; the browser didn't answer in ${limitMs} ms`
    reject(new RealtimeError("timeout", { message }))
  }, limitMs)
  try {
    return await Promise.race([answer, limit])
  } finally {
    clearTimeout(timer)
  }
}
