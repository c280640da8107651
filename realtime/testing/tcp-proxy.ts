import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"

/** A wire to a server that can be cut: for servers that have no faults of their own. */
export interface TcpProxy extends AsyncDisposable {
  /** The port that it listens on, on 127.0.0.1. */
  readonly port: number
  /** How many bytes have come so far, from both ends together. */
  readonly bytes: number
  /** Without a goodbye, as a network does. */
  dropConnections(): void
  /** From now on nothing passes on what is open, either way, and neither end is told. */
  freeze(): void
  /**
   * From now on nothing passes, on what is opened as well, until the returned function is called; then all of
   * it does, in order.
   */
  stall(): () => void
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
  /** Both ends of each wire that isn't frozen. */
  const wires = new Set<readonly [Socket, Socket]>()
  const stalls = new Set<object>()
  let isOut = false
  let isSwallowing = false
  let bytesOfClosed = 0

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
    const wire = [client, upstream] as const
    wires.add(wire)
    for (const [socket, other] of [wire, [upstream, client]] as const) {
      open.add(socket)
      socket.setNoDelay(true)
      socket.on("error", () => other.destroy())
      socket.on("close", () => {
        bytesOfClosed += socket.bytesRead
        open.delete(socket)
        wires.delete(wire)
        other.destroy()
      })
    }
    if (stalls.size === 0) flow(wire)
  }

  function flow([client, upstream]: readonly [Socket, Socket]): void {
    client.pipe(upstream)
    upstream.pipe(client)
  }
  server.listen(0, "127.0.0.1")
  await once(server, "listening")

  function dropConnections(): void {
    for (const socket of open) socket.destroy()
  }

  return {
    port: (server.address() as AddressInfo).port,
    get bytes() {
      return [...open].reduce((sum, { bytesRead }) => sum + bytesRead, bytesOfClosed)
    },
    dropConnections,
    freeze() {
      wires.clear()
      for (const socket of open) socket.unpipe().resume()
    },
    stall() {
      const stall = {}
      stalls.add(stall)
      for (const wire of wires) for (const socket of wire) socket.unpipe()
      return () => {
        if (stalls.delete(stall) && stalls.size === 0) for (const wire of wires) flow(wire)
      }
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
