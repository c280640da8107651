import { execFileSync } from "node:child_process"
import { cpSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { sealData } from "iron-session"
import { pino } from "pino"
import { io as connect } from "socket.io-client"
import { createClient, createMessageFeed } from "throughline/client"
import { createPostgresLog } from "throughline/log/postgres"
import { createSqliteLog } from "throughline/log/sqlite"
import type { MessageLog } from "throughline/server"
import {
  contractChannels,
  createContractHttp,
  createContractRealtime,
  findPostgres,
  freePort,
  startPostgres,
  waitFor,
} from "throughline/testing"
import { describe, expect, it } from "vitest"
import { room } from "#lib/chat/channels.ts"
import { openDatabase } from "#lib/chat/database.ts"
import { createRooms } from "#lib/chat/rooms.ts"
import { sessionCookie } from "#lib/chat/session.ts"
import { parseEnv } from "#lib/env/schema.ts"
import { createLocalStore } from "#lib/files/local-store.ts"
import { createFileRegister } from "#lib/files/register.ts"
import { chatOfProcess } from "#lib/realtime/process-chat.ts"
import { createMemoryTransport } from "../realtime/providers/memory/client.ts"
import { createMemoryHub } from "../realtime/providers/memory/hub.ts"
import { createMemoryPublisher } from "../realtime/providers/memory/server.ts"
import { createServer } from "./create-server.ts"
import { gatewayOptions } from "./gateway-options.ts"
import { runProgram } from "./testing/program.ts"

const alice = { id: "alice", name: "Alice" }
const password = "a session secret of this test, long enough"
const lobby = room({ room: "lobby" }).name

/** `npm run data -- …` with nothing but this environment. */
async function data(env: Record<string, string>, ...parameters: string[]) {
  const { exited, output } = runProgram("data.ts", env, { parameters })
  return { exitCode: await exited, text: output.text.trim() }
}

describe("npm run data", () => {
  it("removes what retention no longer keeps, and erases a person", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "throughline-data-"))
    const log = createSqliteLog({ path: join(dataDir, "realtime.db") })
    const say = (id: string) => ({
      id,
      channel: lobby,
      event: "text-sent",
      payload: { text: id },
      from: alice,
    })
    await log.append(["a", "b", "c"].map(say))
    const database = await openDatabase({ dataDir })
    const rooms = createRooms(database)
    const secret = await rooms.create(alice, { name: "x", isPrivate: true })

    const env = { DATA_DIR: dataDir, LOG_RETENTION_MESSAGES: "2" }
    expect(await data(env, "retention")).toEqual({ exitCode: 0, text: "1 messages and 0 files removed" })
    expect((await data(env, "erase", "alice")).text).toMatch(
      /^2 messages erased, .* and what rooms weren't told of them yet; their sessions/,
    )
    const { messages } = await log.readAfter(lobby, 0, 10)
    expect(messages.map(({ event, payload, from }) => [event, payload, from])).toEqual([
      ["erased", null, null],
      ["erased", null, null],
    ])
    expect(await rooms.isMember("alice", secret.id)).toBe(false)
    expect(await data(env, "erase")).toEqual({ exitCode: 1, text: expect.stringContaining("npm run data") })
    expect((await data(env, "everything")).exitCode).toBe(1)
    await log.close()
    await database.destroy()
  })

  it("gives the disk back what was removed, beside a server that goes on", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "throughline-data-"))
    const path = join(dataDir, "realtime.db")
    const log = createSqliteLog({ path })
    const say = () => ({
      ...{ id: crypto.randomUUID(), channel: lobby, event: "text-sent", from: alice },
      payload: { text: "x".repeat(1_000) },
    })
    await log.append(Array.from({ length: 2_000 }, say))
    const env = { DATA_DIR: dataDir, LOG_RETENTION_MESSAGES: "10" }
    expect((await data(env, "retention")).text).toMatch(/^1990 messages/)
    const reader = new DatabaseSync(path)
    reader.exec("BEGIN; SELECT * FROM sqlite_master")
    expect((await data(env, "compact")).text).toMatch(
      /realtime\.db: .* now; .* run it again\n.*chat\.db: .* now$/,
    )
    reader.close()
    expect(await data(env, "compact")).toEqual({
      exitCode: 0,
      text: expect.stringMatching(/realtime\.db: .* now\n/),
    })
    expect(statSync(path).size).toBeLessThan(100_000)
    expect(statSync(`${path}-wal`).size).toBe(0)
    expect(await log.append([say()])).toMatchObject([{ seq: 2_001 }])
    expect((await log.readAfter(lobby, 1_990, 100)).messages).toHaveLength(11)
    await log.close()
  })

  it("removes files: what was never sent, and all of a person who is erased", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "throughline-data-"))
    const database = await openDatabase({ dataDir })
    const store = createLocalStore({ directory: join(dataDir, "files") })
    const upload = async (at: number, uploaderId: string) => {
      const register = createFileRegister(database, () => at)
      const declared = { roomId: "lobby", uploaderId, name: "a.txt", size: 2, thumbnailSize: 0 }
      const id = await register.declare(declared)
      if ("receive" in store.incoming) await store.incoming.receive(id, new Blob(["hi"]).stream(), 2)
      await store.settle(id)
      await register.settle(id, { name: "a.txt", type: "text/plain", thumbnailSize: 0 })
    }
    await upload(0, "bob")
    await upload(Date.now(), "bob")
    await upload(Date.now(), "alice")
    const kept = () => readdirSync(join(dataDir, "files", "kept")).length
    expect([kept(), (await data({ DATA_DIR: dataDir }, "retention")).text, kept()]).toEqual([
      ...[3, "0 messages and 1 files removed", 2],
    ])
    expect((await data({ DATA_DIR: dataDir }, "erase", "bob")).text).toMatch(/^0 messages erased, 1 files/)
    expect(kept()).toBe(1)
    await database.destroy()
  })

  const programs = findPostgres()
  it.each([
    ["sign-out", "SQLite"],
    ["erase", programs ? "PostgreSQL" : "SQLite"],
  ] as const)(
    "ends the sessions of a person by %s, and what they have open, in %s",
    async (command, store) => {
      await using stack = new AsyncDisposableStack()
      const postgres = store === "PostgreSQL" ? stack.use(await startPostgres()) : null
      const variables = {
        ...{ SESSION_SECRET: password, SOCKET_INTERNAL_SECRET: password, REALTIME_PROVIDER: "socketio" },
        ...{ DATA_DIR: mkdtempSync(join(tmpdir(), "throughline-data-")), HOST: "127.0.0.1" },
        ...(postgres && { DATABASE_URL: postgres.connectionString }),
      }
      const logger = pino({ level: "silent" })
      const options = { ...(await gatewayOptions(parseEnv(variables), logger)), port: 0 }
      const server = await createServer(options)
      stack.defer(() => server.close())
      const chat = await chatOfProcess(() => expect.unreachable("the server hosts one"))

      /** Somebody who is in the lobby, and hears what is said there. */
      async function enter(id: string) {
        const user = { id, name: id }
        await chat.rooms.join(user, "lobby")
        const cookie = `${sessionCookie}=${encodeURIComponent(await sealData({ user }, { password }))}`
        const question = { method: "POST", body: "{}" }
        const ask = () =>
          server.realtime.handlers.POST(
            new Request("https://chat.example/api/realtime/credentials/socketio", {
              ...{ ...question, headers: { cookie, "content-type": "application/json" } },
            }),
          )
        const { ticket } = (await (await ask()).json()) as { ticket: string }
        const socket = connect(server.url, { transports: ["websocket"], forceNew: true, auth: { ticket } })
        stack.defer(() => void socket.disconnect())
        const revoked: string[] = []
        socket.on("revoked", (channel: string) => void revoked.push(channel))
        expect(await socket.emitWithAck("subscribe", lobby, null)).toMatchObject({ ok: true })
        return { ask, revoked }
      }
      const [her, him] = [await enter("alice"), await enter("bob")]

      const env = { ...variables, PORT: String(server.port) }
      const { exitCode, text } = await data(env, command, "alice")
      expect([exitCode, text]).toEqual([0, expect.stringMatching(/their sessions are ended$/)])
      await waitFor(() => her.revoked.length > 0, "the end of what she had open")
      expect([her.revoked, (await her.ask()).status]).toEqual([[lobby], 401])
      expect([him.revoked, (await him.ask()).status]).toEqual([[], 200])
      // Again, where nobody is left to tell.
      const away = await data({ ...env, PORT: String(await freePort()) }, command, "alice")
      expect(away.exitCode).toBe(0)
      expect(away.text).toMatch(/their sessions are ended, but .* at socketio .*: run this again/)
    },
  )

  it.skipIf(!programs)("makes readers start over after a backup of PostgreSQL was put back", async () => {
    await using postgres = await startBackedUpPostgres(programs ?? "")
    await using stage = openReader(() => createPostgresLog({ connectionString: postgres.connectionString }))
    const { say, shown } = stage
    const stop = await stage.read()
    await say("in the backup")
    const restore = await postgres.backUp()
    await say("lost with the disk")
    await waitFor(() => shown() === "in the backup,lost with the disk")
    await restore()
    const DATA_DIR = mkdtempSync(join(tmpdir(), "throughline-data-"))
    const env = { DATABASE_URL: postgres.connectionString, DATA_DIR }
    const { exitCode, text } = await data(env, "restored")
    expect([exitCode, text]).toEqual([0, expect.stringContaining("lives on as")])
    await waitFor(() => stage.resets > 0)
    await say("after the restore")
    await waitFor(() => shown() === "in the backup,after the restore", "what the log holds now")
    stop()
  })
})

describe("a reader who was away while a backup was put back, and nobody told the log", () => {
  /** Has seen four, of which the backup holds two. */
  async function comesBack(stage: ReturnType<typeof openReader>, backUp: () => Promise<() => Promise<void>>) {
    const { say, shown } = stage
    const leave = await stage.read()
    for (const text of ["one", "two"]) await say(text)
    const restore = await backUp()
    for (const text of ["three", "four"]) await say(text)
    await waitFor(() => shown() === "one,two,three,four")
    leave()
    await stage.stop()
    await restore()
    stage.start()
    for (const text of ["five", "six", "seven"]) await say(text)
    const leaveAgain = await stage.read()
    await waitFor(() => shown() === "one,two,five,six,seven", "what the log holds now")
    expect(stage.resets).toBe(1)
    leaveAgain()
  }

  it("starts over, in SQLite", async () => {
    const folder = mkdtempSync(join(tmpdir(), "throughline-data-"))
    await using stage = openReader(() => createSqliteLog({ path: join(folder, "data", "realtime.db") }))
    await comesBack(stage, async () => {
      cpSync(join(folder, "data"), join(folder, "copy"), { recursive: true })
      return async () => {
        rmSync(join(folder, "data"), { recursive: true })
        renameSync(join(folder, "copy"), join(folder, "data"))
      }
    })
  })

  const programs = findPostgres()
  it.skipIf(!programs)("starts over, in PostgreSQL", async () => {
    await using postgres = await startBackedUpPostgres(programs ?? "")
    await using stage = openReader(() => createPostgresLog({ connectionString: postgres.connectionString }))
    await comesBack(stage, postgres.backUp)
  })
})

/** A PostgreSQL of which backups are made, and put back, as an operator does. */
async function startBackedUpPostgres(programs: string) {
  const postgres = await startPostgres()
  const { connectionString } = postgres
  const run = (program: string, parameters: string[], input = "") =>
    execFileSync(join(programs, program), [...parameters, "--dbname", connectionString], {
      ...{ input, encoding: "utf8", stdio: "pipe" },
    })
  return {
    connectionString,
    async backUp() {
      const backup = run("pg_dump", ["--schema=throughline"])
      return async () => {
        run("psql", ["--command", "DROP SCHEMA throughline CASCADE"])
        run("psql", ["--quiet"], backup)
      }
    },
    [Symbol.asyncDispose]: () => postgres[Symbol.asyncDispose](),
  }
}

/** A server over this log, which can be stopped and started again, and somebody who reads a room's list of messages. */
function openReader(openLog: () => MessageLog) {
  const hub = createMemoryHub({ authorize: async () => {}, maxPresenceMembers: 10 })
  const start = () => createContractRealtime({ publishers: [createMemoryPublisher(hub)], log: openLog() })
  let realtime = start()
  const handlers: typeof realtime.handlers = {
    GET: (request) => realtime.handlers.GET(request),
    POST: (request) => realtime.handlers.POST(request),
  }
  const client = createClient({
    transport: createMemoryTransport({ hub, user: alice, onError() {} }),
    http: createContractHttp({ handlers }, alice),
    headCheck: { connectedMs: 100, interruptedMs: 100 },
  })
  client.open()
  const ref = contractChannels.room({ room: "1" })
  const feed = createMessageFeed(client.channel(ref), undefined)
  const textOf = ({ payload }: { payload: unknown }) => (payload as { text: string }).text
  let resets = 0
  return {
    get resets() {
      return resets
    },
    shown: () => feed.state.messages.map(textOf).join(),
    say: (text: string) => realtime.publish(ref, "said", { text }),
    /** Reads on from where it stopped; resolves, once it is there, with how to stop. */
    async read() {
      const stop = feed.start()
      let wasReset = feed.state.wasReset
      const stopCounting = feed.subscribe(() => {
        if (feed.state.wasReset && !wasReset) resets += 1
        wasReset = feed.state.wasReset
      })
      await waitFor(() => client.channel(ref).status.state === "attached")
      return () => {
        stop()
        stopCounting()
      }
    },
    stop: () => realtime.close(),
    start() {
      realtime = start()
    },
    async [Symbol.asyncDispose]() {
      await client.close()
      await realtime.close()
    },
  }
}
