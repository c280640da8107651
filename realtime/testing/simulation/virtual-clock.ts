/** Time that passes when it is told to: an hour of timers in a moment, the same each time. */
export interface VirtualClock extends Disposable {
  /** Milliseconds since it began, which no jump changes. */
  readonly now: number
  /** Lets this much time pass, with everything that happens in it. */
  advance(ms: number): Promise<void>
  /** Somebody sets the wall clock; what waits for an interval waits as long as before. */
  jump(ms: number): void
}

interface Timer {
  at: number
  run: () => void
  isCleared: boolean
}

const epochMs = Date.UTC(2030, 0, 1)

/**
 * Stands in for the process's clocks, timers and chance until it is disposed of. Everything between two
 * timers must be promises alone: what waits for the real world isn't waited for.
 */
export function installVirtualClock(random: () => number): VirtualClock {
  const real = { setImmediate, dateNow: Date.now, performanceNow: performance.now, random: Math.random }
  const realTimers = { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate }
  const realTimeout = AbortSignal.timeout
  /** By when they are due; of equals the first that was set comes first. */
  const timers: Timer[] = []
  let now = 0
  let wall = epochMs

  function schedule(run: () => void, ms: number): Timer & Record<string, unknown> {
    const at = now + Math.max(0, Number.isFinite(ms) ? ms : 0)
    const timer = { at, run, isCleared: false, ref: () => timer, unref: () => timer, hasRef: () => true }
    let place = timers.length
    while (place > 0 && (timers[place - 1] as Timer).at > at) place -= 1
    timers.splice(place, 0, timer)
    return timer
  }

  function clear(timer: Timer | undefined): void {
    if (timer) timer.isCleared = true
  }

  Object.assign(globalThis, {
    setTimeout: (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
      schedule(() => run(...args), ms),
    setImmediate: (run: (...args: unknown[]) => void, ...args: unknown[]) => schedule(() => run(...args), 0),
    setInterval: () => {
      throw new TypeError("unable to simulate an interval; the product has none")
    },
    clearTimeout: clear,
    clearInterval: clear,
    clearImmediate: clear,
  })
  // The real one counts whole milliseconds, too.
  Date.now = () => Math.floor(wall + now)
  performance.now = () => now
  Math.random = random
  AbortSignal.timeout = (ms) => {
    const controller = new AbortController()
    schedule(() => controller.abort(new DOMException("The operation timed out.", "TimeoutError")), ms)
    return controller.signal
  }

  /** An immediate comes after every promise that could settle. */
  const settle = () => new Promise<void>((resolve) => void real.setImmediate(resolve))

  return {
    get now() {
      return now
    },
    async advance(ms) {
      const end = now + ms
      await settle()
      for (let next = timers[0]; next && next.at <= end; next = timers[0]) {
        timers.shift()
        if (next.isCleared) continue
        now = next.at
        next.run()
        await settle()
      }
      now = end
    },
    jump(ms) {
      wall += ms
    },
    [Symbol.dispose]() {
      Object.assign(globalThis, realTimers)
      Date.now = real.dateNow
      performance.now = real.performanceNow
      Math.random = real.random
      AbortSignal.timeout = realTimeout
    },
  }
}
