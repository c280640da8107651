/** A WebSocket class whose connections can be lost, for a service that can't be asked to lose them. */
export interface BreakableWebSocket {
  readonly WebSocket: typeof WebSocket
  dropConnections(): void
  /** Drops all, and lets none be made until the returned function is called. */
  startOutage(): Promise<() => void>
}

/** Where nothing listens: connecting to it fails as a network does. */
const nowhere = "ws://127.0.0.1:1"

export function createBreakableWebSocket(Base = globalThis.WebSocket): BreakableWebSocket {
  const open = new Set<WebSocket>()
  let isOut = false

  class Breakable extends Base {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(isOut ? nowhere : url, protocols)
      open.add(this)
      this.addEventListener("close", () => open.delete(this))
    }
  }

  function dropConnections(): void {
    for (const socket of open) socket.close()
  }

  return {
    WebSocket: Breakable,
    dropConnections,
    async startOutage() {
      isOut = true
      dropConnections()
      return () => {
        isOut = false
      }
    },
  }
}
