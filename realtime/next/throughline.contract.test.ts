import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { type AddressInfo, connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { sign } from "cookie-signature"
import { v7 as uuidv7 } from "uuid"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { WebSocket } from "ws"
import { createRealtimeClient } from "../client/index.ts"
import { RealtimeError } from "../errors.ts"
import { createMemoryLog } from "../log/memory.ts"
import type { MessageLog } from "../log/message-log.ts"
import { createTransport } from "../providers/socketio/client.ts"
import { createMemoryPresenceCounts } from "../server/presence-counts.ts"
import { contractChannels } from "../testing/index.ts"
import { findRedis, startRedis } from "../testing/redis.ts"
import { waitFor } from "../testing/wait-for.ts"
import { hostGateway } from "./host-gateway.ts"
import { guests, type Throughline, type ThroughlineOptions, throughline } from "./index.ts"
import { peers } from "./peers.ts"

const room = contractChannels.room({ room: "next" })
type Channels = typeof contractChannels

let folder: string
let number = 0
const ends: (() => unknown)[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "throughline-next-"))
  vi.stubEnv("DATA_DIR", folder)
})
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

/** A module of an app, in a process that has run none before it. */
function declare(options: Partial<ThroughlineOptions<Channels>> = {}) {
  number += 1
  const basePath = `/${number}/realtime`
  const evaluate = (more: typeof options = {}) =>
    throughline({
      ...{ channels: contractChannels, authorize: () => true, basePath },
      identify: ({ headers }) => (headers.get("x-user") ? { id: headers.get("x-user") ?? "" } : null),
      ...{ ...options, ...more },
    })
  const realtime = evaluate()
  ends.push(() => realtime.close())
  return { realtime, evaluate, basePath }
}

interface App {
  server: Server
  origin: string
  /** Upgrades that somebody else was handed: hot reload's. */
  others: string[]
}

/** A server as Next.js has one: it owns all requests, and ends the sockets that aren't hot reload's. */
async function serve(realtime: Throughline<Channels>, basePath: string): Promise<App> {
  const others: string[] = []
  const server = createServer((request, response) => {
    if (request.url?.startsWith(`${basePath}/`)) void answer(realtime, request, response)
    else response.end("page")
  })
  server.on("upgrade", (request, socket) => {
    others.push(request.url ?? "")
    socket.end("HTTP/1.1 418 Not Hot\r\nConnection: close\r\n\r\n")
  })
  server.listen(0)
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  vi.stubEnv("PORT", String(port))
  ends.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, origin: `http://localhost:${port}`, others }
}

async function answer(realtime: Throughline<Channels>, request: IncomingMessage, response: ServerResponse) {
  const { method = "GET", url = "", headers } = request
  const body = method === "POST" ? Buffer.concat(await request.toArray()) : null
  const given = new Headers(
    Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]),
  )
  const asked = new Request(`http://localhost${url}`, { method, headers: given, body })
  const answered = await (method === "POST" ? realtime.POST(asked) : realtime.GET(asked))
  response.writeHead(answered.status, Object.fromEntries(answered.headers))
  response.end(await answered.text())
}

/** A page of somebody's. */
async function open(realtime: Throughline<Channels>, { origin }: Pick<App, "origin">, user: string) {
  const { providers, ...config } = await realtime.config()
  const client = createRealtimeClient({
    config: { ...config, providers: providers.map((provider) => ({ url: origin, ...provider })) },
    providers: { socketio: async () => createTransport },
    onError: () => {},
    fetch: (input, init) =>
      fetch(new URL(String(input), origin), { ...init, headers: { ...init?.headers, "x-user": user } }),
  })
  const heard: string[] = []
  client.channel(room).subscribe({
    onMessages: (messages) =>
      void heard.push(...messages.map(({ payload }) => (payload as { text: string }).text)),
  })
  client.open()
  ends.push(() => client.close())
  await waitFor(() => client.channel(room).status.state === "attached", `${user} to be there`)
  return { client, heard, say: (text: string) => client.channel(room).publish("said", { text }) }
}

const gatewayAt = (socketPath: string) =>
  hostGateway({
    ...{ basePath: `/api${socketPath}`, socketPath, secret: "s", allowedOrigins: [], isLocal: true },
  })

const statusOf = async (request: Promise<Response>) => (await request).status

describe("the realtime layer of an app, on the app's own port", () => {
  it("lets pages talk beside whatever else the server does, before and after it was found", async () => {
    const { realtime, basePath } = declare()
    const app = await serve(realtime, basePath)
    await realtime.register()
    const [alice, bob] = [await open(realtime, app, "alice"), await open(realtime, app, "bob")]
    await alice.say("hello")
    await realtime.publish(room, "said", { text: "from the server" })
    await waitFor(() => bob.heard.length === 2)
    expect(bob.heard).toEqual(["hello", "from the server"])

    expect(app.others).toEqual([])
    // As Next.js adds its own beside a server of one's own, with the first page that it draws.
    app.server.on("upgrade", (_request, socket) => socket.destroy())
    const hot = new WebSocket(`${app.origin.replace("http", "ws")}/_next/hmr`)
    const [failure] = await once(hot, "error")
    expect(String(failure)).toContain("418")
    expect(app.others).toEqual(["/_next/hmr"])
    await open(realtime, app, "carol")
    expect(await (await fetch(`${app.origin}/lobby`)).text()).toBe("page")
    const polled = await fetch(`${app.origin}/socket.io/?EIO=4&transport=polling`)
    expect([polled.status, (await polled.text()).startsWith("0{")]).toEqual([200, true])
  })

  it("finds a server that listens later, by the first request for its route", async () => {
    const { realtime, basePath } = declare()
    vi.stubEnv("PORT", "9")
    await realtime.register()
    const app = await serve(realtime, basePath)
    vi.stubEnv("PORT", "9")
    expect(await statusOf(fetch(`${app.origin}/socket.io/?EIO=4&transport=polling`))).toBe(200)
  })

  it("leaves when the server is closed, and pages look for another", async () => {
    const { realtime, basePath } = declare()
    const app = await serve(realtime, basePath)
    const alice = await open(realtime, app, "alice")
    const states: string[] = []
    alice.client.connection.subscribe(() => states.push(alice.client.connection.status.state))
    const closed = once(app.server, "close")
    app.server.close()
    await closed
    await waitFor(() => states.length > 0, "the page to look for another")
    expect(states[0]).toBe("reconnecting")
  })

  it("gives the server back as it was once the last of its kind is closed, whichever that is", async () => {
    const server = createServer((_, response) => response.end("page")).listen(0)
    await once(server, "listening")
    ends.push(() => server.close())
    const { port } = server.address() as AddressInfo
    vi.stubEnv("PORT", String(port))
    const asItWas = () => {
      const { emit, close, shouldUpgradeCallback } = server as Server & { shouldUpgradeCallback?: unknown }
      return [
        emit,
        close,
        shouldUpgradeCallback,
        server.listenerCount("upgrade"),
        server.listenerCount("close"),
      ]
    }
    const before = asItWas()
    const started = await Promise.all(["/a", "/b"].map((socketPath) => gatewayAt(socketPath)))
    for (const hosting of started) await hosting.host()
    const polled = (path: string) => fetch(`http://localhost:${port}${path}/?EIO=4&transport=polling`)
    await started[0]?.close()
    expect([(await polled("/a")).status, await (await polled("/a")).text()]).toEqual([200, "page"])
    expect((await (await polled("/b")).text()).startsWith("0{")).toBe(true)
    await started[1]?.close()
    expect(asItWas()).toEqual(before)
    expect(await (await polled("/b")).text()).toBe("page")
  })

  // As Node.js 24.9 has it; an older one hands each upgrade to whoever listens.
  it.skipIf(!("shouldUpgradeCallback" in createServer()))(
    "leaves upgrades to nobody, and offers of HTTP/2, to be answered as any request",
    async () => {
      const { realtime, basePath } = declare()
      const app = await serve(realtime, basePath)
      app.server.removeAllListeners("upgrade")
      await realtime.register()
      const ask = (path: string, upgrade: string) => {
        const headers = { connection: "Upgrade, HTTP2-Settings", upgrade, "http2-settings": "" }
        return new Promise<string>((resolve, reject) => {
          get(`${app.origin}${path}`, { agent: false, headers }, (response) => {
            response.toArray().then((chunks) => resolve(String(Buffer.concat(chunks))), reject)
          }).on("error", reject)
        })
      }
      expect(await ask("/lobby", "h2c")).toBe("page")
      expect(await ask("/lobby", "websocket")).toBe("page")
      expect(await ask("/socket.io/?EIO=4&transport=polling", "h2c")).toMatch(/^0\{/)
      // As Next.js listens beside a server of one's own: for hot reload, whatever else comes.
      app.server.on("upgrade", () => {})
      expect(await ask("/lobby", "h2c")).toBe("page")
    },
  )

  it("cuts whoever holds on to a server that is closed, in its time", async () => {
    const server = createServer(() => {}).listen(0)
    await once(server, "listening")
    const { port } = server.address() as AddressInfo
    vi.stubEnv("PORT", String(port))
    const hosting = await hostGateway({
      ...{ basePath: "/api/realtime", secret: "s", allowedOrigins: [], isLocal: true, closeTimeoutMs: 50 },
    })
    ends.push(() => hosting.close())
    await hosting.host()
    const unanswered = fetch(`http://localhost:${port}/`).catch(() => "cut")
    await once(server, "request")
    const closed = once(server, "close")
    server.close()
    await closed
    expect(await unanswered).toBe("cut")
  })

  it("is one in the process: what is evaluated again takes the place of what was declared, and nothing is opened twice", async () => {
    const { realtime, evaluate, basePath } = declare({ authorize: () => false })
    const app = await serve(realtime, basePath)
    await realtime.register()
    const ask = () =>
      statusOf(
        fetch(`${app.origin}${basePath}/history?channel=${room.name}`, { headers: { "x-user": "alice" } }),
      )
    expect(await ask()).toBe(403)
    const again = evaluate({ authorize: () => true })
    await waitFor(async () => (await ask()) === 200, "what was evaluated last to count")
    expect((await again.publish(room, "said", { text: "one" })).seq).toBe(1)
    expect((await realtime.publish(room, "said", { text: "two" })).seq).toBe(2)
    expect(await again.config()).toEqual(await realtime.config())
  })

  it("does nothing when it is evaluated, and is opened once an environment that was wrong is right", async () => {
    vi.stubEnv("REALTIME_PROVIDER", "carrier-pigeon")
    const onError = vi.fn()
    const { realtime, basePath } = declare({ onError })
    await expect(realtime.register()).rejects.toMatchObject({ code: "invalid-config" })
    const refused = await realtime.GET(new Request(`http://localhost${basePath}/config`))
    expect([refused.status, await refused.json()]).toMatchObject([500, { error: { code: "invalid-config" } }])
    expect(onError).toHaveBeenCalledOnce()
    vi.stubEnv("REALTIME_PROVIDER", "socketio")
    expect((await realtime.config()).providers).toEqual([{ provider: "socketio" }])
  })

  it("knocks nowhere while the app is built", async () => {
    vi.stubEnv("NEXT_PHASE", "phase-production-build")
    const { realtime, basePath } = declare({ log: createMemoryLog })
    const app = await serve(realtime, basePath)
    const asked: unknown[] = []
    app.server.on("connection", (socket) => asked.push(socket))
    // Nor for Redis, in whose place the same server is.
    vi.stubEnv("REDIS_URL", app.origin.replace("http", "redis"))
    expect((await realtime.config()).basePath).toBe(basePath)
    // Whoever knocked before is there by the time that this one is answered.
    await fetch(app.origin)
    expect(asked).toHaveLength(1)
    await realtime.close()
  })
})

describe("a provider that is named without keys, in development", () => {
  it("runs on this machine, and the console says so", async () => {
    vi.stubEnv("NODE_ENV", "development")
    vi.stubEnv("REALTIME_PROVIDER", "ably,pusher")
    const said = vi.spyOn(console, "log").mockImplementation(() => {})
    const { realtime } = declare()
    const { providers } = await realtime.config()
    const lines = said.mock.calls.map(([line]) => String(line))
    said.mockRestore()
    expect(providers).toMatchObject([
      { provider: "ably", tls: false },
      { provider: "pusher", tls: false },
    ])
    expect(lines).toEqual([
      expect.stringMatching(/REALTIME_PROVIDER names ably .* its emulator runs on http:/),
      expect.stringMatching(/REALTIME_PROVIDER names pusher .* its emulator runs on http:/),
    ])
    expect((await realtime.publish(room, "said", { text: "to both" })).seq).toBe(1)
    expect(await realtime.members(room)).toMatchObject({ count: 0 })
  })

  it.each([
    ["no webhook where nobody keeps counts, for the route would refuse it", false],
    ["its webhooks to the route where counts are kept", true],
  ])("sends %s", async (_, isCounting) => {
    vi.stubEnv("NODE_ENV", "development")
    vi.stubEnv("REALTIME_PROVIDER", "ably,pusher")
    const start = {
      pusher: vi.fn(await peers.pusherEmulator()),
      ably: vi.fn(await peers.ablyEmulator()),
    }
    const spies = [
      vi.spyOn(console, "log").mockImplementation(() => {}),
      vi.spyOn(peers, "pusherEmulator").mockResolvedValue(start.pusher),
      vi.spyOn(peers, "ablyEmulator").mockResolvedValue(start.ably),
    ]
    const { realtime, basePath } = declare(isCounting ? { presenceCounts: createMemoryPresenceCounts() } : {})
    await realtime.config()
    for (const spy of spies) spy.mockRestore()
    for (const name of ["pusher", "ably"] as const) {
      const webhooks = start[name].mock.calls[0]?.[0]?.apps?.[0]?.webhooks
      const url = `http://localhost:${process.env.PORT ?? "3000"}${basePath}/webhooks/${name}`
      expect(webhooks).toEqual(isCounting ? [{ url }] : [])
    }
  })
})

describe("variables that change while the process runs", () => {
  const steady = () => vi.spyOn(console, "info").mockImplementation(() => {})

  it("are followed in development, and pages lose nothing", async () => {
    vi.stubEnv("NODE_ENV", "development")
    const said = steady()
    const { realtime, basePath } = declare()
    const app = await serve(realtime, basePath)
    const alice = await open(realtime, app, "alice")
    await alice.say("before")

    vi.stubEnv("SOCKET_CORS_ORIGIN", "http://phone.local:3000")
    await realtime.publish(room, "said", { text: "while the page comes back" })
    await waitFor(() => alice.heard.length === 2)
    const polled = await fetch(`${app.origin}/socket.io/?EIO=4&transport=polling`, {
      headers: { origin: "http://phone.local:3000" },
    })
    expect(polled.status).toBe(200)

    vi.stubEnv("REALTIME_PROVIDER", "carrier-pigeon")
    await expect(realtime.config()).rejects.toThrow("REALTIME_PROVIDER must be one of")
    vi.stubEnv("REALTIME_PROVIDER", "socketio")
    await realtime.publish(room, "said", { text: "after" })
    await waitFor(() => alice.heard.length === 3)
    expect(alice.heard).toEqual(["before", "while the page comes back", "after"])
    expect(said.mock.calls.flat()).toEqual(Array(2).fill(expect.stringContaining("environment has changed")))
    said.mockRestore()
  })

  it("open everything anew once, however many ask at that moment", async () => {
    vi.stubEnv("NODE_ENV", "development")
    const said = steady()
    const { told, log } = toldLog(() => {})
    const { realtime } = declare({ log })
    await realtime.register()
    vi.stubEnv("DATA_DIR", join(folder, "elsewhere"))
    await Promise.all(Array.from({ length: 8 }, () => realtime.publish(room, "said", { text: "one" })))
    expect(told).toEqual(["opened", "closed", "opened"])
    expect(said).toHaveBeenCalledOnce()
    said.mockRestore()
  })

  it("are those of its start in production", async () => {
    const { told, log } = toldLog(() => {})
    const { realtime } = declare({ log })
    await realtime.register()
    vi.stubEnv("REALTIME_PROVIDER", "carrier-pigeon")
    expect((await realtime.config()).providers).toEqual([{ provider: "socketio" }])
    expect(told).toEqual(["opened"])
  })
})

/** A log that says when it is opened, and is closed as `close` says. */
function toldLog(close: () => unknown) {
  const told: string[] = []
  const log = () => {
    told.push("opened")
    const end = async () => {
      await close()
      told.push("closed")
    }
    return { ...createMemoryLog(), close: end } satisfies MessageLog
  }
  return { told, log }
}

describe("what is closed", () => {
  it("is closed once, and whoever asks meanwhile waits for that, to close it again or to open it", async () => {
    const gate = Promise.withResolvers<void>()
    const { told, log } = toldLog(() => gate.promise)
    const { realtime } = declare({ log })
    await realtime.register()
    const first = realtime.close()
    const second = realtime.close()
    const reopened = realtime.publish(room, "said", { text: "one" })
    setTimeout(() => gate.resolve(), 100)
    await second
    expect(told[1]).toBe("closed")
    await first
    expect((await reopened).seq).toBe(1)
    expect(told).toEqual(["opened", "closed", "opened"])
  })

  it("is closed once it is open, by whoever asks meanwhile", async () => {
    const { told, log } = toldLog(() => {})
    const { realtime } = declare({ log })
    const opened = realtime.publish(room, "said", { text: "one" }).catch(() => {})
    await realtime.close()
    await opened
    expect(told).toEqual(["opened", "closed"])
  })

  it("is all closed, and says so, where a part of it can't be", async () => {
    const { log } = toldLog(() => Promise.reject(new Error("no end")))
    const { realtime, basePath } = declare({ log })
    const app = await serve(realtime, basePath)
    const { emit } = app.server
    await realtime.register()
    expect(app.server.emit).not.toBe(emit)
    await expect(realtime.close()).rejects.toThrow("no end")
    expect(app.server.emit).toBe(emit)
    await realtime.register()
    await expect(realtime.close()).rejects.toThrow("no end")
  })

  it("is closed although the next message comes before the last is answered", async () => {
    const { realtime, basePath } = declare()
    const app = await serve(realtime, basePath)
    const alice = await open(realtime, app, "alice")
    let isOver = false
    ends.push(() => {
      isOver = true
    })
    const steady = async () => {
      while (!isOver) await alice.say("and more").catch(() => {})
    }
    // Enough that one is always being committed.
    for (let writer = 0; writer < 8; writer += 1) void steady()
    await waitFor(() => alice.heard.length > 20, "a steady stream")
    await realtime.close()
  })
})

it("says that a further server of the app can't be shared", async () => {
  const start = async (basePath: string, onError = vi.fn()) => {
    const server = createServer((_, response) => response.end("page")).listen(0)
    await once(server, "listening")
    ends.push(() => server.close())
    const { port } = server.address() as AddressInfo
    vi.stubEnv("PORT", String(port))
    const hosting = await hostGateway({
      ...{ basePath, socketPath: "/same", secret: "s", allowedOrigins: [], isLocal: true, onError },
    })
    ends.push(() => hosting.close())
    await hosting.host()
    return { port, onError }
  }
  const first = await start("/one")
  const second = await start("/two")
  await fetch(`http://localhost:${second.port}/same/?EIO=4&transport=polling`)
  expect(first.onError).toHaveBeenCalledExactlyOnceWith(
    expect.objectContaining({ message: expect.stringContaining("the gateway of /two does") }),
    { stage: "share another server of the app" },
  )
  expect(second.onError).not.toHaveBeenCalled()
})

describe("what can't be opened", () => {
  it("is a second gateway at the same path of one server, while the first is there", async () => {
    const [first, second] = [declare(), declare()]
    const app = await serve(first.realtime, first.basePath)
    const polled = () => fetch(`${app.origin}/socket.io/?EIO=4&transport=polling`)
    await first.realtime.register()
    await expect(second.realtime.register()).rejects.toMatchObject({
      code: "invalid-config",
      message: expect.stringContaining(`for ${second.basePath}; the gateway of ${first.basePath} does`),
    })
    await declare({ socketPath: "/other" }).realtime.register()
    // One on a server of its own is in nobody's way.
    vi.stubEnv("SOCKET_INTERNAL_SECRET", "s".repeat(32))
    await declare().realtime.listen(0)
    await first.realtime.close()
    expect(await (await polled()).text()).toBe("page")
    await second.realtime.register()
    expect((await (await polled()).text()).startsWith("0{")).toBe(true)
  })

  it("is a second gateway on one server that other processes publish through, by any path of its own", async () => {
    vi.stubEnv("SOCKET_INTERNAL_SECRET", "s".repeat(32))
    const [first, second] = [declare(), declare({ socketPath: "/other" })]
    const app = await serve(first.realtime, first.basePath)
    await first.realtime.register()
    await expect(second.realtime.register()).rejects.toMatchObject({
      code: "invalid-config",
      message: expect.stringContaining(
        `unable to answer at /_realtime for ${second.basePath}; the gateway of ${first.basePath} does. Run one`,
      ),
    })
    const published = (secret: string) =>
      fetch(`${app.origin}/_realtime/counts`, {
        method: "POST",
        headers: { Authorization: `Bearer ${secret}` },
        body: JSON.stringify({ channels: [] }),
      })
    expect(await statusOf(published("s".repeat(32)))).toBe(200)
    await first.realtime.close()
    await second.realtime.register()
    expect(await statusOf(published("s".repeat(32)))).toBe(200)
  })

  it("is no gateway that keeps its secret to itself: it leaves to the other what other processes say", async () => {
    const first = declare({ socketPath: "/other" })
    const app = await serve(first.realtime, first.basePath)
    await first.realtime.register()
    vi.stubEnv("SOCKET_INTERNAL_SECRET", "s".repeat(32))
    await declare().realtime.register()
    const asked = fetch(`${app.origin}/_realtime/counts`, {
      method: "POST",
      headers: { Authorization: `Bearer ${"s".repeat(32)}` },
      body: JSON.stringify({ channels: [] }),
    })
    expect(await statusOf(asked)).toBe(200)
  })

  it.skipIf(!findRedis())("leaves no connection to Redis behind", async () => {
    await using redis = await startRedis()
    const { createClient } = await import("redis")
    const admin = await createClient({ url: redis.url }).connect()
    const others = async () => (await admin.clientList()).length - 1
    vi.stubEnv("REDIS_URL", redis.url)
    const { realtime } = declare({
      async log() {
        await waitFor(async () => (await others()) > 0, "the gateway's connections")
        throw new Error("no log")
      },
    })
    await expect(realtime.register()).rejects.toThrow("no log")
    await waitFor(async () => (await others()) === 0, "Redis to be left")
    admin.destroy()
  })

  it("leaves nothing open, and opens no log before the rest is there", async () => {
    vi.stubEnv("NODE_ENV", "development")
    vi.stubEnv("REALTIME_PROVIDER", "ably")
    const said = vi.spyOn(console, "log").mockImplementation(() => {})
    const { realtime } = declare({ log: () => Promise.reject(new Error("no log")) })
    await expect(realtime.register()).rejects.toThrow("no log")
    const url = /runs on (\S+)/.exec(String(said.mock.calls[0]?.[0]))?.[1] ?? ""
    said.mockRestore()
    await expect(fetch(url)).rejects.toThrow("fetch failed")

    vi.stubEnv("ABLY_API_KEY", "no key")
    const log = vi.fn(createMemoryLog)
    await expect(declare({ log }).realtime.register()).rejects.toThrow()
    expect(log).not.toHaveBeenCalled()
  })
})

describe("guests", () => {
  it("are let in once, stay who they are, and can't be anybody else", async () => {
    const { realtime, basePath } = declare({ identify: guests({ name: () => "Guest" }) })
    const session = (cookie?: string) =>
      realtime.POST(
        new Request(`https://app.example${basePath}/session`, {
          method: "POST",
          headers: { "Content-Type": "application/json", ...(cookie && { cookie }) },
          body: "{}",
        }),
      )
    const first = await session()
    const set = first.headers.get("Set-Cookie") ?? ""
    expect(set).toMatch(/^throughline_guest=\S+; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure$/)
    const { user } = await first.json()
    expect(user).toEqual({ id: expect.any(String), name: "Guest" })
    const cookie = set.split(";", 1)[0] ?? ""
    const again = await session(`other=1; ${cookie}`)
    expect([await again.json(), again.headers.get("Set-Cookie")]).toEqual([{ user }, null])
    const forged = await (await session(cookie.replace(/=.{8}/, "=AAAAAAAA"))).json()
    expect(forged.user.id).not.toBe(user.id)
  })

  it("need a secret that all instances share, which is said when the server starts", async () => {
    vi.stubEnv("NODE_ENV", "production")
    vi.stubEnv("DATABASE_URL", "postgres://localhost:9/nowhere")
    const log = createMemoryLog
    const refusal = { code: "invalid-config", message: expect.stringContaining("SESSION_SECRET is missing") }
    const { realtime } = declare({ identify: guests(), log })
    // A program that serves no pages has no guests.
    expect((await realtime.publish(room, "said", { text: "one" })).seq).toBe(1)
    await expect(realtime.register()).rejects.toMatchObject(refusal)
    await declare({ log, socketPath: "/other" }).realtime.register()
  })

  describe("in a browser that comes back", () => {
    afterEach(() => void vi.useRealTimers())
    const day = 24 * 60 * 60 * 1_000

    function declareGuests(options: Parameters<typeof guests>[0] = {}, onError = vi.fn()) {
      const identify = guests(options)
      const { realtime, basePath } = declare({ identify, onError })
      return async (cookie = "", headers: Record<string, string> = {}) => {
        const asked = new Request(`https://app.example${basePath}/session`, {
          method: "POST",
          headers: { "Content-Type": "application/json", ...(cookie && { cookie }), ...headers },
          body: "{}",
        })
        const known = await identify(asked)
        const answered = await realtime.POST(asked)
        const { user, error } = await answered.json()
        return { known, user, error, cookie: answered.headers.get("Set-Cookie")?.split(";", 1)[0] ?? null }
      }
    }

    it("are nobody whom `account` names, and who they were once that names nobody", async () => {
      const account = ({ headers }: Request) => {
        const id = headers.get("x-account")
        return id === null ? null : { id, name: "Aki", email: "aki@example.com" }
      }
      const visit = declareGuests({ account })
      const guest = await visit()
      const aki = { id: "u_1", name: "Aki" }
      expect(await visit(guest.cookie ?? "", { "x-account": "u_1" })).toMatchObject({
        ...{ known: aki, user: aki, cookie: null },
      })
      expect(await visit(guest.cookie ?? "")).toMatchObject({ known: guest.user, user: guest.user })
    })

    it("are who they were for thirty days from the last page that they opened", async () => {
      vi.useFakeTimers({ toFake: ["Date"] })
      const visit = declareGuests()
      const first = await visit()
      vi.setSystemTime(Date.now() + 0.9 * day)
      expect(await visit(first.cookie ?? "")).toMatchObject({ user: first.user, cookie: null })
      vi.setSystemTime(Date.now() + 29 * day)
      const renewed = await visit(first.cookie ?? "")
      expect(renewed).toMatchObject({ known: first.user, user: first.user, cookie: expect.any(String) })
      vi.setSystemTime(Date.now() + 0.2 * day)
      const late = await visit(first.cookie ?? "")
      expect(late.known).toBeNull()
      expect(late.user.id).not.toBe(first.user.id)
      vi.setSystemTime(Date.now() + 29 * day)
      expect((await visit(renewed.cookie ?? "")).known).toEqual(first.user)
    })

    it("are who they were by a cookie of before, which carried no date, as long as it was given for", async () => {
      vi.useFakeTimers({ toFake: ["Date"] })
      // The secret is this test's.
      vi.resetModules()
      const visit = declareGuests()
      const user = { id: uuidv7({ msecs: Date.now() }), name: "Guest 1" }
      await visit()
      const secret = readFileSync(join(folder, "session-secret"), "utf8")
      const value = sign(Buffer.from(JSON.stringify(user)).toString("base64url"), `guests:${secret}`)
      const cookie = `throughline_guest=${encodeURIComponent(value)}`
      vi.setSystemTime(Date.now() + 29 * day)
      expect(await visit(cookie)).toMatchObject({ known: user, user, cookie: expect.any(String) })
      vi.setSystemTime(Date.now() + 1.1 * day)
      expect((await visit(cookie)).known).toBeNull()
    })

    it("aren't made in any number for one address, and are known all the same", async () => {
      const onError = vi.fn()
      const visit = declareGuests({ limit: 2 }, onError)
      const from = (address: string) => ({ "x-forwarded-for": `9.9.9.9, ${address}` })
      const first = await visit("", from("192.0.2.1"))
      await visit("", from("192.0.2.1"))
      const refused = await visit("", from("192.0.2.1"))
      expect(refused.error).toMatchObject({ code: "rate-limited", retryAfterMs: expect.any(Number) })
      expect((await visit(first.cookie ?? "", from("192.0.2.1"))).user).toEqual(first.user)
      expect((await visit("", from("192.0.2.2"))).user).toBeTruthy()
      // Of IPv6 a customer has a whole network.
      await visit("", from("2001:db8::1"))
      await visit("", from("2001:db8::2"))
      expect((await visit("", from("2001:db8::3"))).error).toMatchObject({ code: "rate-limited" })
      expect((await visit("", from("2001:db8:0:1::3"))).user).toBeTruthy()
      // Whoever runs the server hears of it.
      expect(onError).toHaveBeenCalledExactlyOnceWith(
        expect.objectContaining({ message: expect.stringContaining("guests({ limit })") }),
        { stage: "let a guest in" },
      )
    })

    it("are let in by the hundreds behind one proxy, where the app says nothing", async () => {
      const onError = vi.fn()
      const visit = declareGuests({}, onError)
      const visits = Array.from({ length: 600 }, () => visit("", { "x-forwarded-for": "192.0.2.1" }))
      expect((await Promise.all(visits)).filter(({ user }) => !user)).toEqual([])
      expect((await visit("", { "x-forwarded-for": "192.0.2.1" })).error).toMatchObject({
        code: "rate-limited",
      })
    })

    it("are counted by the app, where it says how", async () => {
      const asked: (string | null)[] = []
      const visit = declareGuests({
        limit(request) {
          asked.push(request.headers.get("x-forwarded-for"))
          throw new RealtimeError("rate-limited", { message: "unable to let you in" })
        },
      })
      expect((await visit("", { "x-forwarded-for": "192.0.2.1" })).error).toMatchObject({
        code: "rate-limited",
      })
      expect(asked).toEqual(["192.0.2.1"])
    })
  })

  it("aren't made of a form of another site", async () => {
    const { realtime, basePath } = declare({ identify: guests() })
    const form = { method: "POST", body: new URLSearchParams({ a: "b" }) }
    expect(await statusOf(realtime.POST(new Request(`https://app.example${basePath}/session`, form)))).toBe(
      400,
    )
  })

  it("aren't made where people sign in", async () => {
    const { realtime, basePath } = declare()
    const asked = new Request(`https://app.example${basePath}/session`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: "{}",
    })
    expect(await (await realtime.POST(asked)).json()).toEqual({ user: null })
  })

  it("aren't needed where somebody is signed in, of whom the page is told what others see", async () => {
    const { realtime, basePath } = declare({
      identify: () => ({ id: "alice", name: "Alice", passwordHash: "secret" }),
    })
    const asked = new Request(`https://app.example${basePath}/session`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: "{}",
    })
    expect(await (await realtime.POST(asked)).json()).toEqual({ user: { id: "alice", name: "Alice" } })
  })
})

describe("a gateway in a process without a server of the app", () => {
  it("takes a port of its own, says so, and pages of this machine are let in", async () => {
    const said = vi.spyOn(console, "warn").mockImplementation(() => {})
    vi.stubEnv("PORT", "9")
    const hosting = await hostGateway({
      ...{ basePath: "/api/realtime", secret: "s", allowedOrigins: [], isLocal: true, searchMs: 0 },
    })
    ends.push(() => hosting.close())
    await hosting.host()
    const line = await waitFor(() => said.mock.calls[0]?.[0] as string | undefined)
    said.mockRestore()
    const port = /listens on port (\d+)/.exec(line)?.[1]
    expect(hosting.publisher.clientConfig()).toEqual({
      provider: "socketio",
      url: `http://localhost:${port}`,
    })
    const ask = (origin: string) =>
      fetch(`http://localhost:${port}/socket.io/?EIO=4&transport=polling`, { headers: { origin } })
    const own = await ask("http://localhost:3000")
    expect([own.status, own.headers.get("access-control-allow-origin")]).toEqual([
      200,
      "http://localhost:3000",
    ])
    expect(await statusOf(ask("http://evil.example"))).toBe(403)
    expect(await statusOf(fetch(`http://localhost:${port}/`))).toBe(404)
  })

  it("says that its port is in use, and takes it once it is free", async () => {
    vi.stubEnv("SOCKET_INTERNAL_SECRET", "s".repeat(32))
    const other = createServer().listen(0)
    await once(other, "listening")
    const { port } = other.address() as AddressInfo
    const { realtime } = declare()
    await expect(realtime.listen(port)).rejects.toMatchObject({
      code: "invalid-config",
      message: expect.stringContaining(`unable to listen on port ${port}; it is in use. SOCKET_PORT names`),
    })
    await new Promise((resolve) => other.close(resolve))
    expect(await realtime.listen(port)).toBe(port)
  })

  it("runs alone only with the secret that the app's processes share with it", async () => {
    const { realtime } = declare()
    await expect(realtime.listen(0)).rejects.toMatchObject({
      code: "invalid-config",
      message: expect.stringContaining("SOCKET_INTERNAL_SECRET is missing"),
    })
    await realtime.close()
    vi.stubEnv("SOCKET_INTERNAL_SECRET", "s".repeat(32))
    const port = await realtime.listen(0)
    expect(await statusOf(fetch(`http://localhost:${port}/socket.io/?EIO=4&transport=polling`))).toBe(200)
  })

  it("looks for no server any more, and takes no port, once it is closed", async () => {
    const said = vi.spyOn(console, "warn").mockImplementation(() => {})
    const server = createServer((_, response) => response.writeHead(404).end()).listen(0)
    await once(server, "listening")
    ends.push(() => server.close())
    const { port } = server.address() as AddressInfo
    vi.stubEnv("PORT", "9")
    const hosting = await hostGateway({
      ...{ basePath: "/api/realtime", secret: "s", allowedOrigins: [], isLocal: true, searchMs: 600 },
    })
    await hosting.host()
    await hosting.close()
    // It would knock here, and after 600 ms stand on a port of its own.
    vi.stubEnv("PORT", String(port))
    const knocked = vi.fn()
    server.on("request", knocked)
    await new Promise((resolve) => setTimeout(resolve, 900))
    expect(knocked).not.toHaveBeenCalled()
    expect(said).not.toHaveBeenCalled()
    said.mockRestore()
  })

  it("says which port can't be had, and takes it once it can", async () => {
    const taken = createServer().listen(0)
    await once(taken, "listening")
    ends.push(() => taken.close())
    const { port } = taken.address() as AddressInfo
    const hosting = await hostGateway({
      ...{ basePath: "/api/realtime", secret: "s", allowedOrigins: [], isLocal: true, port },
    })
    ends.push(() => hosting.close())
    await expect(hosting.host()).rejects.toMatchObject({
      code: "invalid-config",
      message: expect.stringContaining(`unable to listen on port ${port}; it is in use. SOCKET_PORT`),
    })
    taken.close()
    await once(taken, "close")
    await hosting.host()
    expect(await statusOf(fetch(`http://localhost:${port}/socket.io/?EIO=4&transport=polling`))).toBe(200)
  })

  it("lets a client that goes away in the middle of a handshake go", async () => {
    const hosting = await hostGateway({
      ...{ basePath: "/api/realtime", secret: "s", allowedOrigins: [], isLocal: true },
    })
    ends.push(() => hosting.close())
    const port = await hosting.listen(0)
    const socket = connect(port)
    await once(socket, "connect")
    socket.write(
      "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    )
    socket.resetAndDestroy()
    expect(await statusOf(fetch(`http://localhost:${port}/socket.io/?EIO=4&transport=polling`))).toBe(200)
  })
})
