import { isPageOver } from "../errors.ts"
import { isOffline } from "./is-offline.ts"
import type { Connection } from "./types.ts"

/** Where it is usually wrong, by provider. */
const advice: Readonly<Record<string, string>> = {
  socketio:
    "If no gateway answers: `next dev` alone has none; start the server that attaches it (attachGateway), with SOCKET_URL where it is on another origin, or name another provider in REALTIME_PROVIDER.",
  pusher:
    "Compare PUSHER_KEY and PUSHER_CLUSTER with the app's, or PUSHER_HOST, PUSHER_PORT and PUSHER_TLS with where the server of its protocol runs.",
  ably: "Compare ABLY_API_KEY with the app's, and ABLY_ENDPOINT, ABLY_PORT and ABLY_TLS with where an emulator runs.",
}

const patienceMs = 3_000
/**
 * A development server compiles the route when it is first asked for; past this it isn't compiling any more.
 */
const compilingMs = 30_000

/**
 * Browser, in development: says once in the console why a page that was opened has no
 * connection, and what to do about it.
 */
export function createConnectionHint(connectionOf: () => Connection, fetch: typeof globalThis.fetch) {
  let timer: ReturnType<typeof setTimeout> | undefined
  let openedAt = 0
  let isSaid = false
  let hasAnswered = false
  let asking = 0

  function wait(ms: number, then: () => void): void {
    clearTimeout(timer)
    timer = setTimeout(then, ms)
  }

  function look(): void {
    // The connection waits for the route's answer.
    if (asking > 0 && !hasAnswered) wait(compilingMs, say)
    else say()
  }

  function say(): void {
    timer = undefined
    const { status, provider } = connectionOf()
    if (status.state === "connected" || (status.error && isPageOver(status.error)) || isOffline()) return
    isSaid = true
    const reason = status.error ? ` (${status.error.message})` : ""
    const seconds = Math.round((performance.now() - openedAt) / 1000)
    console.warn(
      `[realtime] still ${status.state} over ${provider} after ${seconds} s${reason}. ${advice[provider] ?? ""}`.trim(),
    )
  }

  function answered(): void {
    if (hasAnswered) return
    hasAnswered = true
    if (timer !== undefined) wait(patienceMs, look)
  }

  return {
    /** Asks the app's route, and so knows whether it answers yet. */
    fetch: async (...request: Parameters<typeof globalThis.fetch>): Promise<Response> => {
      asking++
      try {
        const response = await fetch(...request)
        answered()
        return response
      } finally {
        asking--
      }
    },
    start(): void {
      if (isSaid) return
      openedAt = performance.now()
      wait(patienceMs, look)
    },
    stop(): void {
      clearTimeout(timer)
      timer = undefined
    },
  }
}
