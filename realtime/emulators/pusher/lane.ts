import type { Clock } from "./clock.ts"
import type { Direction, Faults, FaultTarget } from "./faults.ts"

/** One direction of a connection. Without faults a frame passes at once. */
export interface Lane<Frame> {
  push(frame: Frame): void
  /** Forgets what is held or late. */
  clear(): void
}

export interface LaneOptions<Frame> {
  clock: Clock
  faults: Faults
  target(frame: Frame): Omit<FaultTarget, "direction">
  direction: Direction
  deliver(frame: Frame): void
}

/** A held frame is let go after this, if no other comes to overtake it. */
const REORDER_PATIENCE_MS = 1_000

/** Where the frame faults act: drop, duplicate, delay, reorder, slow. */
export function createLane<Frame>(options: LaneOptions<Frame>): Lane<Frame> {
  const { clock, faults, deliver } = options
  const timers = new Set<() => void>()
  let held: Frame[] = []
  let patience: (() => void) | undefined
  /** Before this time a slow lane lets nothing through, so that order is kept. */
  let busyUntil = 0

  function later(frame: Frame, at: number): void {
    const cancel = clock.schedule(() => {
      timers.delete(cancel)
      deliver(frame)
    }, at - clock.now())
    timers.add(cancel)
  }

  function releaseHeld(): void {
    patience?.()
    patience = undefined
    const frames = held.reverse()
    held = []
    for (const frame of frames) deliver(frame)
  }

  function hold(frame: Frame, size: number): void {
    held.push(frame)
    if (held.length >= size) releaseHeld()
    else patience ??= clock.schedule(releaseHeld, REORDER_PATIENCE_MS)
  }

  function pass(frame: Frame): void {
    if (busyUntil > clock.now()) later(frame, busyUntil)
    else deliver(frame)
  }

  return {
    push(frame) {
      const target = { ...options.target(frame), direction: options.direction }
      const striking = faults.strike(["drop", "duplicate", "delay", "reorder", "slow"], target)
      if (striking.some((fault) => fault.kind === "drop")) return

      let copies = 1
      let delayMs = 0
      let window = 0
      for (const fault of striking) {
        if (fault.kind === "duplicate") copies += fault.copies ?? 1
        if (fault.kind === "delay") delayMs += fault.delayMs
        if (fault.kind === "slow") busyUntil = Math.max(busyUntil, clock.now() + fault.delayMs)
        if (fault.kind === "reorder") window = Math.max(window, fault.window ?? 2)
      }

      for (let copy = 0; copy < copies; copy += 1) {
        if (delayMs > 0) later(frame, clock.now() + delayMs)
        // A copy is not held: it would be the one that its original waits for.
        else if (window > 1 && copy === 0) hold(frame, window)
        else pass(frame)
      }
    },
    clear() {
      patience?.()
      patience = undefined
      held = []
      for (const cancel of timers) cancel()
      timers.clear()
    },
  }
}
