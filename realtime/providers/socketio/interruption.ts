import type { RealtimeError } from "../../errors.ts"
import type { StatusHolder } from "../../transport-status.ts"

/** Browser: the time without a connection, and what the status says of it. `onBegin` follows each reason. */
export function createInterruption(status: StatusHolder, suspendAfterMs: number, onBegin: () => void) {
  let timer: ReturnType<typeof setTimeout> | undefined

  function end(): void {
    clearTimeout(timer)
    timer = undefined
  }

  const isOver = () => status.current.state === "closed" || status.current.state === "failed"

  return {
    /** There is no connection, and one is being sought. Called for each reason of it. */
    begin(error: RealtimeError): void {
      if (isOver()) return
      timer ??= setTimeout(
        () => status.set({ state: "suspended", error: status.current.error }),
        suspendAfterMs,
      )
      const { state } = status.current
      status.set({ state: state === "connected" ? "reconnecting" : state, error })
      onBegin()
    },
    end,
    /** None is sought any more. */
    fail(error: RealtimeError): void {
      end()
      status.set({ state: "failed", error })
    },
    /** Whether none is sought any more. */
    isOver,
  }
}
