import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { format, inspect } from "node:util"
import { sealData } from "iron-session"
import { pino } from "pino"
import { findPostgres, startPostgres, waitFor } from "throughline/testing"
import { type FaultRule, startAblyEmulator } from "throughline-emulators/ably"
import { type Fault, startPusherEmulator } from "throughline-emulators/pusher"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { lobbyId } from "#lib/chat/lobby.ts"
import { newGuest, sessionCookie } from "#lib/chat/session.ts"
import { parseEnv } from "#lib/env/schema.ts"
import { type Chat, createChat } from "#lib/realtime/create.ts"
import { createPublishers } from "#lib/realtime/publishers.ts"
import { createServer } from "./create-server.ts"

/** Values that stand nowhere else, with characters that every encoding writes in its own way. */
const canaries = {
  pusher: "canary/pusher+secret=7f3a&91",
  ably: "canary/ably+secret=52c8&40",
  session: "canary/session+secret=d1e0&77-and-long-enough",
  internal: "canary/internal+secret=a94b&13",
  wrong: "canary/wrong+secret=3c6d&58",
  // That of the tests' PostgreSQL.
  database: "canary-password",
}

/** A secret as text may hold it. Base64 of a longer text shows it in one of three ways, by what stands before it. */
function formsOf(secret: string): string[] {
  const shifted = [0, 1, 2].flatMap((shift) => {
    const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(secret)])
    // Without the characters that also depend on what is before and after.
    return (["base64", "base64url"] as const).map((encoding) =>
      bytes.toString(encoding).slice(Math.ceil((shift * 4) / 3), Math.floor((bytes.length * 4) / 3) - 1),
    )
  })
  const hex = Buffer.from(secret).toString("hex")
  return [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), hex, ...shifted]
}

function leaksIn(texts: readonly string[]): string[] {
  return Object.entries(canaries).flatMap(([name, secret]) =>
    texts
      .filter((text) => formsOf(secret).some((form) => text.includes(form)))
      .map((text) => `${name}: ${text}`),
  )
}

/** All that was logged, in each way in which a server would write it. */
const logged: string[] = []
/** All that was answered: status, headers, body. */
const answered: string[] = []
const folders: string[] = []
const logger = pino({ level: "trace" }, { write: (line: string) => void logged.push(line) })

beforeAll(() => {
  for (const method of ["error", "warn", "info", "log", "debug"] as const) {
    vi.spyOn(console, method).mockImplementation((...args: unknown[]) => {
      logged.push(format(...args))
      for (const value of args) {
        logged.push(inspect(value, { depth: 10, showHidden: true }))
        if (value instanceof Error) logger.error({ err: value }, "an error")
      }
    })
  }
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean
    vi.spyOn(stream, "write").mockImplementation((...args: unknown[]) => {
      logged.push(String(args[0]))
      return write(...args)
    })
  }
})
afterAll(() => {
  vi.restoreAllMocks()
  for (const folder of folders) rmSync(folder, { recursive: true })
})

async function startChat(variables: Record<string, string>): Promise<Chat & { cookie: string }> {
  const DATA_DIR = mkdtempSync(join(tmpdir(), "throughline-canary-"))
  folders.push(DATA_DIR)
  const env = parseEnv({
    NODE_ENV: "production",
    SESSION_SECRET: canaries.session,
    SOCKET_INTERNAL_SECRET: canaries.internal,
    DATA_DIR,
    ...variables,
  })
  const chat = await createChat({ env, publishers: await createPublishers(env), logger })
  const user = newGuest("Alice")
  await chat.rooms.join(user, lobbyId)
  const cookie = `${sessionCookie}=${encodeURIComponent(await sealData({ user }, { password: canaries.session }))}`
  return { ...chat, cookie }
}

/** Calls every route, rightly and wrongly, and keeps what is answered. Resolves with the statuses by path. */
async function drive({ realtime, cookie }: Chat & { cookie: string }): Promise<Map<string, number>> {
  const statuses = new Map<string, number>()
  const channel = `room:${lobbyId}`
  async function call(path: string, body?: unknown, headers: Record<string, string> = { cookie }) {
    const type = { "content-type": "application/json" }
    const init =
      body === undefined
        ? { headers }
        : { method: "POST", headers: { ...headers, ...type }, body: JSON.stringify(body) }
    const request = new Request(`https://chat.example/api/realtime/${path}`, init)
    const response = await (body === undefined
      ? realtime.handlers.GET(request)
      : realtime.handlers.POST(request))
    statuses.set(path, response.status)
    answered.push(`${response.status} ${inspect(response.headers)} ${await response.text()}`)
  }
  const message = { id: crypto.randomUUID(), event: "text-sent", payload: { text: "x" } }
  await Promise.all([
    ...["history", "head", "counts", "members"].map((name) => call(`${name}?channel=${channel}`)),
    call("history?channel=room:nowhere"),
    call("history"),
    call("nowhere"),
    call("head?channel=room:lobby&of=nobody", undefined, { cookie: `${sessionCookie}=forged` }),
    call("publish", { channel, messages: [message] }),
    call("publish?malformed", { channel, messages: [null] }),
    call("signal", { channel, event: "typing", payload: { isTyping: true } }),
    ...["pusher", "ably", "socketio"].flatMap((provider) => [
      call(`credentials/${provider}`, { socketId: "1.2", channel, channels: [channel] }),
      call(`credentials/${provider}?malformed`, { socketId: 7, channels: 7 }),
      call(`webhooks/${provider}`, { events: [] }, { "x-pusher-signature": "x", "x-ably-signature": "x" }),
    ]),
  ])
  return statuses
}

async function startPusher(change: Record<string, string> = {}) {
  const app = { id: "1", key: "app-key", secret: canaries.pusher }
  const emulator = await startPusherEmulator({ apps: [app] })
  const chat = await startChat({
    REALTIME_PROVIDER: "pusher",
    PUSHER_APP_ID: app.id,
    PUSHER_KEY: app.key,
    PUSHER_SECRET: app.secret,
    PUSHER_HOST: emulator.host,
    PUSHER_PORT: String(emulator.port),
    PUSHER_TLS: "false",
    ...change,
  })
  return { chat, emulator }
}

async function startAbly(change: Record<string, string> = {}) {
  const emulator = await startAblyEmulator({
    apps: [{ id: "app", keys: [{ id: "key", secret: canaries.ably }] }],
  })
  const chat = await startChat({
    REALTIME_PROVIDER: "ably",
    ABLY_API_KEY: emulator.key,
    ABLY_ENDPOINT: emulator.host,
    ABLY_PORT: String(emulator.port),
    ABLY_TLS: "false",
    ...change,
  })
  return { chat, emulator }
}

/** Drives a chat, expects it to have accepted what was said, and closes it. */
async function driveThrough({
  chat,
  emulator,
}: {
  chat: Chat & { cookie: string }
  emulator: AsyncDisposable
}) {
  const statuses = await drive(chat)
  expect(statuses.get("publish")).toBe(200)
  await chat.close()
  await emulator[Symbol.asyncDispose]()
  return statuses
}

const pusherFaults: Fault[] = [
  { kind: "http-refuse", status: 500 },
  { kind: "http-refuse", status: 401, body: "Invalid signature" },
  { kind: "http-refuse", status: 413 },
  { kind: "http-refuse", status: 429 },
  { kind: "http-malformed" },
  { kind: "http-hang" },
  { kind: "http-cut", at: "request" },
  { kind: "clock-skew", skewMs: 1_200_000 },
]

const ablyFaults: FaultRule[] = [
  { fault: "refuse", code: 50000, statusCode: 500 },
  { fault: "refuse", code: 40101, statusCode: 401 },
  { fault: "refuse", code: 40009, statusCode: 413 },
  { fault: "refuse", code: 42910, statusCode: 429 },
  { fault: "malformed", when: "after" },
  { fault: "slow", delayMs: 3_600_000 },
  { fault: "abort" },
]

describe("a secret", () => {
  it("is found in every way of writing it", () => {
    const { ably: secret } = canaries
    for (const before of ["", "a", "ab", "abc"]) {
      const text = `${before}${secret}${before}`
      const encoded = [btoa(text), Buffer.from(text).toString("base64url"), Buffer.from(text).toString("hex")]
      for (const way of [text, encodeURIComponent(text), JSON.stringify({ text }), ...encoded])
        expect([way, leaksIn([way]).length]).toEqual([way, 1])
    }
    expect(leaksIn(["canary", btoa("another secret of the same length")])).toEqual([])
  })
})

// Beside each other: they wait most of the time, for what hangs.
describe.concurrent("no secret stands in a log line or an answer", () => {
  const expectClean = () => {
    expect(leaksIn(logged)).toEqual([])
    expect(leaksIn(answered)).toEqual([])
  }

  it("of Pusher, when all is well and when it isn't", async () => {
    const well = await driveThrough(await startPusher())
    expect([well.get("credentials/pusher"), well.get("webhooks/pusher")]).toEqual([200, 401])
    const before = logged.length
    const changes: Record<string, string>[] = [
      { PUSHER_SECRET: canaries.wrong },
      { PUSHER_KEY: "other" },
      { PUSHER_APP_ID: "2" },
      { PUSHER_PORT: "1" },
      { PUSHER_TLS: "true" },
    ]
    await Promise.all([
      ...changes.map(async (change) => driveThrough(await startPusher(change))),
      ...pusherFaults.map(async (fault) => {
        const started = await startPusher()
        started.emulator.faults.inject(fault)
        await driveThrough(started)
      }),
    ])
    expect(logged.slice(before).join("\n")).toContain("check PUSHER_SECRET")
    expectClean()
  })

  it("of Ably, when all is well and when it isn't", async () => {
    const well = await driveThrough(await startAbly())
    expect([well.get("credentials/ably"), well.get("webhooks/ably")]).toEqual([200, 401])
    const before = logged.length
    const changes: Record<string, string>[] = [
      { ABLY_API_KEY: `app.key:${canaries.wrong}` },
      { ABLY_API_KEY: `app.other:${canaries.ably}` },
      { ABLY_API_KEY: `other.key:${canaries.ably}` },
      { ABLY_PORT: "1" },
    ]
    await Promise.all([
      ...changes.map(async (change) => driveThrough(await startAbly(change))),
      ...ablyFaults.map(async (fault) => {
        const started = await startAbly()
        started.emulator.faults.add(fault)
        await driveThrough(started)
      }),
    ])
    expect(logged.slice(before).join("\n")).toContain("check ABLY_API_KEY")
    expectClean()
  })

  it("of the gateway, when its app knows the secret, another one, or one that no header takes", async () => {
    const server = await createServer({
      port: 0,
      hostname: "127.0.0.1",
      secret: canaries.internal,
      logger,
      async createRealtime(publisher) {
        const { realtime, close } = await startGatewayChat(publisher)
        return { ...realtime, close }
      },
    })
    const url = `http://127.0.0.1:${server.port}`
    const changes: Record<string, string>[] = [
      { SOCKET_URL: url },
      { SOCKET_URL: url, SOCKET_INTERNAL_SECRET: canaries.wrong },
      { SOCKET_URL: url, SOCKET_INTERNAL_SECRET: `${canaries.internal}\n${canaries.wrong}` },
      { SOCKET_URL: "http://127.0.0.1:9" },
    ]
    const emulator = { [Symbol.asyncDispose]: async () => {} }
    await Promise.all(
      changes.map(async (change) =>
        driveThrough({ chat: await startChat({ REALTIME_PROVIDER: "socketio", ...change }), emulator }),
      ),
    )
    for (const authorization of ["", `Bearer ${canaries.wrong}`, `Bearer ${canaries.internal}`]) {
      const response = await fetch(`${url}/_realtime/publish`, {
        method: "POST",
        body: "{",
        headers: { authorization },
      })
      answered.push(`${response.status} ${inspect(response.headers)} ${await response.text()}`)
    }
    await server.close()
    expectClean()
  })

  it.skipIf(!findPostgres())("of PostgreSQL, when it answers, stops, and can't be reached", async () => {
    await using postgres = await startPostgres()
    expect(postgres.connectionString).toContain(canaries.database)
    const { chat, emulator } = await startPusher({ DATABASE_URL: postgres.connectionString })
    expect((await drive(chat)).get("publish")).toBe(200)
    const before = logged.length
    await postgres.stop()
    const statuses = await drive(chat)
    expect(statuses.get(`history?channel=room:${lobbyId}`)).toBeGreaterThanOrEqual(500)
    await waitFor(() => logged.length > before, "the log to say so")
    await chat.close()
    await emulator.close()
    for (const url of [
      postgres.connectionString,
      `postgres://user:${canaries.database}@127.0.0.1:9/chat`,
      `postgres://user:${canaries.database}@127.0.0.1:port/chat`,
      `postgres://user:${canaries.database}%zz@127.0.0.1:9/chat`,
    ]) {
      const noEmulator = {
        PUSHER_APP_ID: "1",
        PUSHER_KEY: "k",
        PUSHER_SECRET: canaries.pusher,
        PUSHER_CLUSTER: "eu",
      }
      const error = await startChat({ REALTIME_PROVIDER: "pusher", ...noEmulator, DATABASE_URL: url }).then(
        () => expect.fail("started without a database"),
        (reason: unknown) => reason,
      )
      console.error(error)
    }
    expectClean()
  })
})

async function startGatewayChat(publisher: Parameters<typeof createChat>[0]["publishers"][number]) {
  const DATA_DIR = mkdtempSync(join(tmpdir(), "throughline-canary-"))
  folders.push(DATA_DIR)
  const env = parseEnv({
    SESSION_SECRET: canaries.session,
    SOCKET_INTERNAL_SECRET: canaries.internal,
    DATA_DIR,
  })
  return createChat({ env, publishers: [publisher], logger })
}
