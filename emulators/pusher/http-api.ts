import type { AppHandle } from "./app.ts"
import type { Clock } from "./clock.ts"
import type { Faults, HttpRoute } from "./faults.ts"
import {
  decode,
  HttpError,
  type HttpOutcome,
  type HttpRequest,
  type HttpResponse,
  jsonResponse,
  parseQuery,
  textResponse,
} from "./http.ts"
import { authenticateRequest } from "./http-auth.ts"
import { getChannel, getChannelStats, getChannels, getUsers } from "./http-channels.ts"
import { postBatchEvents, postChannelEvent, postEvents } from "./http-events.ts"
import { asString, isObject, type JsonObject, parseObject } from "./json.ts"

/** The HTTP API of the service (pusher/README.md §10). */
export interface HttpApi {
  handle(request: HttpRequest): Promise<HttpOutcome>
}

export interface HttpApiOptions {
  apps: { byId(id: string): AppHandle | undefined }
  clock: Clock
  faults: Faults
}

interface Route {
  name: HttpRoute
  method: string
  pattern: RegExp
  respond(call: Call): JsonObject | HttpResponse
}

interface Call {
  app: AppHandle
  /** The part of the path that names a channel or a user. */
  name: string
  query: ReadonlyMap<string, string>
  /** Of the body, or else of the query. */
  parameters(): JsonObject
  body: string
}

const routes: readonly Route[] = [
  {
    name: "events",
    method: "POST",
    pattern: /^\/events$/,
    respond: ({ app, parameters }) => postEvents(app, parameters()),
  },
  {
    name: "batch_events",
    method: "POST",
    pattern: /^\/batch_events$/,
    respond: ({ app, parameters }) => postBatchEvents(app, parameters()),
  },
  {
    name: "channels",
    method: "GET",
    pattern: /^\/channels$/,
    respond: ({ app, query }) => getChannels(app, query),
  },
  {
    name: "channel",
    method: "GET",
    pattern: /^\/channels\/([^/]+)$/,
    respond: ({ app, name, query }) => getChannel(app, name, query),
  },
  {
    name: "users",
    method: "GET",
    pattern: /^\/channels\/([^/]+)\/users$/,
    respond: ({ app, name }) => getUsers(app, name),
  },
  {
    name: "terminate_connections",
    method: "POST",
    pattern: /^\/users\/([^/]+)\/terminate_connections$/,
    respond({ app, name }) {
      app.users.terminate(name)
      return {}
    },
  },
  // Deprecated since 2012, and still served.
  {
    name: "channel_events",
    method: "POST",
    pattern: /^\/channels\/([^/]+)\/events$/,
    respond({ app, name, query, body }) {
      postChannelEvent(app, name, query, body)
      return textResponse(202, "202 ACCEPTED")
    },
  },
  {
    name: "stats",
    method: "GET",
    pattern: /^\/channels\/([^/]+)\/stats$/,
    respond: ({ app, name }) => getChannelStats(app, name),
  },
]

export function createHttpApi({ apps, clock, faults }: HttpApiOptions): HttpApi {
  return {
    async handle(request) {
      const [, appId, rest] = /^\/apps\/([^/]+)(\/.*)$/.exec(request.path) ?? []
      if (appId === undefined || rest === undefined) return textResponse(404, "Not found")
      const app = apps.byId(decode(appId))
      const { cluster } = app?.settings ?? {}
      const isElsewhere = request.cluster && cluster && request.cluster !== cluster
      if (!app || isElsewhere) return textResponse(404, `Unknown app: ${appId}`)

      const match = findRoute(request.method, rest)
      if (!match) return textResponse(404, "Not found")

      const route = match.route.name
      const target = { app, route, ...subjectOf(request, match.name) }
      for (const { delayMs } of faults.strike(["http-slow"], target))
        await new Promise<void>((resolve) => clock.schedule(resolve, delayMs))
      if (faults.strike(["http-hang"], target).length > 0) return "hang"
      const [cut] = faults.strike(["http-cut"], target)
      if (cut?.at === "request") return "cut"
      const [refuse] = faults.strike(["http-refuse"], target)
      if (refuse) return textResponse(refuse.status, refuse.body ?? "Refused by a fault of the emulator")

      const response = respond(app, request, match)
      if (cut) return "cut"
      const [malformed] = response.status < 400 ? faults.strike(["http-malformed"], target) : []
      return malformed ? { ...response, body: malformed.body ?? "<html>not JSON" } : response
    },
  }
}

function findRoute(method: string, path: string): { route: Route; name: string } | undefined {
  for (const route of routes) {
    const found = route.method === method ? route.pattern.exec(path) : null
    if (found) return { route, name: decode(found[1] ?? "") }
  }
  return undefined
}

function respond(
  app: AppHandle,
  request: HttpRequest,
  { route, name }: { route: Route; name: string },
): HttpResponse {
  try {
    const query = parseQuery(request.query)
    const { timestampSkewSeconds: skewSeconds } = app.settings.limits
    authenticateRequest(request, query, { app, now: app.now(), skewSeconds })
    if (!app.settings.enabled) throw new HttpError(403, "Application disabled")
    if (request.method === "POST" && app.isOverMessageQuota())
      throw new HttpError(403, "Application is over message quota")
    const parameters = () => parametersOf(request, query)
    const answer = route.respond({ app, name, query, parameters, body: request.body })
    return isResponse(answer) ? answer : jsonResponse(answer)
  } catch (error) {
    if (error instanceof HttpError) return textResponse(error.status, error.message)
    throw error
  }
}

function isResponse(answer: JsonObject | HttpResponse): answer is HttpResponse {
  return "status" in answer
}

/** A POST's parameters are in its body, or else in the query, where an array is `channels[]=a&channels[]=b`. */
function parametersOf(request: HttpRequest, query: ReadonlyMap<string, string>): JsonObject {
  if (request.body !== "") {
    const parameters = parseObject(request.body)
    if (!parameters) throw new HttpError(400, "Invalid JSON in the request body")
    return parameters
  }
  const channels = request.query
    .split("&")
    .map((pair) => decode(pair))
    .filter((pair) => pair.startsWith("channels[]="))
    .map((pair) => pair.slice("channels[]=".length))
  return { ...Object.fromEntries(query), ...(channels.length > 0 ? { channels } : {}) }
}

/** The channels and the event of a request, so that a fault can be limited to them; before anything is checked. */
function subjectOf(request: HttpRequest, name: string): { channels?: string[]; event?: string } {
  if (request.path.includes("/channels/"))
    return { channels: [name], event: parseQuery(request.query).get("name") }
  const body = parseObject(request.body)
  const events = Array.isArray(body?.batch) ? body.batch.filter(isObject) : body ? [body] : []
  const channels = events.flatMap((event) =>
    Array.isArray(event.channels) ? event.channels : [event.channel],
  )
  return {
    channels: channels.filter((channel) => typeof channel === "string"),
    event: asString(events[0]?.name),
  }
}
