import { isRealtimeError, RealtimeError, type RealtimeErrorCode } from "../errors.ts"
import { readWithin } from "../read-within.ts"

/** A body may hold a batch of the largest messages, and no more. */
const maxBodyBytes = 4 * 1024 * 1024

const statusByCode: Record<RealtimeErrorCode, number> = {
  "channel-denied": 403,
  "channel-unknown": 404,
  conflict: 409,
  "event-unknown": 422,
  internal: 500,
  "invalid-config": 500,
  "invalid-payload": 422,
  "invalid-request": 400,
  "log-unavailable": 503,
  "message-too-large": 413,
  "not-connected": 503,
  "page-outdated": 409,
  "provider-unavailable": 503,
  "rate-limited": 429,
  "session-changed": 409,
  timeout: 504,
  unauthorized: 401,
  unsupported: 501,
}

/** The status that tells a browser of this failure; 500 for whatever isn't a `RealtimeError`. */
export const statusOf = (error: unknown): number => (isRealtimeError(error) ? statusByCode[error.code] : 500)

const badRequest = (message: string) => new RealtimeError("invalid-request", { message })

/**
 * Server: a request's body, an object. Only JSON is read: a form or a text of another site cannot be sent
 * with that type without a preflight, which keeps cross-site requests out even where a cookie would be sent.
 */
export async function readJsonBody(request: Request): Promise<Record<string, unknown>> {
  if (!request.headers.get("content-type")?.startsWith("application/json")) {
    throw badRequest("unable to read the request; it must be application/json")
  }
  const text = await readText(request)
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body === "object" && body !== null && !Array.isArray(body))
      return body as Record<string, unknown>
  } catch (cause) {
    throw new RealtimeError("invalid-request", {
      message: "unable to read the request; it is not valid JSON",
      cause,
    })
  }
  throw badRequest("unable to read the request; it is not an object")
}

/** Server: a request's body as it came. */
export const readText = (request: Request): Promise<string> => readWithin(request.body, maxBodyBytes)
