import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync } from "node:fs"
import type { AddressInfo } from "node:net"
import { connect as connectTcp, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { io } from "socket.io-client"
import { createSocketIoPublisher } from "throughline/socketio/server"
import { waitFor } from "throughline/testing"
import { afterEach, describe, expect, it } from "vitest"
import { type ProgramOptions, runProgram } from "./testing/program.ts"

const sessionSecret = "a session secret of this test, long enough"
const metricsToken = "a metrics token of this test"
const internalSecret = "an internal secret of this test, long enough"

const running = new Set<ChildProcess>()
afterEach(async () => {
  for (const child of running) child.kill("SIGKILL")
  running.clear()
})

function run(
  file: Parameters<typeof runProgram>[0],
  env: Record<string, string>,
  options: ProgramOptions = {},
) {
  const program = runProgram(file, env, options)
  running.add(program.child)
  return program
}

async function startGateway(dataDir: string, env: Record<string, string> = {}, options?: ProgramOptions) {
  const gateway = run(
    "gateway.ts",
    {
      NODE_ENV: "production",
      REALTIME_PROVIDER: "socketio",
      SESSION_SECRET: sessionSecret,
      SOCKET_INTERNAL_SECRET: internalSecret,
      METRICS_TOKEN: metricsToken,
      DATA_DIR: dataDir,
      PORT: "0",
      ...env,
    },
    options,
  )
  const url = await gateway.whenStarted(() => /"url":"(http:[^"]+)"/.exec(gateway.output.text)?.[1])
  return { ...gateway, url, port: new URL(url).port }
}

/** Connects as this person; resolves with null when the server takes no connection. */
async function tryToConnect(url: string, user: { id: string; name: string }) {
  const publisher = createSocketIoPublisher({ internalUrl: url, secret: internalSecret })
  const { ticket } = (await publisher.credentials({
    user,
    body: {},
    authorize: async () => {},
    acceptPresence: async () => null,
  })) as { ticket: string }
  const socket = io(url, { auth: { ticket }, transports: ["websocket"], reconnection: false, forceNew: true })
  const isConnected = await new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true))
    socket.once("connect_error", () => resolve(false))
  })
  return isConnected ? socket : null
}

async function connect(url: string, user: { id: string; name: string }) {
  const socket = await tryToConnect(url, user)
  if (!socket) throw new Error("the gateway takes no connection")
  return socket
}

const dataDir = () => mkdtempSync(join(tmpdir(), "throughline-process-"))

describe("the gateway's process", () => {
  it("says all that is missing in one message, and ends", async () => {
    const { exited, output } = run("gateway.ts", { NODE_ENV: "production", PUSHER_KEY: "k", PORT: "0" })
    expect(await exited).toBe(1)
    expect(output.text).toContain("REALTIME_PROVIDER is missing")
    expect(output.text).toContain("SESSION_SECRET is missing")
    expect(output.text).not.toContain("at ")
  })

  it("says which port is taken, in one line", async () => {
    const taken = createServer().listen(0)
    await once(taken, "listening")
    const { port } = taken.address() as AddressInfo
    const { exited, output } = run("gateway.ts", { DATA_DIR: dataDir(), PORT: String(port) })
    expect(await exited).toBe(1)
    expect(output.text.trim()).toBe(
      `Port ${port} is in use. Stop what listens there, or set PORT to another one.`,
    )
    taken.close()
  })

  it("is well, and ends in order when it is told to", async () => {
    const gateway = await startGateway(dataDir())
    expect(await (await fetch(`${gateway.url}/api/health`)).json()).toEqual({ status: "ok" })
    expect(await (await fetch(`${gateway.url}/api/ready`)).json()).toEqual({ status: "ready" })
    expect((await fetch(`${gateway.url}/nothing`)).status).toBe(404)
    const socket = await connect(gateway.url, { id: "alice", name: "Alice" })
    const readMetrics = (token: string) =>
      fetch(`${gateway.url}/api/metrics`, { headers: { Authorization: `Bearer ${token}` } })
    expect((await readMetrics("a wrong token of this test")).status).toBe(401)
    expect(await (await readMetrics(metricsToken)).text()).toContain("throughline_gateway_connections 1")
    const left = once(socket as never, "disconnect")
    gateway.child.kill("SIGTERM")
    expect(await gateway.exited).toBe(0)
    expect((await left)[0]).not.toBe("io server disconnect")
  })

  it("ends at once when it is told a second time, and keeps what it acknowledged", async () => {
    const directory = dataDir()
    const gateway = await startGateway(directory)
    await joinLobby(directory)
    const socket = await connect(gateway.url, { id: "alice", name: "Alice" })
    const message = { id: crypto.randomUUID(), event: "text-sent", payload: { text: "x" } }
    const { results } = await socket.emitWithAck("publish", "room:lobby", [message])
    expect(results[0].receipt.id).toBe(message.id)
    // Whoever is in the middle of a request keeps an orderly end waiting for its eight seconds.
    const { port } = new URL(gateway.url)
    const slow = connectTcp(Number(port), "127.0.0.1")
    await once(slow, "connect")
    slow.on("error", () => {})
    slow.write("POST /_realtime/publish HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n")
    slow.write(`Authorization: Bearer ${internalSecret}\r\n\r\n{`)
    await waitFor(async () => (await fetch(`${gateway.url}/api/health`)).status === 200)
    gateway.child.kill("SIGTERM")
    await waitFor(() => gateway.output.text.includes("stopping"))
    gateway.child.kill("SIGTERM")
    expect(await gateway.exited).toBe(1)
    expect(gateway.output.text).not.toContain("closing took too long")
    slow.destroy()

    const second = await startGateway(directory)
    const again = await connect(second.url, { id: "alice", name: "Alice" })
    const { page } = await again.emitWithAck("subscribe", "room:lobby", { epoch: "", seq: 0 })
    expect(page.messages.map(({ id }: { id: string }) => id)).toEqual([message.id])
    again.disconnect()
  })

  it("starts and serves while Redis is down, and says so", async () => {
    const directory = dataDir()
    const gateway = await startGateway(directory, { REDIS_URL: "redis://127.0.0.1:9" })
    await joinLobby(directory)
    const ready = await fetch(`${gateway.url}/api/ready`)
    expect([ready.status, await ready.json()]).toEqual([200, { status: "ready", without: ["Redis"] }])
    const socket = await connect(gateway.url, { id: "alice", name: "Alice" })
    const received = once(socket as never, "messages")
    await socket.emitWithAck("subscribe", "room:lobby", null)
    const message = { id: crypto.randomUUID(), event: "text-sent", payload: { text: "x" } }
    expect((await socket.emitWithAck("publish", "room:lobby", [message])).results[0].receipt.id).toBe(
      message.id,
    )
    expect((await received)[0]).toMatchObject([{ id: message.id }])
    expect(gateway.output.text).toMatch(/"level":50.*Redis/)
    gateway.child.kill("SIGTERM")
    expect(await gateway.exited).toBe(0)
  })

  it("out of file descriptors serves whom it has, and takes more when some are free", async () => {
    const directory = dataDir()
    const gateway = await startGateway(directory, {}, { maxFiles: 80 })
    await joinLobby(directory)
    // It has opened its log by then: a balancer sends nobody before.
    expect((await fetch(`${gateway.url}/api/ready`)).status).toBe(200)
    const alice = { id: "alice", name: "Alice" }
    const sockets = [await connect(gateway.url, alice)]
    for (let isFull = false; !isFull; ) {
      const socket = await tryToConnect(gateway.url, alice)
      if (socket) sockets.push(socket)
      isFull = socket === null
      expect(sockets.length).toBeLessThan(80)
    }
    // Not for want of files: some are kept for the process itself.
    await waitFor(() => gateway.output.text.includes('"maxConnections":40,"maxFiles":80'), "the reason")
    const [writer, reader] = sockets as [(typeof sockets)[0], (typeof sockets)[0]]
    const received = once(reader as never, "messages")
    await reader.emitWithAck("subscribe", "room:lobby", null)
    const message = { id: crypto.randomUUID(), event: "text-sent", payload: { text: "x" } }
    expect((await writer.emitWithAck("publish", "room:lobby", [message])).results[0].receipt.id).toBe(
      message.id,
    )
    expect((await received)[0]).toMatchObject([{ id: message.id }])
    for (const socket of sockets.slice(2)) socket.disconnect()
    const late = await waitFor(() => tryToConnect(gateway.url, alice), "room for another connection")
    for (const socket of [writer, reader, late]) socket.disconnect()
    expect(gateway.child.exitCode).toBeNull()
  })

  it("loses nothing that it acknowledged, when it is killed in the middle of committing a group", async () => {
    const directory = dataDir()
    const first = await startGateway(directory)
    await joinLobby(directory)
    const socket = await connect(first.url, { id: "alice", name: "Alice" })
    const acknowledged: string[] = []
    let isOver = false
    // So many wait for the log at a time that each commit is of several.
    const lanes = Array.from({ length: 20 }, async () => {
      while (!isOver) {
        const id = crypto.randomUUID()
        const message = { id, event: "text-sent", payload: { text: "x" } }
        const answer = await socket
          .timeout(2000)
          .emitWithAck("publish", "room:lobby", [message])
          .catch(() => null)
        if (answer?.results?.[0]?.receipt) acknowledged.push(id)
        // The budget of a person is used up: the rest of the time is for what is under way.
        if (answer?.ok === false) return
      }
    })
    await waitFor(() => acknowledged.length >= 60)
    first.child.kill("SIGKILL")
    await first.exited
    isOver = true
    socket.disconnect()
    await Promise.all(lanes)

    const second = await startGateway(directory)
    const again = await connect(second.url, { id: "alice", name: "Alice" })
    const answer = await again.timeout(5000).emitWithAck("subscribe", "room:lobby", { epoch: "", seq: 0 })
    const kept = answer.page.messages.map(({ id }: { id: string }) => id)
    expect(acknowledged.filter((id) => !kept.includes(id))).toEqual([])
    expect(new Set(kept).size).toBe(kept.length)
    again.disconnect()
  })

  it("takes ten thousand messages at once from one client: each is accepted or told when to try again", async () => {
    const directory = dataDir()
    const gateway = await startGateway(directory)
    await joinLobby(directory)
    const socket = await connect(gateway.url, { id: "alice", name: "Alice" })
    const outcomes = await Promise.all(
      Array.from({ length: 10_000 }, async () => {
        const message = { id: crypto.randomUUID(), event: "text-sent", payload: { text: "flood" } }
        const answer = await socket.timeout(60_000).emitWithAck("publish", "room:lobby", [message])
        if (answer.ok) return "accepted"
        return answer.error.retryAfterMs > 0 ? answer.error.code : "no time to wait"
      }),
    )
    expect(new Set(outcomes)).toEqual(new Set(["accepted", "rate-limited"]))
    expect(socket.connected).toBe(true)
    expect((await fetch(`${gateway.url}/api/health`)).status).toBe(200)
    socket.disconnect()
  })
})

/** Makes Alice a member, as signing in does. */
async function joinLobby(directory: string): Promise<void> {
  const { openDatabase } = await import("#lib/chat/database.ts")
  const { createRooms } = await import("#lib/chat/rooms.ts")
  const database = await openDatabase({ dataDir: directory })
  await createRooms(database).join({ id: "alice", name: "Alice" }, "lobby")
  await database.destroy()
}
