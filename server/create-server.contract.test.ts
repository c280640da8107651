import { request as httpRequest } from "node:http"
import { connect } from "node:net"
import type { Duplex } from "node:stream"
import { pino } from "pino"
import { io as connectSocket } from "socket.io-client"
import { createMemoryLog, createMemoryLogStore } from "throughline/server"
import { createSocketIoPublisher } from "throughline/socketio/server"
import {
  contractChannels,
  createContractHttp,
  createContractRealtime,
  describeTransportContract,
  waitFor,
} from "throughline/testing"
import { describe, expect, it } from "vitest"
import { createSocketIoBackend } from "../realtime/testing/socketio-backend.ts"
import { type App, createServer, type RunningServer, type ServerOptions } from "./create-server.ts"

const secret = "a secret of this test, long enough"
const logger = pino({ level: "silent" })
const alice = { id: "alice", name: "Alice" }

function start(options: Partial<ServerOptions> = {}): Promise<RunningServer> {
  return createServer({
    port: 0,
    hostname: "127.0.0.1",
    secret,
    createRealtime: (publisher) => createContractRealtime({ publishers: [publisher] }),
    logger,
    ...options,
  })
}

/** An app that answers everything and takes every upgrade that reaches it, until it is closed. */
function createApp(): App & { upgrades: string[] } {
  const upgrades: string[] = []
  const taken: Duplex[] = []
  return {
    upgrades,
    handle(request, response) {
      response.end(`app: ${request.url}`)
    },
    upgrade(request, socket) {
      if (!request.url?.startsWith("/_next/")) return false
      upgrades.push(request.url)
      taken.push(socket)
      socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
      return true
    },
    async close() {
      for (const socket of taken) socket.destroy()
    },
  }
}

describeTransportContract({
  name: "socketio, one port",
  async start() {
    const server = await start({ app: createApp() })
    const realtime = server.realtime as ReturnType<typeof createContractRealtime>
    return createSocketIoBackend({
      url: server.url,
      http: server.http,
      realtime,
      close: () => server.close(),
    })
  },
})

describeTransportContract({
  name: "socketio, split",
  async start() {
    const store = createMemoryLogStore()
    const server = await start({
      createRealtime: (publisher) => createContractRealtime({ publishers: [publisher], store }),
    })
    const publisher = createSocketIoPublisher({ internalUrl: server.url, publicUrl: server.url, secret })
    // The gateway's outage is the publisher's, too: what is published meanwhile waits so long before it is taken.
    const realtime = createContractRealtime({ publishers: [publisher], store, deliveryTimeoutMs: 500 })
    return createSocketIoBackend({
      url: server.url,
      http: server.http,
      realtime,
      async close() {
        await server.close()
        await realtime.close()
      },
    })
  },
})

/** Opens a raw socket with a ticket, as any client could. */
async function openSocket(server: RunningServer, options: { origin?: string; ticket?: unknown } = {}) {
  const app = createContractHttp(server.realtime as ReturnType<typeof createContractRealtime>, alice)
  const { ticket } = (await app.credentials("socketio", {})) as { ticket: string }
  return connectSocket(server.url, {
    transports: ["websocket"],
    reconnection: false,
    forceNew: true,
    auth: { ticket: "ticket" in options ? options.ticket : ticket },
    ...(options.origin && { extraHeaders: { origin: options.origin } }),
  })
}

function outcome(socket: ReturnType<typeof connectSocket>): Promise<string> {
  return new Promise((resolve) => {
    socket.on("connect", () => resolve("connected"))
    socket.on("connect_error", (error) =>
      resolve((error as { data?: { code?: string } }).data?.code ?? error.message),
    )
  })
}

describe("the shipped server", () => {
  it("hands the app its requests and its upgrades, and keeps the sockets for itself", async () => {
    const app = createApp()
    const server = await start({ app })
    expect(await (await fetch(`${server.url}/rooms/1`)).text()).toBe("app: /rooms/1")
    const socket = await openSocket(server)
    expect(await outcome(socket)).toBe("connected")
    await new Promise<void>((resolve) => {
      const upgrade = httpRequest(`${server.url}/_next/webpack-hmr`, {
        headers: { Connection: "Upgrade", Upgrade: "websocket" },
      })
      upgrade.on("upgrade", () => resolve())
      upgrade.end()
    })
    expect(app.upgrades).toEqual(["/_next/webpack-hmr"])
    expect(socket.connected).toBe(true)
    socket.disconnect()
    await server.close()
  })

  it("lets in pages of its own origin and of listed ones, by either transport", async () => {
    const server = await start({ allowedOrigins: ["https://chat.example", "capacitor://localhost"] })
    for (const [origin, expected] of [
      [server.url, "connected"],
      ["https://chat.example", "connected"],
      ["capacitor://localhost", "connected"],
      ["https://evil.example", "websocket error"],
      ["null", "websocket error"],
    ] as const) {
      const socket = await openSocket(server, { origin })
      expect([origin, await outcome(socket)]).toEqual([origin, expected])
      socket.disconnect()
    }
    const poll = (origin: string) =>
      fetch(`${server.url}/socket.io/?EIO=4&transport=polling`, { headers: { origin } }).then(
        ({ status, headers }) => [status, headers.get("access-control-allow-origin")],
      )
    expect(await poll("https://chat.example")).toEqual([200, "https://chat.example"])
    expect((await poll("https://evil.example"))[0]).toBe(403)
    await server.close()
  })

  it("serves hostile networks by long-polling, with the same answers", async () => {
    const server = await start()
    const { ticket } = (await createContractHttp(
      server.realtime as ReturnType<typeof createContractRealtime>,
      alice,
    ).credentials("socketio", {})) as { ticket: string }
    const socket = connectSocket(server.url, {
      transports: ["polling"],
      upgrade: false,
      forceNew: true,
      auth: { ticket },
    })
    expect(await outcome(socket)).toBe("connected")
    const { name } = contractChannels.room({ room: "polling" })
    const arrived = new Promise((resolve) => socket.on("messages", resolve))
    expect((await socket.timeout(5000).emitWithAck("subscribe", name, null)).ok).toBe(true)
    const message = { id: crypto.randomUUID(), event: "said", payload: { text: "こんにちは" } }
    await socket.timeout(5000).emitWithAck("publish", name, [message])
    expect(await arrived).toMatchObject([{ ...message, seq: 1, from: alice }])
    expect(socket.io.engine.transport.name).toBe("polling")
    socket.disconnect()
    await server.close()
  })

  it("refuses a ticket that is missing, forged, of another secret or expired", async () => {
    const server = await start()
    const { createTickets } = await import("../realtime/providers/socketio/tickets.ts")
    const foreign = createTickets({ secret: "another secret" }).issue(alice)
    const expired = createTickets({ secret, now: () => Date.now() - 120_000 }).issue(alice)
    const unsigned = `${btoa('{"alg":"none"}')}.${btoa('{"sub":"alice","aud":"throughline-gateway","exp":9999999999}')}.`
    for (const ticket of [undefined, null, "", "x", { sub: "alice" }, foreign, expired, unsigned]) {
      const socket = await openSocket(server, { ticket })
      expect(await outcome(socket)).toBe("unauthorized")
      socket.disconnect()
    }
    await server.close()
  })

  it("answers every bad packet, and keeps the connection", async () => {
    const server = await start()
    const socket = await openSocket(server)
    await outcome(socket)
    const room = contractChannels.room({ room: "日本語/:" }).name
    const big = { id: crypto.randomUUID(), event: "said", payload: { text: "x".repeat(200_000) } }
    const cases: [unknown[], string][] = [
      [["unheard-of", 1, 2], "invalid-request"],
      [["constructor"], "invalid-request"],
      [["subscribe"], "channel-unknown"],
      [["subscribe", { toString: "room:1" }, { seq: "x" }], "channel-unknown"],
      [["subscribe", "vault:1", null], "channel-denied"],
      [["publish", room], "invalid-request"],
      [["publish", room, "not a list"], "invalid-request"],
      [["publish", "nowhere", []], "channel-unknown"],
      [["signal", room, "typing", { isTyping: true }], "channel-denied"],
      [["watch", room], "channel-denied"],
      [["enter", room, { mood: "x" }], "channel-denied"],
    ]
    for (const [packet, code] of cases) {
      const answer = await socket.timeout(5000).emitWithAck(...(packet as [string]))
      expect([packet[0], answer.error?.code]).toEqual([packet[0], code])
    }
    const { results } = await socket.timeout(5000).emitWithAck("publish", room, [big])
    expect(results[0].error.code).toBe("message-too-large")
    expect((await socket.timeout(5000).emitWithAck("subscribe", room, { seq: -1, epoch: 7 })).ok).toBe(true)
    expect((await socket.timeout(5000).emitWithAck("enter", room, { mood: 1 })).error.code).toBe(
      "invalid-payload",
    )
    socket.emit("publish", room, "without an acknowledgement")
    expect((await socket.timeout(5000).emitWithAck("leave", room)).ok).toBe(true)
    expect(socket.connected).toBe(true)
    socket.disconnect()
    await server.close()
  })

  it("answers the app's own servers only with the secret", async () => {
    const server = await start()
    const call = (authorization: string | undefined, body: string) =>
      fetch(`${server.url}/_realtime/publish`, {
        method: "POST",
        body,
        headers: authorization ? { authorization } : {},
      })
    expect((await call(undefined, '{"messages":[]}')).status).toBe(401)
    expect((await call("Bearer wrong", '{"messages":[]}')).status).toBe(401)
    expect((await call(`Bearer ${secret}`, '{"messages":[]}')).status).toBe(200)
    expect((await call(`Bearer ${secret}`, '{"messages":[{}]}')).status).toBe(400)
    expect((await call(`Bearer ${secret}`, "not json")).status).toBe(400)
    await server.close()
  })

  it("survives clients that vanish in the middle of a handshake", async () => {
    const server = await start()
    for (let index = 0; index < 20; index += 1) {
      const socket = connect(server.port, "127.0.0.1")
      socket.write("GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n")
      socket.write(
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
      )
      socket.resetAndDestroy()
    }
    const socket = await openSocket(server)
    expect(await outcome(socket)).toBe("connected")
    socket.disconnect()
    await server.close()
  })

  it("says which port is taken", async () => {
    const server = await start()
    await expect(start({ port: server.port })).rejects.toMatchObject({
      code: "EADDRINUSE",
      port: server.port,
    })
    await server.close()
  })

  it("finishes what was accepted, then sends the clients to reconnect", async () => {
    const log = createMemoryLog()
    const gate = Promise.withResolvers<void>()
    const slow = {
      ...log,
      append: async (entries: Parameters<typeof log.append>[0]) => {
        await gate.promise
        return log.append(entries)
      },
    }
    const server = await start({
      createRealtime: (publisher) => createContractRealtime({ publishers: [publisher], log: slow }),
    })
    const socket = await openSocket(server)
    await outcome(socket)
    const message = { id: crypto.randomUUID(), event: "said", payload: { text: "in flight" } }
    const answered = socket.timeout(5000).emitWithAck("publish", "room:1", [message])
    // Answered in order on one connection: this answer says that the publish before it has been read.
    await socket.timeout(5000).emitWithAck("leave", "room:1")
    const closed = server.close()
    gate.resolve()
    expect((await answered).results[0].receipt.seq).toBe(1)
    const reason = await new Promise((resolve) => socket.on("disconnect", resolve))
    expect(reason).not.toBe("io server disconnect")
    await closed
    await waitFor(
      async () =>
        (await fetch(server.url).then(
          () => "open",
          () => "closed",
        )) === "closed",
    )
  })

  it("sends its clients away some at a time, and serves the others meanwhile", async () => {
    const pause = Promise.withResolvers<void>()
    const server = await start({ farewells: 1, pauseBetweenFarewells: () => pause.promise })
    const sockets = [await openSocket(server), await openSocket(server)]
    await Promise.all(sockets.map(outcome))
    const gone: number[] = []
    for (const [index, socket] of sockets.entries()) socket.on("disconnect", () => gone.push(index))
    const closed = server.close()
    await waitFor(() => gone.length === 1)
    const [left] = sockets.filter((_, index) => !gone.includes(index))
    const message = { id: crypto.randomUUID(), event: "said", payload: { text: "still here" } }
    const answer = await left?.timeout(5000).emitWithAck("publish", "room:1", [message])
    expect(answer.results[0].receipt.seq).toBe(1)
    expect(gone.length).toBe(1)
    pause.resolve()
    await waitFor(() => gone.length === 2)
    await closed
  })
})
