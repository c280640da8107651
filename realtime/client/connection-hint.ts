import type { Connection } from "./types.ts"

/** Where it is usually wrong, by provider. It isn't known to be: a first start compiles for longer. */
const advice: Readonly<Record<string, string>> = {
  socketio:
    "If no gateway answers: `next dev` alone has none; start the server that attaches it (attachGateway), with SOCKET_URL where it is on another origin, or name another provider in REALTIME_PROVIDER.",
  pusher:
    "Compare PUSHER_KEY and PUSHER_CLUSTER with the app's, or PUSHER_HOST, PUSHER_PORT and PUSHER_TLS with where the server of its protocol runs.",
  ably: "Compare ABLY_API_KEY with the app's, and ABLY_ENDPOINT, ABLY_PORT and ABLY_TLS with where an emulator runs.",
}

const patienceMs = 3_000

/** Browser, in development: says once in the console why a page that was opened has no connection, and what to do about it. */
export function createConnectionHint(connection: Connection) {
  let timer: ReturnType<typeof setTimeout> | undefined
  let isSaid = false

  function look(): void {
    const { status, provider } = connection
    const isOffline = typeof navigator !== "undefined" && navigator.onLine === false
    if (status.state === "connected" || status.error?.code === "session-changed" || isOffline) return
    isSaid = true
    const reason = status.error ? ` (${status.error.message})` : ""
    console.warn(
      `[realtime] still ${status.state} over ${provider} after ${patienceMs / 1000} s${reason}. ${advice[provider] ?? ""}`.trim(),
    )
  }

  return {
    start(): void {
      clearTimeout(timer)
      if (!isSaid) timer = setTimeout(look, patienceMs)
    },
    stop: () => clearTimeout(timer),
  }
}
