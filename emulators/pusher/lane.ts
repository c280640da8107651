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
  /** What a slow lane has taken and not yet let through, in order. */
  const queue: { frame: Frame; at: number }[] = []
  let cancelDrain: (() => void) | undefined

  function later(frame: Frame, delayMs: number): void {
    const cancel = clock.schedule(() => {
      timers.delete(cancel)
      deliver(frame)
    }, delayMs)
    timers.add(cancel)
  }

  function enqueue(frame: Frame, slowMs: number): void {
    const last = queue.at(-1)?.at ?? 0
    queue.push({ frame, at: Math.max(last, clock.now() + slowMs) })
    cancelDrain ??= clock.schedule(drain, slowMs)
  }

  function drain(): void {
    cancelDrain = undefined
    while (queue[0] && queue[0].at <= clock.now()) {
      const { frame } = queue[0]
      queue.shift()
      deliver(frame)
    }
    if (queue[0]) cancelDrain = clock.schedule(drain, queue[0].at - clock.now())
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

  return {
    push(frame) {
      const target = { ...options.target(frame), direction: options.direction }
      const striking = faults.strike(["drop", "duplicate", "delay", "reorder", "slow"], target)
      if (striking.some((fault) => fault.kind === "drop")) return

      let copies = 1
      let delayMs = 0
      let slowMs = 0
      let window = 0
      for (const fault of striking) {
        if (fault.kind === "duplicate") copies += fault.copies ?? 1
        if (fault.kind === "delay") delayMs += fault.delayMs
        if (fault.kind === "slow") slowMs += fault.delayMs
        if (fault.kind === "reorder") window = Math.max(window, fault.window ?? 2)
      }

      for (let copy = 0; copy < copies; copy += 1) {
        if (delayMs > 0) later(frame, delayMs)
        // A copy is not held: it would be the one that its original waits for.
        else if (window > 1 && copy === 0) hold(frame, window)
        else if (slowMs > 0 || queue.length > 0) enqueue(frame, slowMs)
        else deliver(frame)
      }
    },
    clear() {
      patience?.()
      patience = undefined
      held = []
      cancelDrain?.()
      cancelDrain = undefined
      queue.length = 0
      for (const cancel of timers) cancel()
      timers.clear()
    },
  }
}
