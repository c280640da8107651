import { authenticateKey, authenticateToken, resolveClientId } from "./auth.ts"
import { CONTENT_TYPE, decodeBody, encodeBody, type Format } from "./codec.ts"
import { type AblyError, ablyError, toAblyError } from "./errors.ts"
import { faultError, REST_FAULTS } from "./faults.ts"
import type { AblyService, Credentials, RestRequest, RestResponse, Route, RouteContext } from "./model.ts"
import { batchRoutes } from "./rest-batch.ts"
import { channelRoutes } from "./rest-channels.ts"
import { keyRoutes } from "./rest-keys.ts"
import { statsRoutes } from "./rest-stats.ts"
import { BatchFailure } from "./route.ts"
import { sandboxRoutes } from "./sandbox.ts"

/** ably/README.md §2.2, but for the routes that the README lists as left out. */
const ROUTES: Route[] = [
  { method: "GET", path: "/time", handle: ({ service }) => ({ body: [service.clock.now()] }) },
  ...keyRoutes,
  ...channelRoutes,
  ...batchRoutes,
  ...statsRoutes,
  ...sandboxRoutes,
]

/** Answers a request; `undefined` ends the socket without an answer, which is a fault. */
export async function handleRest(
  service: AblyService,
  request: RestRequest,
): Promise<RestResponse | undefined> {
  const answer = request.method === "OPTIONS" ? preflight(request) : await answerOrFail(service, request)
  return answer && { ...answer, headers: { ...corsHeaders(request), ...answer.headers } }
}

async function answerOrFail(service: AblyService, request: RestRequest): Promise<RestResponse | undefined> {
  const format = acceptedFormat(request)
  const rule = service.faults.strike(REST_FAULTS, () => ({
    method: request.method,
    path: request.path,
    ...describeChannel(request),
    ...describeApp(service, request),
  }))
  switch (rule?.fault) {
    case "refuse":
      return errorResponse(faultError(rule, 50003), format)
    case "slow":
      await new Promise<void>((resolve) => service.clock.schedule(resolve, rule.delayMs ?? 1000))
      return respond(service, request, format)
    case "abort":
      if (rule.when === "after") respond(service, request, format)
      return undefined
    case "malformed": {
      const honest = rule.when === "after" ? respond(service, request, format) : undefined
      const headers = { "content-type": CONTENT_TYPE[format] }
      return {
        status: rule.statusCode ?? honest?.status ?? 200,
        headers,
        body: new TextEncoder().encode('{"messageId'),
      }
    }
    default:
      return respond(service, request, format)
  }
}

function preflight({ headers }: RestRequest): RestResponse {
  const allowed = headers["access-control-request-headers"] ?? "*"
  return {
    status: 204,
    headers: { "access-control-allow-headers": allowed },
    body: new Uint8Array(),
  }
}

function respond(service: AblyService, request: RestRequest, format: Format): RestResponse {
  try {
    const { route, params } = findRoute(request)
    const answer = route.handle(createContext(service, request, params))
    const headers: Record<string, string> = { "content-type": CONTENT_TYPE[format] }
    const links = Object.entries(answer.links ?? {}).map(([rel, target]) => `<${target}>; rel="${rel}"`)
    if (links.length > 0) headers.link = links.join(", ")
    if (answer.body === undefined) return { status: answer.status ?? 204, headers, body: new Uint8Array() }
    return { status: answer.status ?? 200, headers, body: encodeBody(answer.body, format) }
  } catch (error) {
    if (error instanceof BatchFailure) {
      return errorResponse(ablyError(40020), format, { batchResponse: error.batchResponse })
    }
    return errorResponse(toAblyError(error), format)
  }
}

/** §2: the error in the body, and in headers for whoever can't read that. */
export function errorResponse(error: AblyError, format: Format, details: object = {}): RestResponse {
  const { code, message, statusCode } = error
  return {
    status: statusCode,
    headers: {
      "content-type": CONTENT_TYPE[format],
      "x-ably-errorcode": String(code),
      "x-ably-errormessage": message.replace(/[^\x20-\x7e]/g, "?"),
    },
    body: encodeBody({ error: error.toErrorInfo(), ...details }, format),
  }
}

function createContext(
  service: AblyService,
  request: RestRequest,
  params: Record<string, string>,
): RouteContext {
  let known: Credentials | undefined
  const context: RouteContext = {
    service,
    request,
    params,
    query: request.query,
    version: Number(request.headers["x-ably-version"] ?? 2),
    readBody(app = context.app()) {
      if (request.body.byteLength > app.limits.maxRequestSize) throw ablyError(40009, undefined, 413)
      return decodeBody(request.body, formatOf(request.headers["content-type"]) ?? "json")
    },
    credentials() {
      known ??= authenticateRequest(service, request)
      return known
    },
    app: () => context.credentials().app,
    publisher() {
      const credentials = context.credentials()
      const clientId = resolveClientId(credentials, requestedClientId(request))
      return {
        app: credentials.app,
        credentials,
        frameId: service.random.string(12),
        clientId,
      }
    },
  }
  return context
}

/** §2: Basic with the key; Bearer with the token in base64 once more; or either in the query. */
export function authenticateRequest(service: AblyService, request: RestRequest): Credentials {
  const [scheme = "", value = ""] = (request.headers.authorization ?? "").split(" ", 2)
  const decoded = Buffer.from(value, "base64").toString("utf8")
  switch (scheme.toLowerCase()) {
    case "basic":
      return authenticateKey(service.apps, decoded)
    case "bearer":
      // A JWT sent as it is, by something other than the SDK, is taken too.
      return authenticateToken(service.apps, value.includes(".") ? value : decoded)
  }
  const key = request.query.get("key")
  const token = request.query.get("access_token")
  if (key) return authenticateKey(service.apps, key)
  if (token) return authenticateToken(service.apps, token)
  throw ablyError(40101, "no authentication information provided")
}

/** §2 RSA7e2. */
function requestedClientId(request: RestRequest): string | undefined {
  const header = request.headers["x-ably-clientid"]
  if (header) return Buffer.from(header, "base64").toString("utf8")
  return request.query.get("clientId") ?? undefined
}

function findRoute(request: RestRequest): { route: Route; params: Record<string, string> } {
  let isKnownPath = false
  for (const route of ROUTES) {
    const params = matchPath(route.path, request.path)
    if (!params) continue
    if (route.method === request.method) return { route, params }
    isKnownPath = true
  }
  throw isKnownPath ? ablyError(40500) : ablyError(40400, `could not find path: ${request.path}`)
}

function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split("/")
  const segments = path.split("/")
  if (wanted.length !== segments.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, segment] of wanted.entries()) {
    const given = segments[index] ?? ""
    if (segment.startsWith(":")) params[segment.slice(1)] = decodeSegment(given)
    else if (segment !== given) return undefined
  }
  return params
}

export function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw ablyError(40000, "the path is not valid percent-encoding")
  }
}

function acceptedFormat(request: RestRequest): Format {
  const asked = request.query.get("format")
  if (asked === "json" || asked === "msgpack") return asked
  return formatOf(request.headers.accept) ?? "json"
}

function formatOf(header: string | undefined): Format | undefined {
  if (header?.includes("msgpack")) return "msgpack"
  return header?.includes("json") ? "json" : undefined
}

function describeChannel({ path }: RestRequest): { channel?: string } {
  const segment = /^\/channels\/([^/]+)/.exec(path)?.[1]
  try {
    return segment === undefined ? {} : { channel: decodeSegment(segment) }
  } catch {
    return {}
  }
}

function describeApp(service: AblyService, request: RestRequest): { appId?: string } {
  try {
    return { appId: authenticateRequest(service, request).app.id }
  } catch {
    return {}
  }
}

/**
 * Browsers call from other origins and read these headers. The SDK asks with credentials wherever it sends authorization,
 * and then a browser takes no `*`.
 */
export function corsHeaders({ headers }: RestRequest): Record<string, string> {
  return {
    "access-control-allow-origin": headers.origin ?? "*",
    ...(headers.origin && { "access-control-allow-credentials": "true", vary: "origin" }),
    "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
    "access-control-expose-headers": "link, x-ably-errorcode, x-ably-errormessage",
    "access-control-max-age": "600",
  }
}
