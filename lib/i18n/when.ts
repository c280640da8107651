import type { useFormatter } from "next-intl"

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** «in 3 minutes», in the reader's language: rounded up, so that nobody comes back too early. */
export function whenIn(format: ReturnType<typeof useFormatter>, ms: number): string {
  const [unit, each] = ms <= 90 * minuteMs ? (["minute", minuteMs] as const) : (["hour", hourMs] as const)
  return format.relativeTime(Math.max(1, Math.ceil(ms / each)) * each, { now: 0, unit })
}
