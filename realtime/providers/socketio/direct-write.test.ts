import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo, Socket as NodeSocket } from "node:net"
import { Server, type ServerOptions } from "socket.io"
import { io as connect, type ManagerOptions, type Socket } from "socket.io-client"
import { describe, expect, it } from "vitest"
import { waitFor } from "../../testing/wait-for.ts"
import { wireOf } from "../../testing/wire-of.ts"
import { answerDirectly, emitToEach, textFrame } from "./direct-write.ts"

/** A real server and real clients; how often a socket was sent to in the long way is counted. */
async function open(options: Partial<ServerOptions> = {}) {
  const stack = new AsyncDisposableStack()
  const http = createServer()
  const io = new Server(http, options)
  stack.defer(() => void io.close())
  http.listen(0, "127.0.0.1")
  await once(http, "listening")
  let packets = 0
  io.on("connection", (socket) => {
    answerDirectly(socket)
    socket.conn.on("packetCreate", ({ type }) => {
      if (type === "message") packets += 1
    })
    socket.on("ask", (answer: (text: string) => void) => answer("answered"))
  })
  return {
    io,
    long: () => packets,
    ids: () => io.sockets.adapter.sids.keys(),
    async connect(given: Partial<ManagerOptions> = { transports: ["websocket"] }): Promise<Socket> {
      const client = connect(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, {
        ...given,
        forceNew: true,
      })
      stack.defer(() => void client.close())
      await once(client as never, "connect")
      packets = 0
      return client
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

function collect(client: Socket): unknown[][] {
  const received: unknown[][] = []
  client.onAny((...event) => received.push(event))
  return received
}

describe("an event sent to each of many sockets", () => {
  it.each([
    ["nothing", 0],
    ["the longest of one byte's length", 100],
    ["two bytes' length", 126 - 20],
    ["much", 65_520],
    ["eight bytes' length", 70_000],
    ["very much", 900_000],
  ])("arrives whole: %s", async (_what, length) => {
    await using server = await open()
    const received = collect(await server.connect())
    const text = "日".repeat(length / 3).padEnd(length, "x")
    emitToEach(server.io, server.ids(), "said", text, { n: 1 })
    await waitFor(() => received.length === 1)
    expect(received).toEqual([["said", text, { n: 1 }]])
    expect(server.long()).toBe(0)
  })

  it("stands in order with what Socket.IO sends, before it and after it", async () => {
    await using server = await open()
    const received = collect(await server.connect())
    for (let n = 0; n < 300; n += 3) {
      server.io.emit("said", n)
      emitToEach(server.io, server.ids(), "said", n + 1)
      server.io.local.volatile.emit("gone", n)
      emitToEach(server.io, server.ids(), "said", n + 2)
    }
    await waitFor(() => received.filter(([event]) => event === "said").length === 300)
    expect(received.filter(([event]) => event === "said").map(([, n]) => n)).toEqual(
      Array.from({ length: 300 }, (_, n) => n),
    )
  })

  it("stands in order with the answers to requests", async () => {
    await using server = await open()
    const client = await server.connect()
    const order: string[] = []
    client.on("said", (text: string) => order.push(text))
    server.io.sockets.sockets.get(client.id ?? "")?.on("order", (answer: () => void) => {
      emitToEach(server.io, server.ids(), "said", "before")
      answer()
      emitToEach(server.io, server.ids(), "said", "after")
    })
    client.emit("order", () => order.push("answered"))
    await waitFor(() => order.length === 3)
    expect(order).toEqual(["before", "answered", "after"])
  })

  it("leaves after the answers of its turn: whoever published needn't wait for everybody", async () => {
    await using server = await open()
    const clients = [await server.connect(), await server.connect(), await server.connect()]
    const asking = clients[1]
    const left: string[] = []
    for (const [id, { conn }] of server.io.sockets.sockets) {
      const { socket } = conn.transport as unknown as { socket: { _socket: NodeSocket } }
      const tcp = socket._socket
      const { uncork } = tcp
      tcp.uncork = () => {
        left.push(id)
        uncork.call(tcp)
      }
    }
    server.io.sockets.sockets.get(asking?.id ?? "")?.on("publish", (answer: () => void) => {
      emitToEach(server.io, server.ids(), "said", 1)
      answer()
    })
    const all = Promise.all(clients.map((client) => once(client as never, "said")))
    await asking?.emitWithAck("publish")
    await all
    expect(left).toEqual([asking, clients[0], clients[2]].map((client) => client?.id))
  })

  it.each([
    { what: "long polling", client: { transports: ["polling"] }, server: {} },
    { what: "compression", client: undefined, server: { perMessageDeflate: { threshold: 0 } } },
  ])("takes the long way over $what", async ({ client, server: options }) => {
    await using server = await open(options)
    const received = collect(await server.connect(client))
    emitToEach(server.io, server.ids(), "said", 1)
    await waitFor(() => received.length === 1)
    expect(received).toEqual([["said", 1]])
    expect(server.long()).toBe(1)
  })

  it("takes the long way where somebody listens to what goes out", async () => {
    await using server = await open()
    const received = collect(await server.connect())
    const seen: unknown[] = []
    for (const socket of server.io.sockets.sockets.values())
      socket.onAnyOutgoing((...event) => seen.push(event))
    emitToEach(server.io, server.ids(), "said", 1)
    await waitFor(() => received.length === 1)
    expect(received).toEqual([["said", 1]])
    expect(seen).toEqual([["said", 1]])
  })

  it("is JSON on either way, as it comes from the log", async () => {
    await using server = await open()
    const clients = [await server.connect(), await server.connect({ transports: ["polling"] })]
    const received = clients.map(collect)
    const given = { bytes: Buffer.from([1, 2]), at: new Date(0), absent: undefined }
    emitToEach(server.io, server.ids(), "said", given)
    await waitFor(() => received.every((events) => events.length === 1))
    const sent = [["said", JSON.parse(JSON.stringify(given))]]
    expect(received).toEqual([sent, sent])
  })

  it("leaves out whoever has just gone, and goes on with the others", async () => {
    await using server = await open()
    const gone = await server.connect()
    const received = collect(await server.connect())
    const ids = [...server.ids()]
    gone.disconnect()
    await waitFor(() => server.io.sockets.sockets.size === 1)
    emitToEach(server.io, ids, "said", 1)
    await waitFor(() => received.length === 1)
  })

  it("counts as waiting where it isn't read", async () => {
    await using server = await open()
    const client = await server.connect()
    const [socket] = server.io.sockets.sockets.values()
    wireOf(client).pause()
    const transport = socket?.conn.transport as { socket?: { bufferedAmount: number } } | undefined
    const waiting = () => transport?.socket?.bufferedAmount ?? 0
    await waitFor(() => {
      emitToEach(server.io, server.ids(), "said", "x".repeat(100_000))
      return waiting() > 2_000_000
    })
  })
})

describe("an answer", () => {
  it("goes the same short way, with what else is written in that turn, in one system call", async () => {
    await using server = await open()
    const client = await server.connect()
    const [socket] = server.io.sockets.sockets.values()
    if (!socket) throw new Error("nobody is connected")
    const tcp = (socket.conn.transport as unknown as { socket: { _socket: TcpSocket } }).socket._socket
    let calls = 0
    for (const method of ["_write", "_writev"] as const) {
      const original = tcp[method]
      tcp[method] = function (...args) {
        calls += 1
        return original?.apply(this, args)
      }
    }
    const order: string[] = []
    client.on("said", (text: string) => order.push(text))
    socket.on("order", (answer: (text: string) => void) => {
      emitToEach(server.io, server.ids(), "said", "before")
      answer("answered")
      emitToEach(server.io, server.ids(), "said", "after")
    })
    order.push(await client.emitWithAck("order"))
    await waitFor(() => order.length === 3)
    expect(order.toSorted()).toEqual(["after", "answered", "before"])
    expect([calls, server.long()]).toEqual([1, 0])
  })

  it("arrives over long polling", async () => {
    await using server = await open()
    const client = await server.connect({ transports: ["polling"] })
    const socket = server.io.sockets.sockets.get(client.id ?? "")
    socket?.on("give", (answer: (value: unknown) => void) => answer("text"))
    expect(await client.emitWithAck("give")).toBe("text")
    expect(server.long()).toBeGreaterThan(0)
  })

  it("carries one page to all who are given it, in any script and of any length", async () => {
    await using server = await open()
    for (const text of ["plain", "日本語 👩‍👩‍👧", "語".repeat(30_000)]) {
      const answer = { ok: true, page: { messages: [{ text }] } }
      for (const client of [await server.connect(), await server.connect()]) {
        const socket = server.io.sockets.sockets.get(client.id ?? "")
        socket?.on("give", (give: (value: unknown) => void) => give(answer))
        expect(await client.emitWithAck("give")).toEqual(answer)
      }
    }
    expect(server.long()).toBe(0)
  })

  it("is given once, however often", async () => {
    await using server = await open()
    const client = await server.connect()
    const received = collect(client)
    const socket = server.io.sockets.sockets.get(client.id ?? "")
    socket?.on("twice", (answer: (n: number) => void) => {
      answer(1)
      answer(2)
      socket.emit("done")
    })
    expect(await client.emitWithAck("twice")).toBe(1)
    await waitFor(() => received.length === 1)
  })
})

interface TcpSocket {
  _write: ((...args: unknown[]) => void) | undefined
  _writev: ((...args: unknown[]) => void) | undefined
}

it("frames text as RFC 6455 says", () => {
  expect(textFrame("Hello").toString("hex")).toBe("810548656c6c6f")
  expect(textFrame("日", Buffer.from("本語"))).toEqual(textFrame("日本語"))
  expect(textFrame("x".repeat(256)).subarray(0, 4).toString("hex")).toBe("817e0100")
  expect(textFrame("x".repeat(65_536)).subarray(0, 10).toString("hex")).toBe("817f0000000000010000")
})
