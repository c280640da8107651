import { readLimits } from "./app.ts"
import { CONTENT_TYPE, decodeBody, encodeBody } from "./codec.ts"
import { ablyError, toAblyError } from "./errors.ts"
import { readFaultRule } from "./faults.ts"
import type { AblyService, ConnectionMatch, RestRequest, RestResponse } from "./model.ts"
import { errorResponse } from "./rest.ts"
import { describeApp } from "./sandbox.ts"
import { isRecord } from "./wire.ts"

const ROOT = "/__emulator/"

type Control = (service: AblyService, body: Record<string, unknown>) => unknown

/** What `POST /__emulator/{name}` does; the body is the operation's argument. */
const OPERATIONS: Record<string, Control> = {
  faults: (service, body) => {
    const { remove: _, ...rule } = service.faults.add(readFaultRule(body))
    return rule
  },
  "drop-connections": (service, body) => service.dropConnections(readMatch(body)),
  disconnect: (service, body) => service.disconnect(readMatch(body), readNumber(body, "code")),
  fail: (service, body) => service.fail(readMatch(body), readNumber(body, "code") ?? 50000),
  "request-reauth": (service, body) => service.requestReauth(readMatch(body)),
  detach: (service, body) =>
    service.detach({ ...readMatch(body), channel: readText(body, "channel") }, readNumber(body, "code")),
  "break-continuity": (service, body) =>
    service.breakContinuity(
      { ...readMatch(body), channel: readText(body, "channel") },
      readNumber(body, "code"),
    ),
  "expire-tokens": (service, body) => service.expireTokens(readMatch(body)),
  "revoke-tokens": (service, body) => service.revokeTokens(readMatch(body)),
  "forget-connections": (service, body) => service.forgetConnections(readMatch(body)),
  "forget-channel": (service, body) => service.forgetChannel(readText(body, "channel")),
  clock: (service, body) => {
    service.clock.skewMs = readNumber(body, "skewMs") ?? 0
  },
  limits: (service, body) => {
    for (const app of appsOf(service, body)) Object.assign(app.limits, readLimits(body))
  },
  "over-quota": (service, body) => {
    for (const app of appsOf(service, body)) app.overQuota = body.overQuota !== false
  },
}

/** The emulator's own endpoints, for whoever runs in another process; `undefined` if the path is none of them. */
export function handleControl(service: AblyService, request: RestRequest): RestResponse | undefined {
  if (!request.path.startsWith(ROOT)) return undefined
  const [name = "", id] = request.path.slice(ROOT.length).split("/")
  try {
    return ok(operate(service, request, name, id))
  } catch (error) {
    return errorResponse(toAblyError(error), "json")
  }
}

function operate(service: AblyService, request: RestRequest, name: string, id: string | undefined): unknown {
  switch (`${request.method} ${name}`) {
    case "GET apps":
      return [...service.apps.values()].map(describeApp)
    case "GET connections":
      return [...service.apps.values()].flatMap(describeConnections)
    case "GET faults":
      return service.faults.list()
    case "DELETE faults":
      return id ? service.faults.remove(id) : service.faults.clear()
  }
  const operation = Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined
  if (request.method !== "POST" || !operation)
    throw ablyError(40400, `no such control: ${request.method} ${name}`)
  // No web page can send this type to another origin without asking first, and it wouldn't be allowed.
  if (!request.headers["content-type"]?.startsWith("application/json"))
    throw ablyError(40000, "Expected Content-Type: application/json", 415)
  const body = request.body.byteLength === 0 ? {} : decodeBody(request.body, "json")
  if (!isRecord(body)) throw ablyError(40001)
  return operation(service, body)
}

function describeConnections(app: Parameters<typeof describeApp>[0]) {
  return [...app.connections.values()].map((connection) => ({
    appId: app.id,
    connectionId: connection.id,
    clientId: connection.clientId,
    isConnected: connection.transport !== undefined,
    channels: [...connection.attachments.keys()],
  }))
}

function ok(value: unknown): RestResponse {
  const body = value === undefined ? new Uint8Array() : encodeBody(value, "json")
  return { status: value === undefined ? 204 : 200, headers: { "content-type": CONTENT_TYPE.json }, body }
}

function appsOf(service: AblyService, { appId }: Record<string, unknown>) {
  return [...service.apps.values()].filter((app) => appId === undefined || app.id === appId)
}

function readMatch(body: Record<string, unknown>): ConnectionMatch {
  const fields = ["appId", "connectionId", "clientId"] as const
  return Object.fromEntries(
    fields.filter((field) => body[field] !== undefined).map((field) => [field, readText(body, field)]),
  )
}

function readText(body: Record<string, unknown>, field: string): string {
  const value = body[field]
  if (typeof value !== "string") throw ablyError(40000, `${field} is text`)
  return value
}

function readNumber(body: Record<string, unknown>, field: string): number | undefined {
  const value = body[field]
  if (value !== undefined && typeof value !== "number") throw ablyError(40000, `${field} is a number`)
  return value
}
