import { type AblyError, ablyError } from "./errors.ts"
import { Action, type ActionName } from "./protocol.ts"
import type { Random } from "./random.ts"
import { isRecord } from "./wire.ts"

/** What befalls a frame on its way, in either direction. */
const FRAME_FAULTS = [
  /** It never arrives. */
  "drop",
  /** It arrives twice. */
  "duplicate",
  /** It arrives `delayMs` later; what follows waits behind it. */
  "delay",
  /** It changes places with the next frame in its direction. */
  "reorder",
  /** The socket ends without a closing frame. */
  "cut",
  /** The socket stays open but carries nothing any more, in either direction. */
  "half-open",
  /** DISCONNECTED with `code`; the client may resume. */
  "disconnect",
  /** ERROR with `code`; fatal for the client unless it is a token error. */
  "fail",
] as const

/** What befalls only some of the frames that a client sends. */
const INBOUND_FAULTS = [
  /** MESSAGE, PRESENCE, ANNOTATION: NACK with `code`, and nothing happens. */
  "nack",
  /** ATTACH, DETACH: channel ERROR with `code`. */
  "channel-error",
  /** ATTACH: its `channelSerial` is not honoured (90005), so continuity is lost. */
  "discontinuity",
] as const

/** What befalls a new socket: `code` in place of CONNECTED. */
export const CONNECT_FAULTS = ["refuse-connection"] as const

/** What befalls a REST request. */
export const REST_FAULTS = [
  /** Answered with `statusCode` and `code`, and nothing happens. */
  "refuse",
  /** Answered with a body that is neither JSON nor msgpack; with `when: "after"` the request was carried out. */
  "malformed",
  /** Answered `delayMs` later. */
  "slow",
  /** The socket ends without an answer; with `when: "after"` the request was carried out. */
  "abort",
] as const

const ALL_FAULTS = [...FRAME_FAULTS, ...INBOUND_FAULTS, ...CONNECT_FAULTS, ...REST_FAULTS] as const

export type Fault = (typeof ALL_FAULTS)[number]

/** All that are given have to hold. */
export interface FaultMatch {
  /** The id of an app. */
  appId?: string
  /** The name of a channel. */
  channel?: string
  /** The id of a connection. */
  connectionId?: string
  /** The `clientId` of a connection. */
  clientId?: string
  /** `inbound`: from a client; `outbound`: to one. */
  direction?: "inbound" | "outbound"
  /** The action of a frame, as in `MESSAGE`. */
  action?: ActionName
  /** The method of a REST request, as in `POST`. */
  method?: string
  /** The beginning of the REST path. */
  path?: string
}

/** A fault, what it strikes, and how often. */
export interface FaultRule {
  /** What befalls the frame, the socket or the request. */
  fault: Fault
  /** What it is limited to; all, unless given. */
  match?: FaultMatch
  /** How many times it strikes before it is used up; without it, until it is removed. */
  times?: number
  /** How many matches it lets pass first. */
  skip?: number
  /** Strikes with this probability, drawn from the emulator's seed. */
  probability?: number
  /** With `delay` and `slow`: how long, in milliseconds; 1000 by default. */
  delayMs?: number
  /** With faults that answer: the error code of the protocol. */
  code?: number
  /** With `refuse` and `malformed`: the HTTP status. */
  statusCode?: number
  /** With faults that answer: the text of the error. */
  message?: string
  /**
   * With `cut`, `malformed` and `abort`: `after` lets the frame through, or carries the request out, first; `before`, the
   * default, does neither.
   */
  when?: "before" | "after"
}

/** A rule that is in force, its name, and how often it has struck. */
export type ActiveFault = FaultRule & {
  /** By which `remove` finds it. */
  id: string
  /** How many times it has struck. */
  struck: number
}

/** The faults in force. */
export interface Faults {
  /** Returns how to remove it. */
  add(rule: FaultRule): ActiveFault & { remove(): void }
  /** Takes a rule out of force, by its id; false when there is none. */
  remove(id: string): boolean
  /** Takes all rules out of force. */
  clear(): void
  /** Those in force, oldest first. */
  list(): ActiveFault[]
  /** The first rule that strikes here; it counts as used. */
  strike(kinds: readonly Fault[], describe: () => FaultMatch): FaultRule | undefined
}

export function createFaults(random: Random): Faults {
  let rules: (ActiveFault & { skip: number })[] = []

  function remove(id: string): boolean {
    const before = rules.length
    rules = rules.filter((rule) => rule.id !== id)
    return rules.length < before
  }

  return {
    add(rule) {
      const active = { ...rule, id: random.string(8), struck: 0, skip: rule.skip ?? 0 }
      rules.push(active)
      return { ...active, remove: () => void remove(active.id) }
    },
    remove,
    clear() {
      rules = []
    },
    list: () => rules.map((rule) => ({ ...rule })),
    strike(kinds, describe) {
      const candidates = rules.filter((rule) => kinds.includes(rule.fault))
      if (candidates.length === 0) return undefined
      const subject = describe()
      for (const rule of candidates) {
        if (!matches(rule.match ?? {}, subject)) continue
        if (rule.skip > 0) {
          rule.skip--
          continue
        }
        if (rule.probability !== undefined && random.next() >= rule.probability) continue
        rule.struck++
        if (rule.times !== undefined && rule.struck >= rule.times) remove(rule.id)
        return rule
      }
      return undefined
    },
  }
}

/** Which faults a frame is open to; the others would make no sense of it. */
export function frameFaults(
  direction: "inbound" | "outbound",
  action: ActionName | undefined,
): readonly Fault[] {
  if (direction === "outbound" || action === undefined) return FRAME_FAULTS
  return [...FRAME_FAULTS, ...(INBOUND_FAULTS_OF[action] ?? [])]
}

const INBOUND_FAULTS_OF: Partial<Record<ActionName, Fault[]>> = {
  MESSAGE: ["nack"],
  PRESENCE: ["nack"],
  ANNOTATION: ["nack"],
  ATTACH: ["channel-error", "discontinuity"],
  DETACH: ["channel-error"],
}

/** The fault's own error, or the general one of its kind. */
export function faultError(rule: FaultRule, fallback: number): AblyError {
  return ablyError(rule.code ?? fallback, rule.message, rule.statusCode)
}

function matches(match: FaultMatch, subject: FaultMatch): boolean {
  const { path, method, ...exact } = match
  if (path !== undefined && !subject.path?.startsWith(path)) return false
  if (method !== undefined && subject.method?.toUpperCase() !== method.toUpperCase()) return false
  return Object.entries(exact).every(
    ([field, value]) => value === undefined || subject[field as keyof FaultMatch] === value,
  )
}

/** Whole numbers, but for a probability, from the one to the other. */
const NUMBERS: Readonly<Record<string, readonly [number, number]>> = {
  times: [0, Number.MAX_SAFE_INTEGER],
  skip: [0, Number.MAX_SAFE_INTEGER],
  probability: [0, 1],
  /** The longest that a timer waits. */
  delayMs: [0, 2 ** 31 - 1],
  code: [0, 999_999],
  statusCode: [200, 599],
}
const WORDS: Readonly<Record<string, readonly string[]>> = {
  fault: ALL_FAULTS,
  when: ["before", "after"],
  direction: ["inbound", "outbound"],
  action: Object.keys(Action),
}
const TEXTS = ["message", "appId", "channel", "connectionId", "clientId", "method", "path"]
const MATCH = ["appId", "channel", "connectionId", "clientId", "direction", "action", "method", "path"]

/** Reads a rule from the control endpoint. A misspelt field is an error. */
export function readFaultRule(value: unknown): FaultRule {
  if (!isRecord(value) || value.fault === undefined)
    throw ablyError(40000, `fault is one of ${ALL_FAULTS.join(", ")}`)
  const { match = {}, ...rule } = value
  if (!isRecord(match)) throw ablyError(40000, "match is an object")
  for (const [field, given] of Object.entries(rule)) readField(field, given, !MATCH.includes(field))
  for (const [field, given] of Object.entries(match)) readField(field, given, MATCH.includes(field), "match.")
  return value as unknown as FaultRule
}

function readField(field: string, value: unknown, isKnown: boolean, where = ""): void {
  const refuse = (expected: string) => {
    throw ablyError(40000, `${where}${field} is ${expected}`)
  }
  const range = isKnown && Object.hasOwn(NUMBERS, field) ? NUMBERS[field] : undefined
  const words = isKnown && Object.hasOwn(WORDS, field) ? WORDS[field] : undefined
  if (range) {
    const [least, most] = range
    const isWhole = Number.isInteger(value) || (field === "probability" && typeof value === "number")
    if (!isWhole || Number(value) < least || Number(value) > most) refuse(`a number from ${least} to ${most}`)
  } else if (words) {
    if (!words.some((word) => word === value)) refuse(`one of ${words.join(", ")}`)
  } else if (isKnown && TEXTS.includes(field)) {
    if (typeof value !== "string") refuse("text")
  } else refuse("unknown")
}
