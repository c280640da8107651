import type { PusherEmulator } from "./emulator.ts"
import { type Fault, faultKinds } from "./faults.ts"
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

export function createControlApi(emulator: PusherEmulator): ControlApi {
  function postFault(body: JsonObject): HttpResponse {
    if (!isFault(body)) return textResponse(400, `Expected kind to be one of ${faultKinds.join(", ")}`)
    return jsonResponse(describe(emulator.faults.inject(body)), 201)
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
          return action === "faults"
            ? postFault(body)
            : jsonResponse({ dropped: emulator.dropConnections(body) })
        }
        default:
          return textResponse(404, "Not found")
      }
    },
  }
}

/** Only the kind is looked at: who steers an emulator by hand reads the README. */
function isFault(body: JsonObject): body is JsonObject & Fault {
  return (faultKinds as readonly unknown[]).includes(body.kind)
}

function describe({ id, fault, hits }: { id: string; fault: Fault; hits: number }): JsonObject {
  return { id, hits, fault: { ...fault } }
}

function stateOf(app: PusherEmulator["apps"][number]): JsonObject {
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
