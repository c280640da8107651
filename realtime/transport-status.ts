import type { OnError } from "./errors.ts"
import { createListeners } from "./listeners.ts"
import type { RealtimeTransport, TransportStatus } from "./transport.ts"

/** What a transport says of its connection, and to whom. It begins as `connecting`. */
export interface StatusHolder {
  readonly current: TransportStatus
  /** Tells all who listen. `closed` is final: whatever comes after it is nobody's news. */
  set(next: TransportStatus): void
  readonly onStatus: RealtimeTransport["onStatus"]
}

export function createStatus(onError: OnError): StatusHolder {
  const listeners = createListeners<[TransportStatus]>(onError, "onStatus")
  let current: TransportStatus = { state: "connecting" }
  return {
    get current() {
      return current
    },
    set(next) {
      if (current.state === "closed") return
      current = next
      listeners.tell(next)
      if (next.state === "closed") listeners.clear()
    },
    onStatus: listeners.add,
  }
}
