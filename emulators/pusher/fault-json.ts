import { isCloseCode } from "./errors.ts"
import { type Fault, type FaultKind, type FaultScope, faultKinds } from "./faults.ts"
import type { JsonObject } from "./json.ts"

const strings = ["app", "channel", "event", "socketId", "reason", "message", "error", "body"]
const most = Number.MAX_SAFE_INTEGER
/** The longest that a timer waits. */
const maxDelayMs = 2 ** 31 - 1
/** Whole numbers, but for a probability, from the one to the other. */
const numbers: Readonly<Record<string, readonly [number, number]>> = {
  after: [0, most],
  times: [0, most],
  probability: [0, 1],
  copies: [0, 1_000],
  delayMs: [0, maxDelayMs],
  window: [1, 1_000],
  code: [0, 9_999],
  status: [200, 599],
  skewMs: [-1e12, 1e12],
}
const words: Readonly<Record<string, readonly unknown[]>> = {
  kind: faultKinds,
  direction: ["to-client", "from-client"],
  on: ["now", "connect", "event"],
  at: ["request", "response"],
  quota: ["connections", "messages"],
  route: [
    "events",
    "batch_events",
    "channels",
    "channel",
    "users",
    "terminate_connections",
    "channel_events",
    "stats",
  ],
}
const required: Partial<Record<FaultKind, readonly string[]>> = {
  delay: ["delayMs"],
  slow: ["delayMs"],
  close: ["code"],
  error: ["message"],
  "http-refuse": ["status"],
  "http-slow": ["delayMs"],
  "http-cut": ["at"],
  "clock-skew": ["skewMs"],
  "over-quota": ["quota"],
}

/** A fault as anybody may have written it; or what is wrong with it. A misspelt field is an error. */
export function parseFault(json: JsonObject): Fault | { problem: string } {
  const problem = problemOf(json)
  if (problem !== undefined) return { problem }
  const fault = json as unknown as Fault
  const missing = required[fault.kind]?.find((field) => json[field] === undefined)
  if (missing !== undefined) return { problem: `Expected ${missing}, which ${fault.kind} needs` }
  if (fault.kind === "close" && !isCloseCode(fault.code)) return { problem: `${fault.code} is no close code` }
  return fault.kind === "error" ? { ...fault, code: fault.code ?? null } : fault
}

export function parseScope(json: JsonObject): FaultScope | { problem: string } {
  const problem = problemOf({ kind: "cut", ...json })
  return problem === undefined ? (json as FaultScope) : { problem }
}

function problemOf(json: JsonObject): string | undefined {
  if (json.kind === undefined) return `Expected kind to be one of ${faultKinds.join(", ")}`
  for (const [field, value] of Object.entries(json)) {
    const isNull = field === "code" && value === null && json.kind === "error"
    if (strings.includes(field)) {
      if (typeof value !== "string") return `Expected ${field} to be a string`
    } else if (Object.hasOwn(numbers, field)) {
      const [least, greatest] = numbers[field] ?? [0, 0]
      const isWhole = Number.isInteger(value) || (field === "probability" && typeof value === "number")
      const isInRange = isWhole && Number(value) >= least && Number(value) <= greatest
      if (!isInRange && !isNull) return `Expected ${field} to be a number from ${least} to ${greatest}`
    } else if (!Object.hasOwn(words, field)) {
      return `Unknown field: ${field}`
    } else if (!words[field]?.includes(value)) {
      return `Expected ${field} to be one of ${words[field]?.join(", ")}`
    }
  }
  return undefined
}
