import { isTooDeep } from "../depth.ts"

export type Json = string | number | boolean | null | Json[] | JsonObject
/** A member that is undefined is not sent. */
export type JsonObject = { [key: string]: Json | undefined }

/** Undefined for what is no JSON, or nested too deeply. */
export function parseJson(text: string): Json | undefined {
  try {
    const value = JSON.parse(text) as Json
    return isTooDeep(value) ? undefined : value
  } catch {
    return undefined
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

export function parseObject(text: string): JsonObject | undefined {
  const value = parseJson(text)
  return isObject(value) ? value : undefined
}

export function asString(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined
}

/** An id that an application wrote as a string or, as many do, as a number. */
export function asId(value: unknown): string | undefined {
  if (typeof value === "number") return String(value)
  return typeof value === "string" && value !== "" ? value : undefined
}

/** Bytes of the value as JSON. */
export function jsonLength(value: Json | undefined): number {
  return new TextEncoder().encode(JSON.stringify(value ?? null)).length
}
