import { randomBetween } from "../back-off.ts"
import { isSeen } from "./on-return.ts"

/** Looks now and then whether something was missed, while the page is looked at. */
export interface Looks {
  start(): void
  /** Starts the wait anew, where it was started. */
  schedule(): void
  stop(): void
}

/** `look` never throws. `intervalMs` is give or take a quarter: pages of one server don't look in step. */
export function createLooks(intervalMs: () => number, look: () => void | Promise<void>): Looks {
  let timer: ReturnType<typeof setTimeout> | undefined
  let isStopped = true

  function schedule(): void {
    clearTimeout(timer)
    if (!isStopped) timer = setTimeout(run, intervalMs() * randomBetween(0.75, 1.25))
  }

  async function run(): Promise<void> {
    // A page that nobody looks at looks when it is looked at again.
    if (isSeen()) await look()
    schedule()
  }

  return {
    start() {
      isStopped = false
      schedule()
    },
    schedule,
    stop() {
      isStopped = true
      clearTimeout(timer)
    },
  }
}
