import { ablyError } from "./errors.ts"
import type { Annotation, BaseMessage, Message, PresenceMessage, ProtocolMessage } from "./protocol.ts"

/** Reads what a client sent: known fields of the right type are kept, unknown ones ignored (ably/README.md §4.1). */
export function readProtocolMessage(value: unknown): ProtocolMessage {
  if (!isRecord(value)) throw ablyError(80013, "protocol error: a frame is one object")
  const action = number(value.action)
  if (action === undefined) throw ablyError(80013, "protocol error: a frame has a numeric action")
  const message: ProtocolMessage = { action }
  const strings = ["id", "channel", "channelSerial", "connectionId", "connectionKey"] as const
  for (const field of strings) {
    const text = string(value[field])
    if (text !== undefined) message[field] = text
  }
  const numbers = ["count", "flags", "msgSerial", "timestamp"] as const
  for (const field of numbers) {
    const count = number(value[field])
    if (count !== undefined) message[field] = count
  }
  if (isRecord(value.auth)) message.auth = { accessToken: string(value.auth.accessToken) }
  // These stay unread until the frame is acted on, so that a bad one is that frame's and not the connection's end.
  if (isRecord(value.params)) message.params = value.params as Record<string, string>
  if (value.messages !== undefined) message.messages = value.messages as Message[]
  if (value.presence !== undefined) message.presence = value.presence as PresenceMessage[]
  if (value.annotations !== undefined) message.annotations = value.annotations as Annotation[]
  return message
}

/** REST accepts one message or an array of them (§2.2); a frame always has an array. */
export function readMessages(value: unknown): Message[] {
  return list(value, "messages").map((item) => ({
    ...readBase(item),
    ...defined({
      name: optionalString(item.name, 40016),
      connectionId: optionalString(item.connectionId, 40006),
      connectionKey: optionalString(item.connectionKey, 40006),
      action: number(item.action),
      serial: optionalString(item.serial, 40003),
    }),
    ...(isRecord(item.version) ? { version: readVersion(item.version) } : {}),
  }))
}

export function readPresence(value: unknown): PresenceMessage[] {
  return list(value, "presence").map((item) => {
    const action = number(item.action)
    if (action === undefined) throw ablyError(40003, "a presence message has a numeric action")
    return { ...readBase(item), action }
  })
}

export function readAnnotations(value: unknown): Annotation[] {
  return list(value, "annotations").map((item) => ({
    ...readBase(item),
    action: number(item.action) ?? 0,
    messageSerial: string(item.messageSerial) ?? "",
    type: string(item.type) ?? "",
    ...defined({ name: optionalString(item.name, 40003), count: number(item.count) }),
  }))
}

function readBase(item: Record<string, unknown>): BaseMessage {
  const extras = item.extras ?? undefined
  if (extras !== undefined && !isRecord(extras)) throw ablyError(40032, "extras is an object")
  return defined({
    id: optionalString(item.id, 40031),
    clientId: optionalString(item.clientId, 40012),
    extras,
    ...readData(item.data, optionalString(item.encoding, 40013)),
  })
}

/**
 * §6.3: text and bytes are kept as they came, with the last `base64` step undone. An object or array, which only hand-made
 * REST requests send, becomes JSON text with that step recorded; other scalars are refused.
 */
function readData(data: unknown, encoding: string | undefined): Pick<BaseMessage, "data" | "encoding"> {
  if (data === undefined || data === null) return defined({ encoding })
  if (data instanceof Uint8Array) return defined({ data, encoding })
  if (typeof data === "string") {
    const steps = encoding?.split("/") ?? []
    if (steps.at(-1) !== "base64") return defined({ data, encoding })
    const rest = steps.slice(0, -1).join("/")
    return defined({ data: new Uint8Array(Buffer.from(data, "base64")), encoding: rest || undefined })
  }
  if (isRecord(data) || Array.isArray(data)) {
    return { data: JSON.stringify(data), encoding: encoding ? `${encoding}/json` : "json" }
  }
  throw ablyError(40013, "data is text, binary or a JSON object or array")
}

function readVersion(version: Record<string, unknown>) {
  const metadata = version.metadata ?? undefined
  if (metadata !== undefined && !isRecord(metadata)) throw ablyError(40003, "version.metadata is an object")
  return defined({
    clientId: optionalString(version.clientId, 40012),
    description: optionalString(version.description, 40003),
    metadata,
  })
}

export function readParams(params: Readonly<Record<string, unknown>>): Record<string, string> {
  const pairs = Object.entries(params).filter(([, value]) => value !== undefined && value !== null)
  const isScalar = ([, value]: [string, unknown]) => ["string", "number", "boolean"].includes(typeof value)
  if (!pairs.every(isScalar)) throw ablyError(40000, "params are text")
  return Object.fromEntries(pairs.map(([name, value]) => [name, String(value)]))
}

function list(value: unknown, what: string): Record<string, unknown>[] {
  const items = Array.isArray(value) ? value : [value]
  if (!items.every(isRecord)) throw ablyError(40000, `${what} is a list of objects`)
  return items
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  )
}

function string(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined
}

function number(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined
}

function optionalString(value: unknown, code: number): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== "string") throw ablyError(code)
  return value
}

function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as T
}
