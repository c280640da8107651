import type { Clock } from "./clock.ts"

/**
 * Serials of one channel: `{timestamp}-{counter}@{series}` for a position, with `:{index}` for a message in it. Fixed widths
 * make them ordered as text, which is all that ably/README.md §5.1 and §6.2 promise about them.
 */
export interface Serials {
  /** Names this life of the channel; a serial of another life can't be honoured (90005). */
  readonly series: string
  /** The last position given out; the attach point of whoever attaches now. */
  current(): string
  next(): string
}

export function createSerials(clock: Clock, series: string): Serials {
  let timestamp = clock.now()
  let counter = 0

  const format = () => `${String(timestamp).padStart(14, "0")}-${String(counter).padStart(3, "0")}@${series}`

  return {
    series,
    current: format,
    next() {
      const now = clock.now()
      if (now > timestamp) {
        timestamp = now
        counter = 0
      } else if (++counter > 999) {
        timestamp++
        counter = 0
      }
      return format()
    },
  }
}

export function messageSerial(channelSerial: string, index: number): string {
  return `${channelSerial}:${String(index).padStart(3, "0")}`
}

export function seriesOf(channelSerial: string): string | undefined {
  return /^\d{14}-\d{3}@([^:]+)/.exec(channelSerial)?.[1]
}

/** The position just before this one: from there on, this one is still to come (rewind, §5.1). */
export function serialBefore(channelSerial: string): string {
  const match = /^(\d{14})-(\d{3})(@.*)$/.exec(channelSerial)
  if (!match) return channelSerial
  const [timestamp, counter] = [Number(match[1]), Number(match[2])]
  const [before, count] = counter > 0 ? [timestamp, counter - 1] : [timestamp - 1, 999]
  return `${String(before).padStart(14, "0")}-${String(count).padStart(3, "0")}${match[3]}`
}
