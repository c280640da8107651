import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"

/** A wire to a server that can be cut: for servers that have no faults of their own. */
export interface TcpProxy extends AsyncDisposable {
  /** The port that it listens on, on 127.0.0.1. */
  readonly port: number
  /** Without a goodbye, as a network does. */
  dropConnections(): void
  /** From now on nothing passes on what is open, either way, and neither end is told. */
  freeze(): void
  /**
   * From now on nobody answers a WebSocket's handshake, while all else passes, until
   * the returned function is called.
   */
  swallowUpgrades(): () => void
  /** Cuts all, and each new one at once, until the returned function is called. */
  startOutage(): Promise<() => void>
}

/** Starts a wire to `target`, a `host` and a `port`, on a free port of this machine. */
export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const open = new Set<Socket>()
  let isOut = false
  let isSwallowing = false

  const server = createServer((client) => {
    if (isOut) {
      client.destroy()
      return
    }
    if (!isSwallowing) return join(client)
    client.once("data", (start) => {
      if (isSwallowing && /^upgrade: *websocket/im.test(start.toString("latin1"))) {
        open.add(client.resume().on("error", () => {}))
        client.on("close", () => open.delete(client))
        return
      }
      client.pause().unshift(start)
      join(client)
    })
  })

  function join(client: Socket): void {
    const upstream = connect(target)
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(socket)
      socket.setNoDelay(true)
      socket.on("error", () => other.destroy())
      socket.on("close", () => {
        open.delete(socket)
        other.destroy()
      })
      socket.pipe(other)
    }
  }
  server.listen(0, "127.0.0.1")
  await once(server, "listening")

  function dropConnections(): void {
    for (const socket of open) socket.destroy()
  }

  return {
    port: (server.address() as AddressInfo).port,
    dropConnections,
    freeze() {
      for (const socket of open) socket.unpipe().resume()
    },
    swallowUpgrades() {
      isSwallowing = true
      return () => {
        isSwallowing = false
      }
    },
    async startOutage() {
      isOut = true
      dropConnections()
      return () => {
        isOut = false
      }
    },
    async [Symbol.asyncDispose]() {
      server.close()
      dropConnections()
    },
  }
}
