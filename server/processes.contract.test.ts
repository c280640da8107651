import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync } from "node:fs"
import type { AddressInfo } from "node:net"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { io } from "socket.io-client"
import { afterEach, describe, expect, it } from "vitest"
import { createSocketIoPublisher } from "#realtime/providers/socketio/server"
import { waitFor } from "#realtime/testing"

const sessionSecret = "a session secret of this test, long enough"
const internalSecret = "an internal secret of this test, long enough"

const running = new Set<ChildProcess>()
afterEach(async () => {
  for (const child of running) child.kill("SIGKILL")
  running.clear()
})

/** Runs one of the shipped programs as an operator would, with nothing but this environment. */
function run(file: string, env: Record<string, string>) {
  const child = spawn(process.execPath, [join(import.meta.dirname, file)], {
    env: Object.assign({ NODE_ENV: "development" as const, PATH: process.env.PATH }, env),
    stdio: ["ignore", "pipe", "pipe"],
  })
  running.add(child)
  const output = { text: "" }
  child.stdout.on("data", (data: Buffer) => {
    output.text += data
  })
  child.stderr.on("data", (data: Buffer) => {
    output.text += data
  })
  const exited = once(child, "exit").then(([code]) => code as number | null)
  return { child, output, exited }
}

async function startGateway(dataDir: string, port = "0") {
  const gateway = run("gateway.ts", {
    NODE_ENV: "production",
    REALTIME_PROVIDER: "socketio",
    SESSION_SECRET: sessionSecret,
    SOCKET_INTERNAL_SECRET: internalSecret,
    DATA_DIR: dataDir,
    PORT: port,
  })
  const url = await waitFor(() => /"url":"(http:[^"]+)"/.exec(gateway.output.text)?.[1], "the gateway")
  return { ...gateway, url, port: new URL(url).port }
}

async function connect(url: string, user: { id: string; name: string }) {
  const publisher = createSocketIoPublisher({ internalUrl: url, secret: internalSecret })
  const { ticket } = (await publisher.credentials({
    user,
    body: {},
    authorize: async () => {},
    acceptPresence: async () => null,
  })) as { ticket: string }
  const socket = io(url, { auth: { ticket }, transports: ["websocket"], reconnection: false, forceNew: true })
  await once(socket as never, "connect")
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
    expect((await fetch(`${gateway.url}/nothing`)).status).toBe(404)
    const socket = await connect(gateway.url, { id: "alice", name: "Alice" })
    const left = once(socket as never, "disconnect")
    gateway.child.kill("SIGTERM")
    expect(await gateway.exited).toBe(0)
    expect((await left)[0]).not.toBe("io server disconnect")
  })

  it("loses nothing that it acknowledged, when it is killed in the middle", async () => {
    const directory = dataDir()
    const first = await startGateway(directory)
    await joinLobby(directory)
    const socket = await connect(first.url, { id: "alice", name: "Alice" })
    const acknowledged: string[] = []
    let isOver = false
    const sending = (async () => {
      while (!isOver) {
        const id = crypto.randomUUID()
        const message = { id, event: "text-sent", payload: { text: "x" } }
        const answer = await socket
          .timeout(2000)
          .emitWithAck("publish", "room:lobby", [message])
          .catch(() => null)
        if (answer?.results?.[0]?.receipt) acknowledged.push(id)
      }
    })()
    await waitFor(() => acknowledged.length >= 20)
    first.child.kill("SIGKILL")
    await first.exited
    isOver = true
    await sending

    const second = await startGateway(directory)
    const again = await connect(second.url, { id: "alice", name: "Alice" })
    const answer = await again.timeout(5000).emitWithAck("subscribe", "room:lobby", { epoch: "", seq: 0 })
    const kept = answer.page.messages.map(({ id }: { id: string }) => id)
    expect(kept.slice(0, acknowledged.length)).toEqual(acknowledged)
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
