/** A request as the core sees it: what was on the wire, undecoded, because that is what was signed. */
export interface HttpRequest {
  /** As in `POST`. */
  method: string
  /** As sent, without the query. */
  path: string
  /** As sent, without the question mark. */
  query: string
  /** By their names in lower case. */
  headers: Readonly<Record<string, string | undefined>>
  /** As it was sent, undecoded. */
  body: string
  /** Whose host name was asked; absent where the mount has none. */
  cluster?: string | undefined
}

/** What the HTTP API answers. */
export interface HttpResponse {
  /** As in 200. */
  status: number
  /** By their names in lower case. */
  headers: Record<string, string>
  /** The text to send. */
  body: string
}

/** The answer to a request, or none: the socket is cut, or stays open in silence. */
export type HttpOutcome = HttpResponse | "cut" | "hang"

export function jsonResponse(body: unknown, status = 200): HttpResponse {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(body) }
}

/** The vendor's errors are one line of text; libraries act on the status alone (pusher/README.md §12.8). */
export function textResponse(status: number, text: string): HttpResponse {
  return { status, headers: { "content-type": "text/plain" }, body: `${text}\n` }
}

/** Thrown by a handler to answer with a vendor's error. */
export class HttpError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = "HttpError"
    this.status = status
  }
}

/** Parameters by name, unescaped. A plus stays a plus: the libraries don't escape what they sign (§10.1). */
export function parseQuery(query: string): Map<string, string> {
  const parameters = new Map<string, string>()
  for (const pair of query.split("&")) {
    if (pair === "") continue
    const separator = pair.indexOf("=")
    const [name, value] = separator < 0 ? [pair, ""] : [pair.slice(0, separator), pair.slice(separator + 1)]
    parameters.set(decode(name), decode(value))
  }
  return parameters
}

export function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
