import type { App } from "./app.ts"
import type { FaultControl } from "./fault-control.ts"
import { parseFault, parseScope } from "./fault-json.ts"
import type { ActiveFault, FaultScope } from "./faults.ts"
import { type HttpRequest, type HttpResponse, jsonResponse, textResponse } from "./http.ts"
import { type JsonObject, parseObject } from "./json.ts"

/**
 * The emulator's own endpoints, for tests in another process:
 *
 * - `POST /__emulator/faults` with a fault as JSON; `GET` lists those in force; `DELETE`, with `/{id}` or all
 * - `POST /__emulator/drop-connections` with a scope as JSON
 * - `GET /__emulator/state`: connections, channels and webhooks of each app
 */
export interface ControlApi {
  /** Undefined for a path that isn't the emulator's own. */
  handle(request: HttpRequest): Promise<HttpResponse | undefined>
}

/** The part of an emulator that these endpoints need. */
export interface Controlled {
  readonly apps: readonly App[]
  readonly faults: FaultControl
  dropConnections(scope?: FaultScope): number
}

export function createControlApi(emulator: Controlled): ControlApi {
  function postFault(body: JsonObject): HttpResponse {
    const fault = parseFault(body)
    if ("problem" in fault) return textResponse(400, fault.problem)
    return jsonResponse(describe(emulator.faults.inject(fault)), 201)
  }

  function postDropConnections(body: JsonObject): HttpResponse {
    const scope = parseScope(body)
    if ("problem" in scope) return textResponse(400, scope.problem)
    return jsonResponse({ dropped: emulator.dropConnections(scope) })
  }

  return {
    async handle(request) {
      const [, action, id] = /^\/__emulator\/([^/]+)(?:\/([^/]+))?$/.exec(request.path) ?? []
      if (action === undefined)
        return request.path.startsWith("/__emulator") ? textResponse(404, "Not found") : undefined

      switch (`${request.method} ${action}`) {
        case "GET faults":
          return jsonResponse(emulator.faults.list().map(describe))
        case "GET state":
          return jsonResponse(emulator.apps.map(stateOf))
        case "DELETE faults":
          if (id === undefined) emulator.faults.clear()
          else if (!emulator.faults.remove(id)) return textResponse(404, `No such fault: ${id}`)
          return jsonResponse({})
        case "POST faults":
        case "POST drop-connections": {
          // No web page can send this type to another origin without asking first, and it wouldn't be allowed.
          if (!request.headers["content-type"]?.startsWith("application/json"))
            return textResponse(415, "Expected Content-Type: application/json")
          const body = request.body === "" ? {} : parseObject(request.body)
          if (!body) return textResponse(400, "Expected a JSON object")
          return action === "faults" ? postFault(body) : postDropConnections(body)
        }
        default:
          return textResponse(404, "Not found")
      }
    },
  }
}

function describe({ id, fault, hits }: ActiveFault): JsonObject {
  return { id, hits, fault: { ...fault } }
}

function stateOf(app: App): JsonObject {
  return {
    id: app.id,
    key: app.key,
    messages: app.messages,
    connections: [...app.connections.values()].map((connection) => ({
      socket_id: connection.socketId,
      user_id: connection.user?.id,
      channels: [...connection.subscriptions],
    })),
    channels: app.channels.occupied().map((channel) => ({
      name: channel.name,
      subscription_count: channel.subscribers.size,
      user_ids: channel.presence?.ids(),
    })),
    webhooks: app.webhooks.deliveries.map(({ url, events, attempts, status, state }) => ({
      url,
      names: events.map((event) => event.name),
      attempts,
      status,
      state,
    })),
  }
}
