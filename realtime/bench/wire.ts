import { WebSocket } from "ws"

/**
 * A client that costs almost nothing: Socket.IO's wire format over a bare WebSocket, packets counted instead
 * of parsed. What a load generator spends on itself is not to be taken for the server's.
 */
export interface WireClient {
  emit(args: readonly unknown[]): void
  /** Resolves with the raw acknowledgement. */
  request(args: readonly unknown[]): Promise<string>
  close(): void
}

export function connectWire(
  url: string,
  auth: object,
  onEvent: (packet: string) => void,
): Promise<WireClient> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`, {
      perMessageDeflate: false,
    })
    const waiting = new Map<number, (answer: string) => void>()
    let nextId = 0
    const client: WireClient = {
      emit: (args) => socket.send(`42${JSON.stringify(args)}`),
      request(args) {
        const id = nextId
        nextId += 1
        socket.send(`42${id}${JSON.stringify(args)}`)
        return new Promise((answered) => waiting.set(id, answered))
      },
      close: () => socket.terminate(),
    }
    socket.on("error", reject)
    socket.on("message", (data: Buffer) => {
      const packet = data.toString("latin1")
      if (packet.startsWith("42")) onEvent(packet)
      else if (packet === "2") socket.send("3")
      else if (packet.startsWith("43")) {
        const end = packet.indexOf("[")
        const id = Number(packet.slice(2, end))
        waiting.get(id)?.(packet.slice(end))
        waiting.delete(id)
      } else if (packet.startsWith("40")) resolve(client)
      else if (packet.startsWith("44")) reject(new Error(`refused: ${packet}`))
      else if (packet.startsWith("0")) socket.send(`40${JSON.stringify(auth)}`)
    })
  })
}
