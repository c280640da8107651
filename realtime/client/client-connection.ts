import type { OnError, RealtimeError } from "../errors.ts"
import { createListeners } from "../listeners.ts"
import type { RealtimeTransport, TransportStatus } from "../transport.ts"
import { createRateLimit } from "./rate-limit.ts"
import type { SignalPace } from "./signal-outlet.ts"
import type { Connection } from "./types.ts"

/** A client's connection, over one transport after the other. */
export interface ClientConnection {
  /** As the application sees it. */
  readonly connection: Connection
  /** The one in use. */
  readonly transport: RealtimeTransport
  /** Of the provider in use: each has its own. */
  signalPace(): SignalPace
  /** Takes another transport, in place of one that was closed. */
  renew(): void
  /** From now on it is `failed`, whatever its transport says. */
  fail(error: RealtimeError): void
  tell(): void
}

export interface ClientConnectionOptions {
  createTransport(): RealtimeTransport
  isOpen(): boolean
  /** While the client is open: the state is another one, and who listens to the connection has heard it. */
  onState(isConnected: boolean): void
  onError: OnError
}

export function createClientConnection(options: ClientConnectionOptions): ClientConnection {
  const { isOpen, onError } = options
  const listeners = createListeners(onError, "onStatus")
  let failed: TransportStatus | undefined
  let pace: ({ provider: string } & SignalPace) | undefined
  let transport = create()

  function create(): RealtimeTransport {
    const created = options.createTransport()
    created.onStatus(({ state }) => {
      if (created !== transport) return
      listeners.tell()
      if (isOpen()) options.onState(state === "connected")
    })
    return created
  }

  return {
    connection: {
      get status() {
        return failed ?? transport.status
      },
      get provider() {
        return transport.provider
      },
      subscribe: listeners.add,
      retry: () => isOpen() && transport.connect(),
    },
    get transport() {
      return transport
    },
    signalPace() {
      const { provider, capabilities } = transport
      if (pace?.provider !== provider) {
        const limit = createRateLimit(capabilities.maxSignalsPerSecond)
        pace = { provider, limit, latestPerSecond: capabilities.latestSignalsPerSecond }
      }
      return pace
    },
    renew() {
      transport = create()
      listeners.tell()
    },
    fail(error) {
      failed = { state: "failed", error }
    },
    tell: listeners.tell,
  }
}
