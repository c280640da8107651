import type { Random } from "./random.ts"

/** What a fault is limited to; what is left out matches everything. Names may end in `*`. */
export interface FaultScope {
  /** An app's id or key. */
  app?: string
  /** The name of a channel. */
  channel?: string
  /**
   * The event's name. Without it only events of the application are touched, never those named `pusher:…` or
   * `pusher_internal:…` (`slow` touches both).
   */
  event?: string
  /** The connection that it concerns. */
  socketId?: string
}

/** Which of the matches a fault acts on. */
export interface FaultTrigger {
  /** Lets this many matches pass first. */
  after?: number
  /** Acts this often, then is gone. */
  times?: number
  /** Acts on a match with this probability, drawn from the emulator's seed. */
  probability?: number
}

export type Direction = "to-client" | "from-client"

export type FrameFault = { direction?: Direction } & (
  | { kind: "drop" }
  /** `copies` is how many extra ones are sent: 1 unless told. */
  | { kind: "duplicate"; copies?: number }
  /** The matching frames alone are late; others overtake them. */
  | { kind: "delay"; delayMs: number }
  /** Holds matching frames until there are `window` of them (2), then sends the newest first. */
  | { kind: "reorder"; window?: number }
  /** Every frame is late by at least this; their order is kept. */
  | { kind: "slow"; delayMs: number }
)

/** When a connection fault strikes: those that are open (the default), each that opens, or one that is sent an event. */
export type Moment = "now" | "connect" | "event"

export type ConnectionFault = {
  on?: Moment
} /** The socket vanishes without a close frame; the service knows at once. */ & (
  | { kind: "cut" }
  /** Nothing passes any more in either direction and neither side is told; the service finds out by its own ping. */
  | { kind: "half-open" }
  | { kind: "close"; code: number; reason?: string }
  /** A `pusher:error` frame; the connection stays. */
  | { kind: "error"; code: number | null; message: string }
)

export type SubscriptionFault = { kind: "refuse-subscription"; error?: string; status?: number }

export type HttpRoute =
  | "events"
  | "batch_events"
  | "channels"
  | "channel"
  | "users"
  | "terminate_connections"
  | "channel_events"
  | "stats"

export type HttpFault = { route?: HttpRoute } /** Answered with this status, without effect. */ & (
  | { kind: "http-refuse"; status: number; body?: string }
  /** The request takes effect; the answer is a 200 whose body is not JSON. */
  | { kind: "http-malformed"; body?: string }
  | { kind: "http-slow"; delayMs: number }
  /** Never answered, without effect. */
  | { kind: "http-hang" }
  /** The socket is cut at the request (no effect) or at the response (it took effect, but its sender can't know). */
  | { kind: "http-cut"; at: "request" | "response" }
)

export type ServiceFault =
  /** The service's time of day is ahead by this: signatures look too old, webhooks come from the future. */
  | { kind: "clock-skew"; skewMs: number }
  /** New connections are closed with 4004, or the HTTP API answers 403. */
  | { kind: "over-quota"; quota: "connections" | "messages" }

/** What a fault does. */
export type FaultEffect = FrameFault | ConnectionFault | SubscriptionFault | HttpFault | ServiceFault
/** What it does, what it is limited to, and how often it acts. */
export type Fault = FaultScope & FaultTrigger & FaultEffect
/** The names of what faults do. */
export type FaultKind = FaultEffect["kind"]
export type FaultOf<Kind extends FaultKind> = Extract<Fault, { kind: Kind }>

export const faultKinds: readonly FaultKind[] = [
  "drop",
  "duplicate",
  "delay",
  "reorder",
  "slow",
  "cut",
  "half-open",
  "close",
  "error",
  "refuse-subscription",
  "http-refuse",
  "http-malformed",
  "http-slow",
  "http-hang",
  "http-cut",
  "clock-skew",
  "over-quota",
]

/** What happened, as a fault sees it. */
export interface FaultTarget {
  app: { id: string; key: string }
  /** Several in the case of a trigger on several channels. */
  channels?: readonly string[]
  event?: string
  socketId?: string
  direction?: Direction
  route?: HttpRoute
  moment?: Moment
  quota?: "connections" | "messages"
}

/** A fault in force. */
export interface ActiveFault {
  /** By which `remove` of the control finds it. */
  readonly id: string
  /** As it was injected. */
  readonly fault: Fault
  /** How often it has acted. */
  readonly hits: number
  /** Takes it out. Idempotent. */
  remove(): void
}

export interface Faults {
  add(fault: Fault): ActiveFault
  /** False when there is no such fault any more. */
  remove(id: string): boolean
  clear(): void
  list(): readonly ActiveFault[]
  /** The faults of these kinds that act on the target now, oldest first. Each of them counts as one hit. */
  strike<Kind extends FaultKind>(kinds: readonly Kind[], target: FaultTarget): FaultOf<Kind>[]
  /** Sum of the clock skews in force; asking doesn't count as a hit. */
  skewMs(app: FaultTarget["app"]): number
}

export function createFaults(random: Random): Faults {
  const active = new Map<string, ActiveFault & { hits: number; matches: number }>()
  let lastId = 0

  return {
    add(fault) {
      lastId += 1
      const id = String(lastId)
      const entry = { id, fault, hits: 0, matches: 0, remove: () => void active.delete(id) }
      active.set(id, entry)
      return entry
    },
    remove: (id) => active.delete(id),
    clear: () => active.clear(),
    list: () => [...active.values()],

    strike(kinds, target) {
      const striking = []
      for (const entry of active.values()) {
        const { fault } = entry
        if (!isOfKind(fault, kinds) || !matches(fault, target)) continue
        entry.matches += 1
        if (entry.matches <= (fault.after ?? 0)) continue
        if (fault.probability !== undefined && random.next() >= fault.probability) continue
        entry.hits += 1
        if (fault.times !== undefined && entry.hits >= fault.times) entry.remove()
        striking.push(fault)
      }
      return striking
    },

    skewMs(app) {
      let skew = 0
      for (const { fault } of active.values())
        if (fault.kind === "clock-skew" && isApp(fault, app)) skew += fault.skewMs
      return skew
    },
  }
}

function isOfKind<Kind extends FaultKind>(fault: Fault, kinds: readonly Kind[]): fault is FaultOf<Kind> {
  return (kinds as readonly FaultKind[]).includes(fault.kind)
}

function isApp(fault: Fault, app: FaultTarget["app"]): boolean {
  return fault.app === undefined || fault.app === app.id || fault.app === app.key
}

/** Whether a name fits a pattern, which may end in `*`. */
export function isNamed(pattern: string | undefined, name: string | undefined): boolean {
  if (pattern === undefined) return true
  if (name === undefined) return false
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}

function matches(fault: Fault, target: FaultTarget): boolean {
  if (!isApp(fault, target.app)) return false
  if (fault.socketId !== undefined && fault.socketId !== target.socketId) return false
  if (fault.channel !== undefined && !target.channels?.some((channel) => isNamed(fault.channel, channel)))
    return false
  if (fault.event !== undefined && !isNamed(fault.event, target.event)) return false
  if ("route" in fault && fault.route !== undefined && fault.route !== target.route) return false
  if ("quota" in fault && fault.quota !== target.quota) return false
  if (target.direction !== undefined && directionOf(fault) !== target.direction) return false
  if (target.moment !== undefined && momentOf(fault) !== target.moment) return false
  return fault.event !== undefined || fault.kind === "slow" || !isSystemEvent(target.event)
}

function directionOf(fault: Fault): Direction {
  return "direction" in fault && fault.direction ? fault.direction : "to-client"
}

function momentOf(fault: Fault): Moment {
  return "on" in fault && fault.on ? fault.on : "now"
}

function isSystemEvent(event: string | undefined): boolean {
  return event !== undefined && (event.startsWith("pusher:") || event.startsWith("pusher_internal:"))
}
