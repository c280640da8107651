/** What can go wrong, by code. Callers branch on the code; messages may be reworded at any time. */
export type RealtimeErrorCode = (typeof realtimeErrorCodes)[number]

/** Every code once; README.md says what each means. */
export const realtimeErrorCodes = [
  "channel-denied",
  "channel-unknown",
  "conflict",
  "event-unknown",
  "internal",
  "invalid-config",
  "invalid-payload",
  "invalid-request",
  "log-unavailable",
  "message-too-large",
  "not-connected",
  "provider-unavailable",
  "rate-limited",
  "session-changed",
  "timeout",
  "unauthorized",
  "unsupported",
] as const

/** The codes after which the same call may succeed by itself; the others need something to change first. */
const retryableCodes: ReadonlySet<RealtimeErrorCode> = new Set([
  // Nobody knows why it failed, so nobody knows that it would fail again.
  "internal",
  "log-unavailable",
  "not-connected",
  "provider-unavailable",
  "rate-limited",
  "timeout",
])

const marker = Symbol.for("throughline.realtime-error")

export interface RealtimeErrorOptions {
  /** One sentence: «unable to ‹operation›; ‹reason›». Never contains a secret. */
  message: string
  provider?: string | undefined
  /** Defaults to what the code implies. */
  retryable?: boolean | undefined
  /** With `rate-limited`: how long to wait before trying again. */
  retryAfterMs?: number | undefined
  cause?: unknown
}

/** The one error that leaves this package. Recognise it by `isRealtimeError`, not by `instanceof`. */
export class RealtimeError extends Error {
  readonly code: RealtimeErrorCode
  readonly provider: string | undefined
  readonly retryable: boolean
  readonly retryAfterMs: number | undefined

  constructor(code: RealtimeErrorCode, options: RealtimeErrorOptions) {
    const where = options.provider ? `realtime/${options.provider}` : "realtime"
    super(`[${where}] ${options.message}`, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = "RealtimeError"
    this.code = code
    this.provider = options.provider
    this.retryable = options.retryable ?? retryableCodes.has(code)
    this.retryAfterMs = options.retryAfterMs
    Object.defineProperty(this, marker, { value: true })
  }
}

/** True for a `RealtimeError` of any copy of this code (two bundles, a bundle and plain Node). */
export function isRealtimeError(value: unknown): value is RealtimeError {
  return typeof value === "object" && value !== null && marker in value
}

const denials: ReadonlySet<RealtimeErrorCode> = new Set(["channel-denied", "channel-unknown", "unauthorized"])

/**
 * True for the server's refusal of this user. Anything else, a log that is away or a proxy's
 * page, is an accident, and passes.
 */
export function isDenial(value: unknown): value is RealtimeError {
  return isRealtimeError(value) && denials.has(value.code) && !value.retryable
}

const ownFailures: ReadonlySet<RealtimeErrorCode> = new Set(["internal", "invalid-config", "log-unavailable"])

/**
 * True for what the server has to answer for: whoever asked did nothing wrong, and
 * whoever runs it has to hear of it.
 */
export function isOwnFailure(error: unknown): boolean {
  return !isRealtimeError(error) || ownFailures.has(error.code)
}

/** An error as it travels over a socket or HTTP: no stack, no cause. */
export interface WireError {
  code: RealtimeErrorCode
  message: string
  retryAfterMs?: number
  /** Where it isn't what the code implies. */
  retryable?: boolean
}

export function toWireError(error: unknown): WireError {
  if (!isRealtimeError(error))
    return { code: "internal", message: "[realtime] the server failed; its log says why" }
  return {
    code: error.code,
    message: error.message,
    ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
    ...(error.retryable !== retryableCodes.has(error.code) && { retryable: error.retryable }),
  }
}

/** Reads an error that a server sent; anything that isn't one becomes `internal`. */
export function fromWireError(value: unknown, provider?: string): RealtimeError {
  const wire = (typeof value === "object" && value !== null ? value : {}) as Partial<WireError>
  const known = realtimeErrorCodes.find((code) => code === wire.code)
  return new RealtimeError(known ?? "internal", {
    message: (typeof wire.message === "string" ? wire.message : "unreadable").replace(/^\[[^\]]*\]\s*/, ""),
    provider,
    retryAfterMs: typeof wire.retryAfterMs === "number" ? wire.retryAfterMs : undefined,
    // Of a code that this release doesn't know that much is known where it is said; otherwise it is
    // taken for any failure of the server.
    retryable: typeof wire.retryable === "boolean" ? wire.retryable : undefined,
  })
}

/** Where failures go that no caller waits for: a listener that threw, a retry that will be tried again. */
export type OnError = (error: unknown, context: ErrorContext) => void

export interface ErrorContext {
  /** What was being done. */
  stage: string
  /** The ids of the messages that were part of it. */
  messages?: readonly string[]
  /** The gateway's name for the connection that it happened on. */
  connection?: string
}

export const logError: OnError = (error, { stage }) => console.error(`[realtime] ${stage}:`, error)
