/** What can go wrong, by code. Callers branch on the code; messages may be reworded at any time. */
export type RealtimeErrorCode = (typeof realtimeErrorCodes)[number]

/** Every code once, with what it means. The reference is made of these comments. */
export const realtimeErrorCodes = [
  /**
   * This user may not do this in this channel.
   *
   * **Who meets it:** A page whose `authorize` answered no: its channel is `denied`, or what it sent is
   * refused.
   *
   * **What to do:** Tell the person. Where they should be let in, `authorize` has to say so; the page
   * joins by itself soon after, on return to it or within 75 s.
   */
  "channel-denied",
  /**
   * No definition makes this name.
   *
   * **Who meets it:** A page whose channels aren't those of the server: loaded before a release, or made
   * from another file.
   *
   * **What to do:** Import one file of definitions at both ends, list each in `channels`, and let old
   * pages reload.
   */
  "channel-unknown",
  /**
   * Somebody else's message has this id, or somebody else holds the lock.
   *
   * **Who meets it:** Whoever publishes with an `id` of their own making; whoever writes under a lock that
   * isn't theirs any more, or waits for one in vain; a document with unsent edits when its log is replaced.
   *
   * **What to do:** Make ids by `createMessageId()`, one for each message, and use one again only to
   * repeat the same message. Claim the lock anew, and look at what its holder wrote. Copy what is worth it
   * out of the document, and `discardLocal()`.
   */
  "conflict",
  /**
   * The channel declares no such event.
   *
   * **Who meets it:** A page or server code whose definitions aren't those of the server that answers.
   *
   * **What to do:** As with `channel-unknown`. The compiler says it beforehand where both ends share the
   * definitions.
   */
  "event-unknown",
  /**
   * The server or the client failed. Nobody knows why, so nobody knows that it would fail again.
   *
   * **Who meets it:** Whoever asked, and whoever runs the server: its log has the cause, which never
   * travels.
   *
   * **What to do:** Read the server's log, or what `onError` was told. What is in the outbox is tried
   * again.
   */
  "internal",
  /**
   * A key, a secret or a setting is wrong, or a package isn't installed.
   *
   * **Who meets it:** Whoever starts the server, in one line that names the variables; a page, where a
   * provider refuses the app's key.
   *
   * **What to do:** Mend what the message names. `npx throughline doctor` finds most of it without
   * starting the app.
   */
  "invalid-config",
  /**
   * The payload doesn't fit the event's schema.
   *
   * **Who meets it:** Whoever sends it; the message says where it doesn't fit.
   *
   * **What to do:** Send what the schema takes. In a page the compiler says so, unless the value came
   * from outside.
   */
  "invalid-payload",
  /**
   * The request is malformed.
   *
   * **Who meets it:** A client that isn't this package's, or is of another release; something between
   * that changes requests; server code whose snapshot can't reach where it says.
   *
   * **What to do:** Compare the versions at both ends, and look at what the message names.
   */
  "invalid-request",
  /**
   * The log can't be reached or written, and nothing was kept.
   *
   * **Who meets it:** Whoever publishes or reads while the database is away, read-only, full or locked.
   *
   * **What to do:** Nothing in a page: the outbox sends later. On the server, bring the database back.
   */
  "log-unavailable",
  /**
   * The payload passes the application's limit.
   *
   * **Who meets it:** Whoever sends more than `maxPayloadBytes`, 32 KiB of JSON unless told, or writes a
   * snapshot of more than `maxSnapshotBytes`.
   *
   * **What to do:** Keep large things elsewhere and send where they are, or raise `maxPayloadBytes`.
   * What a provider can't carry is read from the log.
   */
  "message-too-large",
  /**
   * There is no connection, or it was closed meanwhile.
   *
   * **Who meets it:** A page that is offline, that signals before it is connected, or whose client is
   * closed.
   *
   * **What to do:** Nothing for messages of the outbox, which wait. A signal is gone: send the next.
   */
  "not-connected",
  /**
   * The server no longer understands this page: it was loaded before a release that changed what the two
   * say to each other.
   *
   * **Who meets it:** A page that outlived a deployment; its client ends.
   *
   * **What to do:** Ask the person to load the page again. What was written waits for that in the outbox,
   * where the client has an `owner`.
   */
  "page-outdated",
  /**
   * The provider can't be reached, or answers what isn't its answer.
   *
   * **Who meets it:** `onError` on the server; a page, as the reason why it is reconnecting.
   *
   * **What to do:** Nothing, as long as it passes: what was accepted is in the log. List a second
   * provider, and pages move to it.
   */
  "provider-unavailable",
  /**
   * Too much at once. `retryAfterMs` says when to come back, where that is known.
   *
   * **Who meets it:** Whoever passes what `limit` allows, what a provider takes of signals, or how many
   * it lets in.
   *
   * **What to do:** Wait. The outbox does; of signals that wait the newest goes out, and those it
   * replaces are refused with this.
   */
  "rate-limited",
  /**
   * The page belongs to somebody who isn't signed in any more.
   *
   * **Who meets it:** A page that was loaded before somebody signed out or in, on its next request.
   *
   * **What to do:** Reload it. What its owner hadn't sent is kept for them.
   */
  "session-changed",
  /**
   * There was no answer in time. Whether it took effect isn't known.
   *
   * **Who meets it:** Whoever waited for a server or a provider that is slow.
   *
   * **What to do:** Try again with the same `id`, which is recognised. The outbox does.
   */
  "timeout",
  /**
   * Nobody is signed in, or the credential is void.
   *
   * **Who meets it:** A page for whose request `identify` returned null; an app and a gateway whose
   * secrets differ.
   *
   * **What to do:** Sign in. Between servers, give both the same `SOCKET_INTERNAL_SECRET`.
   */
  "unauthorized",
  /**
   * The provider or the channel can't do this.
   *
   * **Who meets it:** Whoever uses presence where the channel declares none, or asks for what no listed
   * provider offers.
   *
   * **What to do:** Declare it in the channel, or choose a provider that can: the capabilities say
   * which.
   */
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
  /** Where it happened: `pusher`, for instance. Absent: with no provider. */
  provider?: string | undefined
  /** Defaults to what the code implies. */
  retryable?: boolean | undefined
  /** With `rate-limited`: how long to wait before trying again. */
  retryAfterMs?: number | undefined
  /** What was caught, a vendor's error for instance. */
  cause?: unknown
}

/** The one error that leaves this package. Recognise it by `isRealtimeError`, not by `instanceof`. */
export class RealtimeError extends Error {
  /** What went wrong. Branch on this, never on `message`. */
  readonly code: RealtimeErrorCode
  /** The provider that failed, as in `REALTIME_PROVIDER`; undefined when none did. */
  readonly provider: string | undefined
  /** Whether the same call may succeed when it is made again. */
  readonly retryable: boolean
  /** How long to wait before that, in milliseconds; undefined when it isn't known. */
  readonly retryAfterMs: number | undefined

  /** `options.message` says what could not be done, and why; the prefix `[realtime/…]` is put before it. */
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

/**
 * True for a `RealtimeError` of any copy of this code (two bundles, a bundle and plain Node).
 *
 * ```ts
 * try {
 *   await client.channel(room({ room: "42" })).publish("text-sent", { text: "hello" })
 * } catch (error) {
 *   if (isRealtimeError(error) && error.code === "rate-limited") console.log(error.retryAfterMs)
 * }
 * ```
 */
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

/** True for what may go well when it is tried again. */
export const isPassing = (error: unknown) => !isRealtimeError(error) || error.retryable

/**
 * True where the page's time is over, and the client with it: the session is somebody else's, or the
 * server no longer understands it. What was written waits for its writer's next page.
 */
export function isPageOver({ code }: RealtimeError): boolean {
  return code === "session-changed" || code === "page-outdated"
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

/**
 * Server: what may be told of an error to a browser. Whatever isn't a `RealtimeError` becomes `internal`,
 * and says nothing of itself.
 */
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

/** What was going on when a failure came that no caller waits for. */
export interface ErrorContext {
  /** What was being done. */
  stage: string
  /** The ids of the messages that were part of it. */
  messages?: readonly string[]
  /** The gateway's name for the connection that it happened on. */
  connection?: string
}

/** The `OnError` that is used where none is given: writes to `console.error`. */
export const logError: OnError = (error, { stage }) => console.error(`[realtime] ${stage}:`, error)
