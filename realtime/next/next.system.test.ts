import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, describe, expect, it, vi } from "vitest"
import { WebSocket } from "ws"
import * as z from "zod/mini"
import { defineChannel } from "../channel.ts"
import { createRealtimeClient } from "../client/index.ts"
import { createTransport } from "../providers/socketio/client.ts"
import { bareEnvironment } from "../testing/bare-environment.ts"
import { freePort } from "../testing/free-port.ts"
import { writeGuide } from "../testing/guide.ts"
import { waitFor, waitForStart, waitLimit } from "../testing/wait-for.ts"

/** Nothing was compiled yet: with thirty others at two cores the first page took ten minutes. */
const firstPageMs = 1_200_000
waitLimit.ms = 180_000
vi.setConfig({ testTimeout: firstPageMs + 600_000 })

const projectDir = fileURLToPath(new URL("../..", import.meta.url))
const next = join(projectDir, "node_modules/next/dist/bin/next")
const room = defineChannel("room:{room}", { messages: { "text-sent": z.object({ text: z.string() }) } })
const lobby = room({ room: "lobby" })
/** What the gateway takes to send everybody away, and Next.js to end. */
const endMs = 12_000

mkdirSync(join(projectDir, ".data"), { recursive: true })
// Inside the project, so that both find the same `node_modules`, and without a lockfile, so that Next.js
// takes the project for its root.
const folder = mkdtempSync(join(projectDir, ".data/next-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** An app of the guide with this configuration, and a page that says nothing of when it is drawn. */
function makeApp(name: string, config: object): string {
  const app = join(folder, name)
  mkdirSync(join(app, "node_modules"), { recursive: true })
  writeGuide(app)
  writeFileSync(join(app, "app/page.tsx"), "export default function Home() {\n  return <p>Home</p>\n}\n")
  symlinkSync(join(projectDir, "realtime"), join(app, "node_modules/throughline"))
  writeFileSync(join(app, "package.json"), JSON.stringify({ name, private: true }))
  const whole = { outputFileTracingRoot: projectDir, typescript: { ignoreBuildErrors: true }, ...config }
  writeFileSync(join(app, "next.config.mjs"), `export default ${JSON.stringify(whole)}\n`)
  return app
}

const plain = makeApp("plain", { output: "standalone" })

interface Running extends AsyncDisposable {
  child: ChildProcess
  origin: string
  output(): string
  /** Asks it to end, and says how, and after how many milliseconds. */
  end(signal?: NodeJS.Signals): Promise<{ code: number | null; ms: number }>
}

/** A program of Next.js on this port, until its lobby answers. */
async function start(args: readonly string[], port: number, cwd = plain): Promise<Running> {
  const child = spawn(process.execPath, args, {
    cwd,
    env: {
      ...bareEnvironment,
      PORT: String(port),
      DATA_DIR: join(cwd.startsWith(plain) ? plain : cwd, ".data"),
    },
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own: `next dev` starts another, which would outlive it.
    detached: true,
  })
  let output = ""
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      output += chunk
    })
  const origin = `http://localhost:${port}`
  const isRunning = () => child.exitCode === null && child.signalCode === null
  function kill(): void {
    if (child.pid !== undefined && isRunning()) process.kill(-child.pid, "SIGKILL")
  }
  // Or the group would outlive a run that ends before its test does.
  process.once("exit", kill)
  async function end(signal: NodeJS.Signals = "SIGTERM") {
    const began = performance.now()
    const exited = once(child, "exit")
    if (isRunning()) {
      if (signal === "SIGKILL") kill()
      else child.kill(signal)
      await exited
    }
    process.off("exit", kill)
    return { code: child.exitCode, ms: performance.now() - began }
  }
  try {
    const answers = async () => (await fetch(`${origin}/lobby`)).ok
    await waitForStart(child, answers, "the lobby", { said: () => output, limitMs: firstPageMs })
  } catch (error) {
    await end("SIGKILL")
    throw error
  }
  return {
    child,
    origin,
    output: () => output,
    end,
    [Symbol.asyncDispose]: async () => void (await end("SIGKILL")),
  }
}

/** Resolves with how its pages are drawn that are built ahead, by their paths. */
async function build(cwd: string, variables: Record<string, string> = {}): Promise<Record<string, string>> {
  const child = spawn(process.execPath, [next, "build"], { cwd, env: { ...bareEnvironment, ...variables } })
  let said = ""
  child.stdout.on("data", (chunk) => (said += chunk))
  child.stderr.on("data", (chunk) => (said += chunk))
  await once(child, "exit")
  expect(child.exitCode, said).toBe(0)
  const { routes } = JSON.parse(readFileSync(join(cwd, ".next/prerender-manifest.json"), "utf8")) as {
    routes: Record<string, { renderingMode?: string }>
  }
  return Object.fromEntries(
    Object.entries(routes).map(([path, { renderingMode = "STATIC" }]) => [path, renderingMode]),
  )
}

/** A guest's page. */
async function visit(origin: string) {
  const answer = await fetch(`${origin}/api/realtime/session`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: "{}",
  })
  const cookie = answer.headers.get("Set-Cookie")?.split(";", 1)[0] ?? ""
  const ask: typeof fetch = (input, init) =>
    fetch(new URL(String(input), origin), { ...init, headers: { ...init?.headers, cookie } })
  const { providers, ...config } = await (await ask("/api/realtime/config")).json()
  expect(providers).toEqual([{ provider: "socketio" }])
  const client = createRealtimeClient({
    config: { ...config, providers: [{ provider: "socketio", url: origin }] },
    providers: { socketio: async () => createTransport },
    fetch: ask,
    onError: () => {},
  })
  const heard: string[] = []
  const channel = client.channel(lobby)
  const subscription = channel.subscribe({
    onMessages: (messages) => void heard.push(...messages.map(({ payload }) => payload.text)),
  })
  client.open()
  const isThere = () => waitFor(() => channel.status.state === "attached", "the room")
  // From here on it hears all; a channel that is attached alone may still have to read where the log stands.
  await subscription.ready
  return { client, heard, isThere, say: (text: string) => channel.outbox.add("text-sent", { text }) }
}

async function two(origin: string) {
  const pages = [await visit(origin), await visit(origin)] as const
  return {
    pages,
    [Symbol.asyncDispose]: async () => void (await Promise.all(pages.map(({ client }) => client.close()))),
  }
}

describe("the app of the guide", () => {
  it("talks under `next dev` on its one port, with hot reload beside it, and ends in time", async () => {
    const port = await freePort()
    await using app = await start([next, "dev", "--port", String(port)], port)
    await using visitors = await two(app.origin)
    const [alice, bob] = visitors.pages
    alice.say("hello")
    await waitFor(() => bob.heard.includes("hello"))

    const hot = new WebSocket(`ws://localhost:${port}/_next/hmr?id=test`, { origin: app.origin })
    const news: string[] = []
    hot.on("message", (data) => void news.push(String(data)))
    await once(hot, "open")
    const page = join(plain, "app/lobby/lobby.tsx")
    const source = readFileSync(page, "utf8")
    for (let save = 1; save <= 3; save += 1) {
      const before = news.length
      writeFileSync(page, source.replace('"Message"', `"Message ${save}"`))
      await waitFor(() => news.length > before, "news of hot reload")
    }
    // The server's half is another by now, and the log stays open.
    const server = join(plain, "realtime/server.ts")
    writeFileSync(server, readFileSync(server, "utf8").replace('=== "lobby"', '!== "cellar"'))
    await waitFor(async () => (await fetch(`${app.origin}/lobby`)).ok)
    bob.say("and back")
    await waitFor(() => alice.heard.includes("and back"))
    expect([hot.readyState, alice.client.connection.status.state]).toEqual([WebSocket.OPEN, "connected"])
    hot.terminate()

    const variables = join(plain, ".env.local")
    const drawnFor = (name: string) => async () =>
      new RegExp(`provider\\\\?":\\\\?"${name}`).test(await (await fetch(`${app.origin}/lobby`)).text())
    writeFileSync(variables, "REALTIME_PROVIDER=pusher\n")
    await waitFor(drawnFor("pusher"), "the page of another provider")
    // Next.js notices no file that goes.
    writeFileSync(variables, "# REALTIME_PROVIDER=pusher\n")
    await waitFor(drawnFor("socketio"), "the page of the one before")
    const { ms } = await app.end()
    expect(ms).toBeLessThan(endMs)
  })

  it("talks under `next start` and from its standalone output, and loses nothing over a kill", async () => {
    // A page that says nothing is drawn for each request: its configuration is that of where it runs.
    expect(await build(plain)).not.toHaveProperty(["/"])

    const port = await freePort()
    const command = [next, "start", "--port", String(port)]
    const first = await start(command, port)
    await using visitors = await two(first.origin)
    const [alice, bob] = visitors.pages
    alice.say("one")
    await waitFor(() => bob.heard.includes("one"))
    await first.end("SIGKILL")
    await waitFor(() => alice.client.connection.status.state !== "connected")
    alice.say("two")
    bob.say("three")

    await using second = await start(command, port)
    await waitFor(() => alice.heard.length === 3 && bob.heard.length === 3, "what was said meanwhile")
    expect(alice.heard).toEqual(bob.heard)
    expect(alice.heard.toSorted()).toEqual(["one", "three", "two"])
    const { code, ms } = await second.end()
    // Next.js ends itself, or by the signal, by who is done first.
    expect([0, 143]).toContain(code)
    expect(ms).toBeLessThan(endMs)

    const standalone = join(plain, ".next/standalone", plain.slice(projectDir.length))
    await using third = await start([join(standalone, "server.js")], port, standalone)
    await Promise.all([alice.isThere(), bob.isThere()])
    await waitFor(() => alice.client.connection.status.state === "connected")
    bob.say("four")
    await waitFor(() => alice.heard.includes("four"))
    expect(third.output()).not.toMatch(/error/i)
  })
})

describe("an app with `cacheComponents`", () => {
  const app = makeApp("cached", { cacheComponents: true, serverExternalPackages: ["socket.io"] })

  /** Both hear what is said. */
  async function talk(origin: string): Promise<void> {
    await using visitors = await two(origin)
    const [alice, bob] = visitors.pages
    alice.say("hello")
    await waitFor(() => bob.heard.includes("hello"))
  }

  it("is built, and its pages connect as it is configured where it runs", async () => {
    const elsewhere = { PUSHER_APP_ID: "1", PUSHER_KEY: "key", PUSHER_SECRET: "secret", PUSHER_CLUSTER: "eu" }
    const drawn = await build(app, { REALTIME_PROVIDER: "pusher", ...elsewhere })
    expect(drawn).toMatchObject({ "/": "PARTIALLY_STATIC" })
    const port = await freePort()
    await using running = await start([next, "start", "--port", String(port)], port, app)
    const page = await (await fetch(running.origin)).text()
    expect(page).toMatch(/provider\\?":\\?"socketio/)
    expect(page).not.toMatch(/provider\\?":\\?"pusher/)
    await talk(running.origin)
  })

  it.each([
    ["with Socket.IO in its bundle", plain],
    ["with `cacheComponents`, and Socket.IO outside of its bundle", app],
  ])("talks under `next dev --webpack`, %s", async (_, cwd) => {
    const port = await freePort()
    await using running = await start([next, "dev", "--webpack", "--port", String(port)], port, cwd)
    await talk(running.origin)
    expect(running.output()).not.toMatch(/error/i)
  })
})
