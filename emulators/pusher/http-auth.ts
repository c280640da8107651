import { HttpError, type HttpRequest } from "./http.ts"
import { hmacSha256Hex, isSameSignature, md5Hex, requestStringToSign } from "./signatures.ts"

export interface HttpAuthContext {
  app: { key: string; secret: string }
  /** The service's time of day, in milliseconds. */
  now: number
  /** How far off a timestamp may be. */
  skewSeconds: number
}

/** Whether a request is one of the app's own (pusher/README.md §10.1); throws the vendor's 401 if not. */
export function authenticateRequest(
  request: HttpRequest,
  query: ReadonlyMap<string, string>,
  { app, now, skewSeconds }: HttpAuthContext,
): void {
  const parameter = (name: string): string => {
    const value = query.get(name)
    if (!value) throw new HttpError(401, `Missing parameter: ${name}`)
    return value
  }

  if (parameter("auth_version") !== "1.0") throw new HttpError(401, "Version not supported")
  if (parameter("auth_key") !== app.key) throw new HttpError(401, "Unknown auth_key")

  const timestamp = Number(parameter("auth_timestamp"))
  // NaN compares as false, so this also refuses what isn't a number.
  if (!(Math.abs(now / 1000 - timestamp) < skewSeconds)) {
    const [given, server] = [isoSeconds(timestamp * 1000), isoSeconds(now)]
    const text = `Timestamp expired: Given timestamp (${given}) not within ${skewSeconds}s of server time (${server})`
    throw new HttpError(401, text)
  }

  const bodyMd5 = query.get("body_md5")
  if (request.body !== "" && bodyMd5 === undefined) throw new HttpError(401, "Missing parameter: body_md5")
  if (bodyMd5 !== undefined && bodyMd5 !== md5Hex(request.body))
    throw new HttpError(401, "Invalid body_md5: it is not the MD5 of the request body")

  const signature = parameter("auth_signature")
  const text = requestStringToSign(request.method, request.path, query)
  if (!isSameSignature(signature, hmacSha256Hex(app.secret, text))) {
    const [expected, given] = [JSON.stringify(text), JSON.stringify(signature)]
    throw new HttpError(
      401,
      `Invalid signature: you should have sent HmacSHA256Hex(${expected}, your_secret_key), but you sent ${given}`,
    )
  }
}

function isoSeconds(timeMs: number): string {
  const date = new Date(timeMs)
  return Number.isNaN(date.getTime()) ? "unreadable" : `${date.toISOString().slice(0, 19)}Z`
}
