import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { Agent, type IncomingMessage, type RequestOptions, request } from "node:http"
import { connect, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { sealData } from "iron-session"
import { createHttp } from "throughline/client"
import { freePort, waitFor } from "throughline/testing"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { openDatabase } from "#lib/chat/database.ts"
import { createRooms } from "#lib/chat/rooms.ts"
import { sessionCookie } from "#lib/chat/session.ts"
import { canMountDisk, mountDisk } from "../realtime/testing/small-disk.ts"
import { waitLimit } from "../realtime/testing/wait-for.ts"
import { buildOnce } from "../scripts/build-once.ts"
import { type Installation, lookForPrograms, startInstallation } from "./testing/installation.ts"
import { type ProgramOptions, runProgram } from "./testing/program.ts"

// Next.js takes its time to start on a busy machine.
waitLimit.ms = 60_000

const { isLacking, unless } = lookForPrograms()

beforeAll(buildOnce, 900_000)

describe.skipIf(isLacking)(`the app as it runs in production, twice, behind nginx${unless}`, () => {
  let site: Installation

  beforeAll(async () => {
    site = await startInstallation({ program: "main.ts", processes: 2, people: 40, pauseMs: 100 })
    await site.everybodyIsSeen()
  }, 120_000)
  afterAll(() => site?.[Symbol.asyncDispose]())

  it("loses nothing when every process is restarted, one after another, under load", async () => {
    const pages = visit(`${site.nginx.url}/rooms/lobby`, site.pages[0]?.cookie ?? "")
    await site.underLoad(async () => {
      for (const gateway of site.gateways) {
        gateway.program.child.kill("SIGTERM")
        expect(await gateway.program.exited).toBe(0)
        await gateway.start()
        // As the guide says: nginx leaves alone for two seconds whom it was refused by.
        await delay(3_000)
      }
    })
    expect(await pages.end()).toEqual(new Set([200]))

    await site.underLoad(async () => {
      await site.nginx.restart()
      await site.underLoad(async () => {})
      await site.redis.kill()
      await site.redis.start()
      await site.underLoad(async () => {})
      await site.postgres.stop()
      await site.postgres.start()
    })
    expect((await site.ledger()).problems).toEqual([])
    await site.everybodyIsSeen()
  })
})

const isMountable = canMountDisk()
const alice = { id: "alice", name: "Alice" }
const sessionSecret = "a session secret of this test, long enough"

describe("one process of it, and nothing else", () => {
  it.skipIf(!isMountable)(
    `answers on a full disk, takes nothing, and goes on when there is room${isMountable ? "" : " (skipped: mounting needs root)"}`,
    async () => {
      using disk = mountDisk("8m")
      await using app = await startApp(disk.folder)
      await app.publish("before")
      const ballast = join(disk.folder, "ballast")
      fill(ballast)
      await expect(app.publish("x".repeat(4_000))).rejects.toMatchObject({
        ...{ code: "log-unavailable", retryable: true },
        message: expect.stringContaining("the disk is full"),
      })
      // What is there can be read, so it is not for a balancer to send people elsewhere.
      for (const path of ["/api/health", "/api/ready", "/rooms/lobby"])
        expect([path, (await app.get(path)).status]).toEqual([path, 200])
      expect(await app.texts()).toEqual(["before"])
      rmSync(ballast)
      await app.publish("after")
      expect(await app.texts()).toEqual(["before", "after"])
      expect(await app.stop()).toBe(0)
      await using again = await startApp(disk.folder)
      expect(await again.texts()).toEqual(["before", "after"])
    },
  )

  it("out of file descriptors answers whom it has, and others as soon as some are free", async () => {
    using folder = temporaryFolder()
    await using app = await startApp(folder.path, { maxFiles: 200 })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ask = (path: string) => statusOf(app.url + path, { agent, headers: { cookie: app.cookie } })
    expect(await ask("/rooms/lobby")).toBe(200)
    const crowd: Socket[] = []
    const { port } = new URL(app.url)
    for (let isFull = false; !isFull && crowd.length < 200; ) {
      const socket = connect(Number(port), "127.0.0.1").on("error", () => {})
      crowd.push(socket)
      await once(socket, "connect")
      isFull = await Promise.race([
        once(socket, "close").then(() => true),
        ask("/api/health").then(() => false),
      ])
    }
    expect(crowd.length).toBeLessThan(200)
    expect(await ask("/api/health")).toBe(200)
    expect(await ask("/api/realtime/history?channel=room:lobby&after=0")).toBe(200)
    // Whose code wasn't needed until now.
    expect(await ask("/lab")).toBe(200)
    for (const socket of crowd) socket.destroy()
    await waitFor(() => app.publish("after"), "room for another connection")
    expect((await app.get("/lab")).status).toBe(200)
    expect(await app.texts()).toEqual(["after"])
    agent.destroy()
  })

  it("is found well by the doctor, as a page uses it, from this machine or another", async () => {
    using folder = temporaryFolder()
    await using app = await startApp(folder.path)
    const consult = async (env: Record<string, string>, parameters: string[]) => {
      using own = temporaryFolder()
      const doctor = runProgram(
        "doctor.ts",
        { ...app.env, DATA_DIR: own.path, ...env },
        { parameters: ["--json", ...parameters] },
      )
      const exitCode = await doctor.exited
      const findings = JSON.parse(doctor.output.standard) as Record<string, string>[]
      return { exitCode, findings: findings.filter(({ subject }) => subject === "App") }
    }
    const well = [
      { verdict: "ok", detail: expect.stringContaining("is ready") },
      { verdict: "ok", detail: expect.stringContaining("clock") },
      { verdict: "ok", detail: expect.stringMatching(/^Gateway: published, logged and received in \d+ ms$/) },
    ]
    const here = await consult({}, [])
    expect(here.findings).toMatchObject(well)
    expect(here.exitCode).toBe(0)
    const PORT = String(await freePort())
    const elsewhere = await consult({ PORT }, ["--url", app.url])
    expect(elsewhere.findings).toMatchObject(well)
    expect(elsewhere.exitCode).toBe(0)
    const stranger = await consult(
      { PORT, SESSION_SECRET: "the secret of another installation, long enough" },
      ["--url", app.url],
    )
    expect(stranger.findings.at(-1)).toMatchObject({
      verdict: "failed",
      advice: expect.stringContaining("SESSION_SECRET"),
    })
    expect(stranger.exitCode).toBe(1)
    const nobody = await consult({ PORT }, ["--url", `http://127.0.0.1:${PORT}`])
    expect(nobody.findings).toMatchObject([{ verdict: "failed" }])
    expect(nobody.exitCode).toBe(1)
  })
})

/** The status of a request on a connection of one's own. */
async function statusOf(url: string, options: RequestOptions): Promise<number | undefined> {
  const [response] = (await once(request(url, options).end(), "response")) as [IncomingMessage]
  await once(response.resume(), "end")
  return response.statusCode
}

function temporaryFolder(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "throughline-production-"))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** Until the disk has no room for another block. */
function fill(path: string): void {
  for (const size of [64 * 1024, 1024, 1])
    try {
      for (;;) writeFileSync(path, "x".repeat(size), { flag: "a" })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error
    }
}

/** `npm start` on SQLite in this folder, with a member of the lobby who asks it. */
async function startApp(dataDir: string, options: ProgramOptions = {}) {
  const port = await freePort()
  const env = {
    ...{ NODE_ENV: "production", REALTIME_PROVIDER: "socketio", HOST: "127.0.0.1", PORT: String(port) },
    ...{ DATA_DIR: dataDir, SESSION_SECRET: sessionSecret },
  }
  const { child, exited, output, whenStarted } = runProgram("main.ts", env, options)
  const cookie = `${sessionCookie}=${await sealData({ user: alice }, { password: sessionSecret })}`
  const url = `http://127.0.0.1:${port}`
  const get = (path: string) => fetch(url + path, { headers: { cookie }, redirect: "manual" })
  await whenStarted(() => output.text.includes("ready on http"))
  const database = await openDatabase({ dataDir })
  await createRooms(database).join(alice, "lobby")
  await database.destroy()
  const http = createHttp({
    basePath: `${url}/api/realtime`,
    fetch: (input, init) => fetch(input, { ...init, headers: { ...init?.headers, cookie } }),
  })
  return {
    ...{ env, url, get, cookie },
    async publish(text: string) {
      const [result] = await http.publish("room:lobby", [
        { id: crypto.randomUUID(), event: "text-sent", payload: { text } },
      ])
      if (!result || "error" in result) throw result?.error
      return result.receipt
    },
    async texts() {
      const { messages } = await http.history("room:lobby", { after: 0 })
      return messages.map(({ payload }) => (payload as { text: string }).text)
    },
    stop() {
      child.kill("SIGTERM")
      return exited
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL")
      await exited
    },
  }
}

/** Opens a page again and again; `end` resolves with the answers' statuses. */
function visit(url: string, cookie: string) {
  const statuses = new Set<number>()
  let isOver = false
  const visiting = (async () => {
    while (!isOver) {
      const response = await fetch(url, { headers: { cookie } })
      await response.arrayBuffer()
      statuses.add(response.status)
    }
  })()
  return {
    async end() {
      isOver = true
      await visiting
      return statuses
    },
  }
}
