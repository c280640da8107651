/** The error object of frames and REST bodies. `statusCode` decides as much as `code`: renewal needs 401, retries look at ≥ 500. */
export interface ErrorInfo {
  message: string
  code: number
  statusCode: number
  href?: string
}

/** ably/README.md §9, with the sentences of ably/ably-common. The status is the code's first three digits where there is one. */
const ERRORS: Record<number, { message: string; statusCode?: number }> = {
  40000: { message: "bad request" },
  40001: { message: "invalid request body" },
  40003: { message: "invalid parameter value" },
  40005: { message: "invalid credential" },
  40006: { message: "invalid connection id" },
  40009: { message: "maximum message length exceeded" },
  40010: { message: "invalid channel name" },
  40012: { message: "invalid client id" },
  40013: { message: "invalid message data or encoding" },
  40016: { message: "invalid message name" },
  40017: { message: "unsupported protocol version" },
  40020: { message: "batch error" },
  40031: { message: "invalid publish request (invalid client-specified id)" },
  40099: { message: "forced by the request" },
  40032: { message: "invalid publish request (impermissible extras field)" },
  40100: { message: "unauthorized" },
  40101: { message: "invalid credentials" },
  40102: { message: "incompatible credentials" },
  40104: { message: "timestamp not current" },
  40105: { message: "nonce value replayed" },
  40111: { message: "account restricted (connection limits exceeded)" },
  40112: { message: "account blocked (message limits exceeded)" },
  40114: { message: "account restricted (channel limits exceeded)" },
  40120: { message: "application disabled" },
  40140: { message: "token error (unspecified)" },
  40141: { message: "token revoked" },
  40142: { message: "token expired" },
  40143: { message: "token unrecognised" },
  40144: { message: "invalid JWT format" },
  40145: { message: "invalid token format" },
  40160: { message: "operation not permitted with provided capability" },
  40161: { message: "operation not permitted as it requires an identified client" },
  40162: { message: "token revocation requires basic authentication" },
  40163: { message: "token revocation is not enabled for this API key" },
  40165: { message: "operation not permitted as its channel mode was not requested when attaching" },
  40300: { message: "forbidden" },
  40400: { message: "not found" },
  40500: { message: "method not allowed" },
  42910: { message: "rate limit exceeded (nonfatal): request rejected (unspecified)" },
  42911: {
    message: "max per-connection publish rate limit exceeded (nonfatal): unable to publish message",
  },
  42913: { message: "rate limit exceeded; request rejected (nonfatal); metric = channel.maxRate" },
  42920: { message: "rate limit exceeded (fatal)" },
  50000: { message: "internal error" },
  50003: { message: "timeout error" },
  50004: { message: "request failed due to overloaded instance", statusCode: 503 },
  80003: { message: "disconnected", statusCode: 400 },
  80008: { message: "unable to recover connection (connection expired)", statusCode: 400 },
  80011: { message: "unable to recover connection (incompatible auth params)", statusCode: 400 },
  80013: { message: "protocol error", statusCode: 400 },
  80016: { message: "operation on superseded connection", statusCode: 400 },
  80017: { message: "connection closed", statusCode: 400 },
  80018: { message: "invalid connection id (invalid format)", statusCode: 400 },
  90001: { message: "channel operation failed (invalid channel state)", statusCode: 400 },
  90003: { message: "unable to recover channel (messages expired)", statusCode: 404 },
  90004: { message: "unable to recover channel (message limit exceeded)", statusCode: 404 },
  90005: { message: "unable to recover channel (no matching epoch)", statusCode: 404 },
  90010: { message: "maximum number of channels per connection exceeded", statusCode: 400 },
  91000: { message: "unable to enter presence channel (no clientId)", statusCode: 400 },
  91001: { message: "unable to enter presence channel (invalid channel state)", statusCode: 400 },
  91003: {
    message: "unable to enter presence channel (maximum member limit exceeded)",
    statusCode: 400,
  },
  92000: { message: "invalid LiveObjects message", statusCode: 400 },
  93002: {
    message: "message annotations, updates, appends and deletes are not enabled on this channel",
    statusCode: 400,
  },
}

export class AblyError extends Error {
  readonly code: number
  readonly statusCode: number

  constructor(code: number, message: string, statusCode: number) {
    super(message)
    this.code = code
    this.statusCode = statusCode
  }

  toErrorInfo(): ErrorInfo {
    const { message, code, statusCode } = this
    return { message, code, statusCode, href: `https://help.ably.io/error/${code}` }
  }
}

/** The vendor's error for a code; `message` replaces the general sentence when there is more to say. */
export function ablyError(code: number, message?: string, statusCode?: number): AblyError {
  const known = ERRORS[code]
  const ownStatus = code >= 40000 && code < 60000 ? Math.floor(code / 100) : 400
  return new AblyError(
    code,
    message ?? known?.message ?? "error",
    statusCode ?? known?.statusCode ?? ownStatus,
  )
}

/** Anything thrown, as the vendor would answer it: what isn't an AblyError is an internal error. */
export function toAblyError(thrown: unknown): AblyError {
  if (thrown instanceof AblyError) return thrown
  return ablyError(50000, thrown instanceof Error ? `internal error: ${thrown.message}` : undefined)
}

/** §4.4: the client gets itself a new token on these, and on these only. */
export function isTokenError({ code, statusCode }: AblyError): boolean {
  return statusCode === 401 && code >= 40140 && code < 40150
}
