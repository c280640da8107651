import type { ClientOptions, ConnectionStateChange, ErrorInfo } from "ably"
import { BaseRealtime, FetchRequest, RealtimePresence, WebSocketTransport } from "ably/modular"
import type { RealtimeError } from "../../errors.ts"
import type { ProviderConfig } from "../../publisher.ts"
import type { StatusHolder } from "../../transport-status.ts"
import { fromAblyError, fromAblyState } from "./mapping.ts"
import type { Tokens } from "./tokens.ts"

export interface ConnectionOptions {
  config: ProviderConfig
  tokens: Tokens
  status: StatusHolder
  /** The pause between attempts; undefined: the SDK's own. */
  retryMs: number | undefined
  onConnected(client: BaseRealtime): void
  /** Before the status tells. */
  onInterrupted(): void
}

/** https://ably.com/docs/platform/errors/codes: the token was taken back. */
const tokenRevoked = 40141

/** Browser: one connection of the SDK's modular build, made with what is used of it alone. */
export function createConnection(options: ConnectionOptions) {
  const { config, tokens, status, retryMs } = options
  let client: BaseRealtime | null = null
  let authError: RealtimeError | undefined
  let wasConnected = false

  function open(): BaseRealtime {
    const { endpoint, port, tls = true } = config
    const opened = new BaseRealtime({
      plugins: { FetchRequest, RealtimePresence, WebSocketTransport },
      autoConnect: false,
      // A signal's sender shows it already; messages are published by the server.
      echoMessages: false,
      // What can't be sent now is refused now: the client above decides whether to try again.
      queueMessages: false,
      transports: ["web_socket"],
      logLevel: 1,
      disconnectedRetryTimeout: retryMs,
      suspendedRetryTimeout: retryMs,
      // The address is well-formed by now; for what is undefined the SDK has its own.
      endpoint,
      disableConnectivityCheck: endpoint !== undefined,
      tls,
      [tls ? "tlsPort" : "port"]: port,
      authCallback(_, callback) {
        tokens.next(opened.connection.errorReason?.code === tokenRevoked).then(
          (token) => callback(null, token),
          (error: unknown) => callback(toAuthError(error), null),
        )
      },
    } as ClientOptions & ConstructorParameters<typeof BaseRealtime>[0])
    opened.connection.on(follow)
    return opened
  }

  /** To the SDK, 403 is an end and anything else passes. */
  function toAuthError(value: unknown): ErrorInfo {
    authError = fromAblyError(value, "get a token")
    const isFinal = !authError.retryable
    const { name, message } = authError
    return { name, message, code: isFinal ? 40300 : 50000, statusCode: isFinal ? 403 : 500 } as ErrorInfo
  }

  function follow({ current, reason }: ConnectionStateChange): void {
    const state = fromAblyState(current, wasConnected)
    if (state === "closed") return
    if (state === "connected") {
      wasConnected = true
      tokens.taken()
      authError = undefined
      if (status.current.state !== "connected") status.set({ state })
      options.onConnected(client as BaseRealtime)
      return
    }
    options.onInterrupted()
    const error = authError ?? (reason ? fromAblyError(reason, "connect") : undefined)
    const isNews = error !== undefined && error.message !== status.current.error?.message
    if (state !== status.current.state || isNews) status.set({ state, error })
  }

  return {
    isConnected: () => client?.connection.state === "connected",
    /** Opens it, or cuts a pause between two attempts short. */
    connect(): void {
      if (status.current.state === "closed") return
      client ??= open()
      const { state } = client.connection
      if (state !== "connected" && state !== "connecting") client.connect()
    },
    close: () => client?.close(),
  }
}
