import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { type AddressInfo, createServer, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it, onTestFinished, vi } from "vitest"
import { parseEnv } from "../env/schema.ts"
import { createChat } from "../realtime/create.ts"
import { health, metrics, type Part, ready, retention } from "./pages.ts"

/** Something that takes connections and says nothing, as behind a firewall that drops what it doesn't like. */
async function startSilence(): Promise<number> {
  const sockets: Socket[] = []
  const server = createServer((socket) => void sockets.push(socket)).listen(0, "127.0.0.1")
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  await once(server, "listening")
  return (server.address() as AddressInfo).port
}

/** The environment of a chat that keeps what it has in a folder of its own. */
function environment(more: Record<string, string>) {
  const dataDir = mkdtempSync(join(tmpdir(), "throughline-pages-"))
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }))
  return parseEnv({
    ...{ SESSION_SECRET: "a session secret of this test, long enough", DATA_DIR: dataDir },
    ...{ REALTIME_PROVIDER: "socketio", LOG_LEVEL: "silent", ...more },
  })
}

async function told(getParts: () => Promise<readonly Part[]>): Promise<unknown[]> {
  const answer = await ready(getParts)
  return [answer.status, await answer.json()]
}

const part = (name: string, ask: () => Promise<unknown>, isNeeded = true): Part => ({ name, ask, isNeeded })
const well = part("the log", async () => {})
const never = () => new Promise<never>(() => {})
const unavailable = (reason: string) => [503, { status: "unavailable", reason }]

describe("a process", () => {
  it("lives", () => {
    expect(health().status).toBe(200)
  })

  it("can serve, or says what doesn't answer, and no more of it", async () => {
    expect(await told(async () => [well])).toEqual([200, { status: "ready" }])
    const down = async () => Promise.reject(new Error("postgres://secret@db"))
    expect(await told(async () => [part("the log", down)])).toEqual(unavailable("the log doesn't answer"))
    const both = [part("the log", down), part("the chat's database", down), part("Redis", down, false)]
    expect(await told(async () => both)).toEqual(unavailable("the log and the chat's database don't answer"))
    expect(await told(() => Promise.reject(new Error("SESSION_SECRET is missing")))).toEqual(
      unavailable("the chat can't start"),
    )
  })

  it("can serve without what isn't needed, and names it", async () => {
    const away = part("Redis", () => Promise.reject(new Error("away")), false)
    expect(await told(async () => [well, away])).toEqual([200, { status: "ready", without: ["Redis"] }])
  })

  it("doesn't wait for what says nothing, nor ask it again meanwhile", async () => {
    const ask = vi.fn(never)
    const silent = part("the log", ask)
    const parts = async () => [silent, part("Redis", never, false)]
    const answers = await Promise.all([told(parts), told(parts), told(never)])
    expect(answers).toEqual([
      unavailable("the log doesn't answer"),
      unavailable("the log doesn't answer"),
      unavailable("the chat is still starting"),
    ])
    expect(ask).toHaveBeenCalledTimes(1)
  })

  it("asks again what has answered", async () => {
    const ask = vi.fn(async () => {})
    const parts = [part("the log", ask)]
    for (let time = 0; time < 3; time += 1) expect((await told(async () => parts))[0]).toBe(200)
    expect(ask).toHaveBeenCalledTimes(3)
  })

  it("of the chat serves while Redis says nothing, and names it", async () => {
    const env = environment({ REDIS_URL: `redis://127.0.0.1:${await startSilence()}` })
    const chat = await createChat({ env, publishers: [] })
    onTestFinished(() => chat.close())
    expect(await told(async () => chat.parts)).toEqual([200, { status: "ready", without: ["Redis"] }])
  })

  it("of the chat names what can't be read of its two databases", async () => {
    const chat = await createChat({ env: environment({}), publishers: [] })
    expect(await told(async () => chat.parts)).toEqual([200, { status: "ready" }])
    await chat.close()
    expect(await told(async () => chat.parts)).toEqual(
      unavailable("the log and the chat's database don't answer"),
    )
  })
})

describe("the pages for whoever runs the servers", () => {
  it("show the metrics to whoever knows the token, and to nobody where there is none", async () => {
    const token = "a token of this test"
    expect((await metrics(undefined, null)).status).toBe(404)
    expect((await metrics(token, null)).status).toBe(401)
    expect((await metrics(token, "Bearer wrong")).status).toBe(401)
    const shown = await metrics(token, `Bearer ${token}`)
    expect([shown.status, shown.headers.get("content-type")]).toEqual([
      200,
      expect.stringContaining("text/plain"),
    ])
    expect(await shown.text()).toContain("throughline_process_cpu_seconds_total")
  })

  it("apply the retention for whoever knows the secret, and for nobody where there is none", async () => {
    const secret = "a secret of this test"
    const apply = vi.fn(async () => ({ messages: 2, files: 1 }))
    expect((await retention(undefined, null, apply)).status).toBe(404)
    expect((await retention(secret, null, apply)).status).toBe(401)
    expect((await retention(secret, "Bearer wrong", apply)).status).toBe(401)
    expect(apply).not.toHaveBeenCalled()
    const done = await retention(secret, `Bearer ${secret}`, apply)
    expect([done.status, await done.json()]).toEqual([200, { removed: { messages: 2, files: 1 } }])
  })
})
