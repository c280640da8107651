import Pusher, { type Options } from "pusher-js"
import { randomBetween } from "../../back-off.ts"
import type { RealtimeError } from "../../errors.ts"
import type { ProviderConfig } from "../../publisher.ts"
import type { StatusHolder } from "../../transport-status.ts"
import { fromConnectionError, fromPusherState } from "./mapping.ts"

export interface ConnectionOptions {
  config: ProviderConfig
  /** How pusher-js gets its signatures. */
  signing: Pick<Options, "channelAuthorization" | "userAuthentication">
  status: StatusHolder
  /** The longest pause before it is started over where the server ended it. */
  retryMs: number
  unavailableTimeoutMs: number
  silenceMs: number
  answerMs: number
  onOpened(client: Pusher): void
  /** Before the status tells. */
  onInterrupted(): void
}

/** Browser: one connection of pusher-js, which is started over where pusher-js would give up or wait long. */
export function createConnection(options: ConnectionOptions) {
  const { config, signing, status, retryMs, unavailableTimeoutMs, silenceMs, answerMs } = options
  let client: Pusher | null = null
  let lastError: RealtimeError | undefined
  let wasConnected = false
  let isStartingOver = false
  /** The service has confirmed whose connection this is. */
  let isSignedIn = false
  let startsOverLater: ReturnType<typeof setTimeout> | undefined

  function open(): Pusher {
    const opened = new Pusher(
      config.key as string,
      {
        ...addressOf(config),
        unavailableTimeout: unavailableTimeoutMs,
        activityTimeout: silenceMs,
        pongTimeout: answerMs,
        ...signing,
      } as Options,
    )
    const { connection } = opened
    connection.bind("state_change", () => follow(connection.state))
    connection.bind("error", (error: unknown) => {
      lastError = fromConnectionError(error)
    })
    opened.bind("pusher:signin_success", () => {
      isSignedIn = true
    })
    opened.signin()
    return opened
  }

  /** Ends the pause that pusher-js makes between two attempts; the states on the way are told to nobody. */
  function startOver(): void {
    isStartingOver = true
    client?.disconnect()
    client?.connect()
    isStartingOver = false
  }

  function follow(current: string): void {
    // What pusher-js says of an end that was asked for is no news.
    if (isStartingOver || status.current.state === "closed") return
    // The server ended the connections of this user: it took back a permission, perhaps not all of them.
    const isTerminated = current === "disconnected" && isSignedIn && lastError?.code === "unauthorized"
    isSignedIn = false
    const state = isTerminated ? "reconnecting" : fromPusherState(current, wasConnected)
    clearTimeout(startsOverLater)
    if (isTerminated) startsOverLater = setTimeout(startOver, randomBetween(0, retryMs))
    if (state === "suspended") {
      // After attempts that were refused at once pusher-js pauses for 15, 30 and then 60 s, and so
      // would all who lost a server that restarts. The jitter keeps them from coming back as one, and
      // leaves a slow network its time.
      startsOverLater = setTimeout(startOver, randomBetween(0, 2 * unavailableTimeoutMs))
    }
    if (state === "connected") {
      wasConnected = true
      lastError = undefined
      status.set({ state })
      return
    }
    options.onInterrupted()
    if (state !== status.current.state) status.set({ state, error: lastError })
  }

  return {
    /** Opens it, or cuts a pause between two attempts short. */
    connect(): void {
      const { state } = status.current
      if (state === "closed" || state === "connected") return
      if (!client) {
        client = open()
        options.onOpened(client)
      } else if (state !== "connecting") {
        startOver()
        follow(client.connection.state)
      }
    },
    close(): void {
      clearTimeout(startsOverLater)
      client?.disconnect()
    },
  }
}

/** It is well-formed by now; for what is undefined pusher-js has its own. */
function addressOf({ cluster, host, port, tls }: ProviderConfig) {
  return {
    cluster: cluster ?? "",
    forceTLS: tls !== false,
    // Without TLS a failed attempt must not be followed by one that speaks TLS to the plain port.
    enabledTransports: tls === false ? ["ws"] : ["ws", "wss"],
    wsHost: host,
    wsPort: port,
    wssPort: port,
  }
}
