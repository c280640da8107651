import type { Clock } from "./clock.ts"
import { ablyError } from "./errors.ts"
import type { Stats, StatsEntries, StatsRow, StatsUnit } from "./model.ts"
import { Action, type BaseMessage } from "./protocol.ts"
import { sizeOf } from "./publisher.ts"
import { isRecord } from "./wire.ts"

/** Characters of an interval's id, `2026-11-25:23:09`, that are its unit's. */
const UNITS: Record<StatsUnit, number> = { minute: 16, hour: 13, day: 10, month: 7 }

export function createStats(clock: Clock): Stats {
  /** By minute, without the totals: every frame is counted, and few ask. */
  const minutes = new Map<string, StatsEntries>()
  let current = { number: Number.NaN, id: "" }

  function add(minute: string, name: string, amount: number): void {
    const entries = minutes.get(minute) ?? {}
    minutes.set(minute, entries)
    entries[name] = (entries[name] ?? 0) + amount
  }

  function thisMinute(): string {
    const now = clock.now()
    const number = Math.floor(now / 60_000)
    if (number !== current.number) current = { number, id: idOf(now) }
    return current.id
  }

  return {
    count(direction, by, { action, messages = [], presence = [] }) {
      const isMessage = action === Action.MESSAGE
      if (!isMessage && action !== Action.PRESENCE) return
      const counted: BaseMessage[] = isMessage ? messages : presence
      const name = `messages.${direction}.${by}.${isMessage ? "messages" : "presence"}`
      const minute = thisMinute()
      add(minute, `${name}.count`, counted.length)
      add(
        minute,
        `${name}.data`,
        counted.reduce((size, message) => size + sizeOf(message), 0),
      )
    },
    addFixture(value) {
      if (!isRecord(value) || typeof value.intervalId !== "string" || !isMinute(value.intervalId))
        throw ablyError(40003, "intervalId is a minute, as in 2026-11-25:23:09")
      const { intervalId, ...counts } = value
      for (const [path, amount] of leavesOf(counts)) {
        const isOfMessages = /^(inbound|outbound|persisted)\./.test(path)
        add(intervalId, isOfMessages ? `messages.${path}` : path, amount)
      }
    },
    rows(query) {
      const unit = readUnit(query.get("unit") ?? query.get("by"))
      const length = UNITS[unit]
      const start = readBound(query.get("start"))?.slice(0, length) ?? ""
      const end = readBound(query.get("end"))?.slice(0, length) ?? "~"
      const now = idOf(clock.now())
      const rows = new Map<string, StatsRow>()
      for (const [minute, entries] of [...minutes].sort(([one], [other]) => (one < other ? -1 : 1))) {
        const intervalId = minute.slice(0, length)
        if (intervalId.slice(0, start.length) < start || intervalId.slice(0, end.length) > end) continue
        const isInProgress = now.startsWith(intervalId)
        const row = rows.get(intervalId) ?? {
          intervalId,
          unit,
          ...(isInProgress ? { inProgress: now } : {}),
          entries: {},
        }
        rows.set(intervalId, row)
        for (const [leaf, amount] of Object.entries(entries)) {
          for (const name of [leaf, ...totalsOf(leaf)]) {
            // Of a peak the highest counts, of everything else the sum.
            const before = row.entries[name] ?? 0
            row.entries[name] = name.endsWith(".peak") ? Math.max(before, amount) : before + amount
          }
        }
      }
      return [...rows.values()]
    },
  }
}

/** `messages.inbound.realtime.messages.count` counts in all that are wider, too. */
function totalsOf(name: string): string[] {
  const [, direction, by, kind, what] = /^messages\.(inbound|outbound)\.(\w+)\.(\w+)\.(\w+)$/.exec(name) ?? []
  if (direction === undefined) return []
  return [
    `messages.${direction}.all.${kind}.${what}`,
    `messages.${direction}.${by}.all.${what}`,
    `messages.${direction}.all.all.${what}`,
    `messages.all.${kind}.${what}`,
    `messages.all.all.${what}`,
  ]
}

/** As protocol versions before 3 have it: nested, without `messages` around. */
export function nested(entries: StatsEntries): Record<string, unknown> {
  const tree: Record<string, unknown> = {}
  for (const [name, amount] of Object.entries(entries)) {
    const path = name.replace(/^messages\./, "").split(".")
    let node = tree
    for (const part of path.slice(0, -1)) {
      node[part] ??= {}
      node = node[part] as Record<string, unknown>
    }
    node[path.at(-1) ?? ""] = amount
  }
  return tree
}

function leavesOf(value: Record<string, unknown>, prefix = ""): [string, number][] {
  return Object.entries(value).flatMap(([name, inner]): [string, number][] => {
    if (typeof inner === "number") return [[`${prefix}${name}`, inner]]
    return isRecord(inner) ? leavesOf(inner, `${prefix}${name}.`) : []
  })
}

function idOf(milliseconds: number): string {
  const time = new Date(milliseconds).toISOString()
  return `${time.slice(0, 10)}:${time.slice(11, 16)}`
}

function isMinute(id: string): boolean {
  return /^\d{4}-\d{2}-\d{2}:\d{2}:\d{2}$/.test(id)
}

function readUnit(text: string | null): StatsUnit {
  if (text === null) return "minute"
  if (!Object.hasOwn(UNITS, text)) throw ablyError(40003, "unit is minute, hour, day or month")
  return text as StatsUnit
}

/** Milliseconds, or an interval's id of any unit. */
function readBound(text: string | null): string | undefined {
  if (text === null || text === "") return undefined
  if (/^\d{4}-\d{2}(-\d{2}(:\d{2}(:\d{2})?)?)?$/.test(text)) return text
  const time = Number(text)
  if (!Number.isFinite(time) || Math.abs(time) > 8.64e15)
    throw ablyError(40003, "start and end are in milliseconds, or the id of an interval")
  return idOf(time)
}
