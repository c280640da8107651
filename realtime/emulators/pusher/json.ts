export type Json = string | number | boolean | null | Json[] | JsonObject
/** A member that is undefined is not sent. */
export type JsonObject = { [key: string]: Json | undefined }

export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
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

/** Bytes of the value as JSON; infinitely many if it is nested too deeply to be written. */
export function jsonLength(value: Json | undefined): number {
  try {
    return new TextEncoder().encode(JSON.stringify(value ?? null)).length
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
