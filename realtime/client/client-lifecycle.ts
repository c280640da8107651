/** Whether a client is open, as it was last asked to be. */
export interface ClientLifecycle {
  readonly state: "made" | "open" | "closed"
  open(): void
  close(): void
}

export interface ClientLifecycleOptions {
  mayOpen(isAgain: boolean): boolean
  start(isAgain: boolean): void
  stop(): void
}

/**
 * One step after the other: a listener that is told of one may ask for the next, which waits until this one
 * is done.
 */
export function createClientLifecycle({ mayOpen, start, stop }: ClientLifecycleOptions): ClientLifecycle {
  let state: ClientLifecycle["state"] = "made"
  let isWanted = false
  let isSettling = false

  function want(next: boolean): void {
    isWanted = next
    if (isSettling) return
    isSettling = true
    for (;;) {
      const wasClosed = state === "closed"
      if (isWanted && state !== "open" && mayOpen(wasClosed)) {
        state = "open"
        start(wasClosed)
      } else if (!isWanted && !wasClosed) {
        state = "closed"
        stop()
      } else break
    }
    isSettling = false
  }

  return {
    get state() {
      return state
    },
    open: () => want(true),
    close: () => want(false),
  }
}
