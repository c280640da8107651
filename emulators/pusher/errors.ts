/**
 * The codes of pusher/README.md §8 with the vendor's meaning of each. 40xx: do not reconnect unchanged. 41xx: back off
 * for a second or more. 42xx: reconnect at once. 43xx: the connection stays.
 */
export const errorMessages = {
  4000: "Application only accepts SSL connections, reconnect using wss://",
  4001: "Application does not exist",
  4003: "Application disabled",
  4004: "Application is over connection quota",
  4005: "Path not found",
  4006: "Invalid version string format",
  4007: "Unsupported protocol version",
  4008: "No protocol version supplied",
  4009: "Connection is unauthorized",
  4100: "Over capacity",
  4200: "Generic reconnect immediately",
  4201: "Pong reply not received",
  4202: "Closed after inactivity",
  4301: "Client event rejected due to rate limit",
  4302: "Watchlist limit exceeded",
} as const

/** The codes that a connection can be closed with or told of. */
export type ErrorCode = keyof typeof errorMessages

/** The vendor's text for a code, or a neutral one for a code it has not defined. */
export function errorMessage(code: number): string {
  return code in errorMessages ? errorMessages[code as ErrorCode] : `Closed with code ${code}`
}

/** A close frame has room for 123 bytes of reason (RFC 6455, 5.5). */
export function closeReason(text: string): string {
  const bytes = new TextEncoder().encode(text)
  // A character that is cut in two is left out.
  return bytes.length <= 123 ? text : new TextDecoder().decode(bytes.slice(0, 123)).replace(/\uFFFD$/, "")
}

/** Whether a close frame may carry the code (RFC 6455, 7.4). */
export function isCloseCode(code: number): boolean {
  const isReserved = code >= 1004 && code <= 1006
  return (code >= 1000 && code <= 1014 && !isReserved) || (code >= 3000 && code <= 4999)
}

/**
 * A refused subscription (§3.3), before it is worded for the wire. Who may not join is told 401; a name outside of the
 * rules 400, as over HTTP; a limit that is reached 4100, as soketi says it (§4).
 */
export interface SubscriptionError {
  type: "AuthError" | "LimitReached" | "InvalidChannel"
  error: string
  status: number
}
