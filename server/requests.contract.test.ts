import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { io } from "socket.io-client"
import { createSocketIoPublisher } from "throughline/socketio/server"
import { waitFor } from "throughline/testing"
import { afterAll, describe, expect, it } from "vitest"
import { openDatabase } from "#lib/chat/database.ts"
import { createRooms } from "#lib/chat/rooms.ts"
import { parseEnv } from "#lib/env/schema.ts"
import { createLogger, loggedPath } from "#lib/operations/logger.ts"
import { withRequest } from "#lib/operations/request-context.ts"
import { createPublishers } from "#lib/realtime/publishers.ts"
import { createServer } from "./create-server.ts"
import { gatewayOptions } from "./gateway-options.ts"

const DATA_DIR = mkdtempSync(join(tmpdir(), "throughline-requests-"))
afterAll(() => rmSync(DATA_DIR, { recursive: true, force: true }))

const internalSecret = "an internal secret of this test, long enough"

type Line = Record<string, unknown>

async function start() {
  const lines: Line[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Line) }
  const logger = createLogger("gateway", { level: "debug", destination })
  const secret = internalSecret
  const env = parseEnv({
    ...{ DATA_DIR, PORT: "0", HOST: "127.0.0.1", SOCKET_INTERNAL_SECRET: secret },
    SESSION_SECRET: "a session secret of this test, long enough",
  })
  const server = await createServer(await gatewayOptions(env, logger))
  const database = await openDatabase({ dataDir: DATA_DIR })
  await createRooms(database).join({ id: "alice", name: "Alice" }, "lobby")
  await database.destroy()
  const publisher = createSocketIoPublisher({ internalUrl: server.url, secret })
  const { ticket } = (await publisher.credentials({
    ...{ user: { id: "alice", name: "Alice" }, body: {} },
    ...{ authorize: async () => {}, acceptPresence: async () => null },
  })) as { ticket: string }
  const socket = io(server.url, { auth: { ticket }, transports: ["websocket"], forceNew: true })
  await once(socket as never, "connect")
  return { server, lines, socket, publisher }
}

describe("what the log says", () => {
  it("follows each message from the request that brought it to the provider that took it", async () => {
    const { server, lines, socket } = await start()
    const ids = [crypto.randomUUID(), crypto.randomUUID()]
    const publish = (id: string) =>
      socket.emitWithAck("publish", "room:lobby", [{ id, event: "text-sent", payload: { text: "a secret" } }])
    await Promise.all(ids.map(publish))
    const requests = ids.map((id) => {
      const steps = lines.filter(({ message }) => message === id)
      expect(steps.map(({ step }) => step)).toEqual(["append", "deliver", "accept"])
      expect(steps[0]).toMatchObject({ channel: "room:lobby", event: "text-sent", ms: expect.any(Number) })
      expect(steps[1]).toMatchObject({ "throughline.provider": "socketio" })
      return steps[2]?.requestId
    })
    // Committed together, accepted each for its own request.
    expect(new Set(requests).size).toBe(2)
    for (const id of requests) expect(id).toMatch(/^[0-9a-f-]{36}$/)
    expect(JSON.stringify(lines)).not.toContain("a secret")
    socket.disconnect()
    await server.close()
  })

  it("names each request by its proxy's id, or by one of its own, and tells the asker", async () => {
    const { server, lines, socket } = await start()
    const ask = (path: string, id?: string) =>
      fetch(`${server.url}${path}`, { headers: id === undefined ? {} : { "X-Request-Id": id } })
    expect((await ask("/api/health?token=secret", "8f3c.proxy-1")).headers.get("X-Request-Id")).toBe(
      "8f3c.proxy-1",
    )
    const own = (await ask("/api/health", `x${"y".repeat(64)}`)).headers.get("X-Request-Id")
    expect(own).toMatch(/^[0-9a-f-]{36}$/)
    await waitFor(() => lines.filter(({ msg }) => msg === "request").length >= 2)
    expect(lines.find(({ requestId }) => requestId === "8f3c.proxy-1")).toMatchObject({
      ...{ method: "GET", path: "/api/health", status: 200, isComplete: true },
    })
    socket.disconnect()
    await server.close()
  })

  it("names what the app asks a gateway in another process as the request that the app is answering", async () => {
    const { server, lines, socket } = await start()
    const [publisher] = await createPublishers(
      parseEnv({
        ...{ DATA_DIR, SOCKET_URL: server.url, SOCKET_INTERNAL_SECRET: internalSecret },
        SESSION_SECRET: "a session secret of this test, long enough",
      }),
    )
    await withRequest({ id: "8f3c.page-1" }, async () => publisher?.counts?.(["room:lobby"]))
    const asked = await waitFor(() => lines.find(({ path }) => path === "/_realtime/counts"))
    expect(asked).toMatchObject({ msg: "request", requestId: "8f3c.page-1", status: 200 })
    socket.disconnect()
    await server.close()
  })

  it("shows no invitation and no query in a path", () => {
    expect(loggedPath("/invitations/a-token-that-opens-a-room?x=1")).toBe("/invitations/…")
    expect(loggedPath("/Devices/a-token-that-lets-in")).toBe("/devices/…")
    expect(loggedPath("/rooms/lobby?search=private")).toBe("/rooms/lobby")
    expect(loggedPath(undefined)).toBe("/")
  })
})
