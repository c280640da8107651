import type { Clock } from "./clock.ts"
import { ablyError } from "./errors.ts"
import { Action, type ActionName, type ProtocolMessage } from "./protocol.ts"
import type { Random } from "./random.ts"
import { isRecord } from "./wire.ts"

/** What befalls a frame on its way. */
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
  /** Inbound MESSAGE, PRESENCE, ANNOTATION: NACK with `code`, and nothing happens. */
  "nack",
  /** Inbound ATTACH, DETACH: channel ERROR with `code`. */
  "channel-error",
  /** Inbound ATTACH: its `channelSerial` is not honoured (90005), so continuity is lost. */
  "discontinuity",
  /** A new socket is refused with `code` in place of CONNECTED. */
  "refuse-connection",
] as const

/** What befalls a REST request. */
const REST_FAULTS = [
  /** Answered with `statusCode` and `code`, and nothing happens. */
  "refuse",
  /** Answered with a body that is neither JSON nor msgpack; with `when: "after"` the request was carried out. */
  "malformed",
  /** Answered `delayMs` later. */
  "slow",
  /** The socket ends without an answer; with `when: "after"` the request was carried out. */
  "abort",
] as const

export type FrameFault = (typeof FRAME_FAULTS)[number]
export type RestFault = (typeof REST_FAULTS)[number]

/** All that are given have to hold. */
export interface FaultMatch {
  appId?: string
  channel?: string
  connectionId?: string
  clientId?: string
  direction?: "inbound" | "outbound"
  action?: ActionName
  method?: string
  /** The beginning of the REST path. */
  path?: string
}

export interface FaultRule {
  fault: FrameFault | RestFault
  match?: FaultMatch
  /** How many times it strikes before it is used up; without it, until it is removed. */
  times?: number
  /** How many matches it lets pass first. */
  skip?: number
  /** Strikes with this probability, drawn from the emulator's seed. */
  probability?: number
  delayMs?: number
  code?: number
  statusCode?: number
  message?: string
  when?: "before" | "after"
}

export type ActiveFault = FaultRule & { id: string; struck: number }

export interface Faults {
  /** Returns how to remove it. */
  add(rule: FaultRule): ActiveFault & { remove(): void }
  remove(id: string): boolean
  clear(): void
  list(): ActiveFault[]
  /** The first rule that strikes here; it counts as used. */
  strike(kinds: readonly string[], subject: FaultMatch): FaultRule | undefined
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
    strike(kinds, subject) {
      for (const rule of rules) {
        if (!kinds.includes(rule.fault) || !matches(rule.match ?? {}, subject)) continue
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

/** The fault's own error, or the general one of its kind. */
export function faultError(rule: FaultRule, fallback: number) {
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

/** Reads a rule from the control endpoint. */
export function readFaultRule(value: unknown): FaultRule {
  const kinds: readonly string[] = [...FRAME_FAULTS, ...REST_FAULTS]
  if (!isRecord(value) || typeof value.fault !== "string" || !kinds.includes(value.fault)) {
    throw ablyError(40000, `fault is one of ${kinds.join(", ")}`)
  }
  const { match = {} } = value
  if (!isRecord(match)) throw ablyError(40000, "match is an object")
  if (match.action !== undefined && !Object.hasOwn(Action, String(match.action)))
    throw ablyError(40000, `match.action is one of ${Object.keys(Action).join(", ")}`)
  return value as unknown as FaultRule
}

/** What a faulty socket can do besides carrying frames. */
export interface FaultySocket {
  cut(): void
  silence(): void
  disconnect(error: ReturnType<typeof ablyError>): void
  fail(error: ReturnType<typeof ablyError>): void
  /** Answers an inbound frame in the connection's place. */
  reply(message: ProtocolMessage): void
}

export interface Pipe {
  push(message: ProtocolMessage): void
  close(): void
}

/** One direction of one socket: a queue in order, where a rule may strike each frame. */
export function createPipe(options: {
  direction: "inbound" | "outbound"
  faults: Faults
  clock: Clock
  subject(): FaultMatch
  deliver(message: ProtocolMessage): void
  socket: FaultySocket
}): Pipe {
  const { direction, faults, clock, subject, deliver, socket } = options
  let waiting: { message: ProtocolMessage; at: number }[] = []
  let held: ProtocolMessage | undefined
  let cancel: (() => void) | undefined

  function enqueue(message: ProtocolMessage, delayMs = 0) {
    if (waiting.length === 0 && delayMs === 0) return deliver(message)
    const at = Math.max(clock.now() + delayMs, waiting.at(-1)?.at ?? 0)
    waiting.push({ message, at })
    if (!cancel) wait()
  }

  function wait() {
    const [first] = waiting
    cancel = first && clock.schedule(release, Math.max(0, first.at - clock.now()))
  }

  function release() {
    cancel = undefined
    const first = waiting.shift()
    if (first) deliver(first.message)
    // Delivering may have closed this pipe, which empties the queue.
    wait()
  }

  /** A frame held for `reorder` follows the one that overtook it. */
  function forward(message: ProtocolMessage, delayMs?: number) {
    const overtaken = held
    held = undefined
    enqueue(message, delayMs)
    if (overtaken) enqueue(overtaken)
  }

  return {
    push(message) {
      const rule = faults.strike(FRAME_FAULTS, { ...subject(), ...describe(message), direction })
      switch (rule?.fault) {
        case "drop":
          return
        case "duplicate":
          forward(message)
          return enqueue(message)
        case "delay":
          return forward(message, rule.delayMs ?? 1000)
        case "reorder":
          if (held) return forward(message)
          held = message
          return
        case "cut":
          if (rule.when === "after") forward(message)
          return socket.cut()
        case "half-open":
          return socket.silence()
        case "disconnect":
          if (rule.when === "after") forward(message)
          return socket.disconnect(faultError(rule, 80003))
        case "fail":
          return socket.fail(faultError(rule, 50000))
        case "nack":
          return socket.reply({
            action: Action.NACK,
            msgSerial: message.msgSerial ?? 0,
            count: 1,
            error: faultError(rule, 50000).toErrorInfo(),
          })
        case "channel-error":
          return socket.reply({
            action: Action.ERROR,
            channel: message.channel ?? "",
            error: faultError(rule, 50000).toErrorInfo(),
          })
        case "discontinuity":
          return forward({ ...message, channelSerial: "no-such-serial" })
        default:
          return forward(message)
      }
    },
    close() {
      cancel?.()
      cancel = undefined
      waiting = []
      held = undefined
    },
  }
}

function describe(message: ProtocolMessage): FaultMatch {
  const action = (Object.keys(Action) as ActionName[]).find((name) => Action[name] === message.action)
  return {
    ...(action === undefined ? {} : { action }),
    ...(message.channel === undefined ? {} : { channel: message.channel }),
  }
}

export const CONNECT_FAULTS: readonly FrameFault[] = ["refuse-connection"]
export const REQUEST_FAULTS: readonly RestFault[] = REST_FAULTS
