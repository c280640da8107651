import { backOffMs } from "../back-off.ts"
import { onReturn } from "../client/on-return.ts"
import { requestWithin } from "../client/request-within.ts"
import { createTabLock, createTurns } from "../client/tab-turns.ts"
import { fromWireError, isRealtimeError, type OnError, RealtimeError } from "../errors.ts"
import { parseUser, type User } from "../message.ts"
import { onOtherUser, recallUser, rememberUser } from "./remembered-user.ts"

const pauses = { firstMs: 1_000, maxMs: 30_000 }
const answerTimeoutMs = 10_000
const doing = "ask who is signed in"

/**
 * Who the server says is signed in; where guests are let in, whoever asks is one. A server that is away is
 * asked again, after a pause that doubles up to half a minute, and at once when the network or the tab comes
 * back or another tab was told of somebody else, until the signal ends it; after each failure `onAway` hears
 * whom it named the last time in this browser. Rejects with what the server refuses for good, as a route that
 * isn't there.
 */
export async function askSession(
  basePath: string,
  signal: AbortSignal,
  onError: OnError,
  onAway: (remembered: User | null) => void,
): Promise<User | null> {
  // Of two tabs on a first visit the second asks with the cookie that the first was given: both are one
  // guest.
  const takeTurn = createTurns({
    exclusively: createTabLock("realtime-session"),
    isOpen: () => !signal.aborted,
    onError,
  })
  for (let failures = 1; ; failures += 1) {
    try {
      let user: User | null = null
      await takeTurn(basePath, async () => {
        signal.throwIfAborted()
        user = await ask(basePath, signal)
        // Within the turn, so that what came last is what is remembered.
        rememberUser(basePath, user, onError)
      })
      return user
    } catch (error) {
      if (signal.aborted) throw error
      if (isRealtimeError(error) && !error.retryable) {
        // It was reached, and doesn't know this browser's person.
        rememberUser(basePath, null, onError)
        throw error
      }
      if (failures === 1) onError(error, { stage: doing })
      onAway(recallUser(basePath, onError))
      await pause(backOffMs(pauses, failures, error), signal)
    }
  }
}

async function ask(basePath: string, signal: AbortSignal): Promise<User | null> {
  const request = async (within: AbortSignal) => {
    const response = await fetch(`${basePath}/session`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: "{}",
      credentials: "same-origin",
      cache: "no-store",
      signal: within,
    })
    const body = (await response.json().catch(() => null)) as { user?: unknown; error?: unknown } | null
    return { status: response.status, body }
  }
  const { status, body } = await requestWithin(answerTimeoutMs, doing, request, signal)
  if (status === 200 && body) return parseUser(body.user)
  if (body?.error) throw fromWireError(body.error)
  const message = `unable to ${doing}; it answered ${status} without a reason`
  throw new RealtimeError(status === 404 ? "invalid-request" : "provider-unavailable", { message })
}

/** Ends earlier when there is hope, and when the signal says so. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener("abort", end)
      for (const stop of stops) stop()
      resolve()
    }
    const timer = setTimeout(end, ms)
    const stops = [onReturn(end), onOtherUser(end)]
    signal.addEventListener("abort", end)
  })
}
