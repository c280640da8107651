import { encode as encodeMsgpack } from "@msgpack/msgpack"
import { isTooDeep } from "../depth.ts"
import { ablyError } from "./errors.ts"
import { decodeMsgpack } from "./msgpack.ts"
import type { ProtocolMessage } from "./protocol.ts"
import { readProtocolMessage } from "./wire.ts"

export type Format = "json" | "msgpack"

export const CONTENT_TYPE: Record<Format, string> = {
  json: "application/json",
  msgpack: "application/x-msgpack",
}

const utf8 = new TextDecoder("utf-8", { fatal: true })

/** §4: binary frame = one msgpack map, text frame = one JSON object. */
export function decodeFrame(frame: string | Uint8Array): ProtocolMessage {
  let value: unknown
  try {
    value = typeof frame === "string" ? decodeJson(frame) : decodeMsgpack(frame)
  } catch {
    throw ablyError(80013, "protocol error: unable to decode the frame")
  }
  return readProtocolMessage(value)
}

export function encodeFrame(message: ProtocolMessage, format: Format): string | Uint8Array {
  return format === "json"
    ? JSON.stringify(forJson(message))
    : encodeMsgpack(message, { ignoreUndefined: true })
}

export function decodeBody(body: Uint8Array, format: Format): unknown {
  try {
    return format === "json" ? decodeJson(utf8.decode(body)) : decodeMsgpack(body)
  } catch {
    throw ablyError(40001)
  }
}

function decodeJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  if (isTooDeep(value)) throw new RangeError("JSON that nests too deeply")
  return value
}

export function encodeBody(value: unknown, format: Format): Uint8Array {
  if (format === "msgpack") return encodeMsgpack(value, { ignoreUndefined: true })
  return new TextEncoder().encode(JSON.stringify(forJson(value)))
}

/** §6.3: binary data travels in JSON as base64 text, with one more `base64` step in its encoding. */
function forJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(forJson)
  if (value instanceof Uint8Array) return toBase64(value)
  if (typeof value !== "object" || value === null) return value
  const entries = Object.entries(value).map(([key, inner]) => [key, forJson(inner)])
  const copy: Record<string, unknown> = Object.fromEntries(entries)
  if ("data" in value && value.data instanceof Uint8Array) {
    copy.encoding = copy.encoding ? `${copy.encoding}/base64` : "base64"
  }
  return copy
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64")
}
