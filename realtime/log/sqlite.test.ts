import { type ChildProcessByStdio, spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { once } from "node:events"
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { DatabaseSync } from "node:sqlite"
import type { Readable, Writable } from "node:stream"
import { fileURLToPath } from "node:url"
import { describe, expect, it, vi } from "vitest"
import fc from "../testing/fast-check.ts"
import { canMountDisk, mountDisk } from "../testing/small-disk.ts"
import { createMemoryLog } from "./memory.ts"
import type { LogEntry, MessageLog } from "./message-log.ts"
import { createSqliteLog } from "./sqlite.ts"
import { openSqliteStore } from "./sqlite-store.ts"

vi.setConfig({ testTimeout: 60_000 })

const entry = (channel = "a", payload: LogEntry["payload"] = null): LogEntry => ({
  id: randomUUID(),
  channel,
  event: "said",
  payload,
  from: null,
})
const entries = (count: number, channel = "a") => Array.from({ length: count }, () => entry(channel))
const range = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

async function readAll(log: MessageLog, channel = "a") {
  const { messages } = await log.readAfter(channel, 0, 1_000_000)
  return messages
}

/** A folder that goes away with the test, and logs in it that are closed before. */
function openFolder(folder = mkdtempSync(join(tmpdir(), "throughline-log-"))) {
  const stack = new AsyncDisposableStack()
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, "log.db")
  return {
    folder,
    path,
    openLog: (options: { lockTimeoutMs?: number } = {}) =>
      stack.adopt(createSqliteLog({ path, ...options }), (log) => log.close()),
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  }
}

type Child = ChildProcessByStdio<Writable, Readable, null>

function spawnNode(...parameters: string[]): Child {
  return spawn(process.execPath, parameters, { stdio: ["pipe", "pipe", "inherit"] })
}

const spawnWriter = (path: string, groups: number) =>
  spawnNode(fileURLToPath(new URL("./__fixtures__/write-groups.ts", import.meta.url)), path, String(groups))

const linesOf = (child: Child) => createInterface({ input: child.stdout })

async function outputOf(child: Child): Promise<string[]> {
  const lines: string[] = []
  for await (const line of linesOf(child)) lines.push(line)
  return lines
}

/** Another process that holds the file's lock until it is released. */
async function lockElsewhere(path: string): Promise<AsyncDisposable & { release(): Promise<void> }> {
  const child = spawnNode(
    "--input-type=module",
    "--eval",
    `import { DatabaseSync } from "node:sqlite"
     const database = new DatabaseSync(${JSON.stringify(path)})
     database.exec("BEGIN EXCLUSIVE")
     console.log("locked")
     process.stdin.once("end", () => database.close()).resume()`,
  )
  await once(linesOf(child), "line")
  const exited = once(child, "exit")
  async function release(): Promise<void> {
    child.stdin.end()
    await exited
  }
  return { release, [Symbol.asyncDispose]: release }
}

/** Acknowledged entries stand where their writer was told, and nowhere is a hole. */
async function expectAcknowledged(log: MessageLog, lines: string[]): Promise<void> {
  const acknowledged = lines.filter((line) => line.includes(" "))
  const kept = new Set<string>()
  for (const channel of ["a", "b"]) {
    const messages = await readAll(log, channel)
    expect(messages.map(({ seq }) => seq)).toEqual(range(messages.length))
    for (const { seq, id } of messages) kept.add(`${channel} ${seq} ${id}`)
  }
  expect(acknowledged.filter((line) => !kept.has(line))).toEqual([])
}

describe("while another process holds the lock, the log", () => {
  it("gives up after a while, keeps nothing, and goes on when the lock is free", async () => {
    await using files = openFolder()
    const log = files.openLog({ lockTimeoutMs: 30 })
    await log.append([entry()])
    await using lock = await lockElsewhere(files.path)
    await expect(log.append([entry()])).rejects.toMatchObject({
      code: "log-unavailable",
      retryable: true,
      message: "[realtime] unable to append; another process holds the file's lock",
    })
    expect(await readAll(log)).toHaveLength(1)
    await lock.release()
    expect(await log.append([entry()])).toMatchObject([{ seq: 2 }])
  })

  it("waits for it without holding up the process", async () => {
    await using files = openFolder()
    const log = files.openLog({ lockTimeoutMs: 60_000 })
    await log.append([entry()])
    await using lock = await lockElsewhere(files.path)
    let isAppended = false
    const appending = log.append([entry()]).then((results) => {
      isAppended = true
      return results
    })
    expect(await readAll(log)).toHaveLength(1)
    await new Promise((resolve) => setImmediate(resolve))
    expect(isAppended).toBe(false)
    await lock.release()
    expect(await appending).toMatchObject([{ seq: 2 }])
  })
})

describe("with several processes", () => {
  it("numbers without holes, and each is told the truth", async () => {
    await using files = openFolder()
    const outputs = await Promise.all(range(3).map(() => outputOf(spawnWriter(files.path, 60))))
    const log = files.openLog()
    await expectAcknowledged(log, outputs.flat())
    const heads = await log.heads(["a", "b"])
    expect(heads.map(({ seq }) => seq)).toEqual([270, 270])
  })

  it("hands out each page with the head of that moment", async () => {
    await using files = openFolder()
    const log = files.openLog()
    const child = spawnWriter(files.path, 400)
    let isWriting = true
    const writing = outputOf(child).finally(() => {
      isWriting = false
    })
    while (isWriting) {
      const { head, messages } = await log.readBefore("a", null, 3)
      expect(messages.at(-1)?.seq ?? 0).toBe(head.seq)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await writing).toHaveLength(1 + 3 * 400)
  })

  it("makes the tables once, and one epoch, when they start at the same time", async () => {
    await using files = openFolder()
    const epochs = await Promise.all(range(4).map(() => outputOf(spawnWriter(files.path, 0))))
    const [head] = await files.openLog().heads(["a"])
    expect(epochs.flat()).toEqual(range(4).map(() => head?.epoch))
  })

  it("loses nothing that was acknowledged when one is killed in the middle", async () => {
    await using files = openFolder()
    const lines: string[] = []
    for (const round of range(3)) {
      const child = spawnWriter(files.path, 1_000_000)
      for await (const line of linesOf(child)) {
        lines.push(line)
        if (lines.length > round * 100) child.kill("SIGKILL")
      }
    }
    expect(lines.length).toBeGreaterThan(300)
    const log = files.openLog()
    await expectAcknowledged(log, lines)
    const [head] = await log.heads(["a"])
    expect(await log.append([entry()])).toMatchObject([{ seq: (head?.seq ?? 0) + 1 }])
  })
})

describe("the file", () => {
  it("of a later release is refused, and left as it is", async () => {
    await using files = openFolder()
    const log = files.openLog()
    await log.append([entry()])
    await log.close()
    using database = new DatabaseSync(files.path)
    database.exec("UPDATE log_meta SET version = 99")
    const later = files.openLog()
    await expect(later.append([entry()])).rejects.toMatchObject({ code: "invalid-config", retryable: false })
    await expect(later.heads([])).rejects.toThrow(
      "its tables are of version 99 and this release knows up to 4",
    )
    expect(database.prepare("SELECT count(*) AS count FROM log_messages").get()).toEqual({ count: 1 })
  })

  it("of the first release is taken further with all that it holds", async () => {
    await using files = openFolder()
    using database = new DatabaseSync(files.path)
    database.exec(readFileSync(join(import.meta.dirname, "__fixtures__", "version-1.sql"), "utf8"))
    const log = files.openLog()
    const id = "0198b7c4-0000-7000-8000-000000000002"
    expect(await readAll(log)).toMatchObject([
      { seq: 1, payload: "first" },
      { seq: 2, id, payload: "second" },
    ])
    expect(await log.append([{ ...entry(), id }, entry()])).toMatchObject([
      { seq: 2, epoch: "first-epoch", isDuplicate: true },
      { seq: 3, epoch: "first-epoch", isDuplicate: false },
    ])
    const snapshot = { epoch: "first-epoch", upTo: 2, ifUpTo: 0, bytes: new Uint8Array([1]) }
    expect(await log.snapshots?.write("a", snapshot)).toMatchObject({ isWritten: true, seq: 3 })
  })

  it("answers every read as the log in memory does, whatever was appended and trimmed between", async () => {
    const told = fc.record({
      channel: fc.constantFrom("a", "b", "c"),
      count: fc.integer({ min: 1, max: 90 }),
      keep: fc.option(fc.integer({ min: 1, max: 70 })),
    })
    const asked = fc.record({
      seq: fc.integer({ min: 0, max: 300 }),
      limit: fc.integer({ min: 0, max: 120 }),
    })
    const life = fc.record({
      steps: fc.array(told, { maxLength: 8 }),
      reads: fc.array(asked, { minLength: 10, maxLength: 10 }),
    })
    await fc.assert(
      fc.asyncProperty(life, async ({ steps, reads }) => {
        await using files = openFolder()
        let time = 0
        const now = () => time
        const logs = [createSqliteLog({ path: files.path, now }), createMemoryLog({ now })] as const
        const both = async (ask: (log: MessageLog) => Promise<unknown>) => {
          const [ours, theirs] = await Promise.all(
            logs.map(async (log) => {
              const [head] = await log.heads(["a"])
              // Their epochs are their own.
              return JSON.stringify(await ask(log)).replaceAll(String(head?.epoch), "")
            }),
          )
          expect(ours).toBe(theirs)
        }
        for (const { channel, count, keep } of steps) {
          time += 1
          // In turns with another channel, as rooms grow.
          const entries = range(count).flatMap(() => [
            { ...entry(), channel },
            { ...entry(), channel: "between" },
          ])
          await both((log) => log.append(entries))
          if (keep) await both((log) => log.trim({ maxMessagesPerChannel: keep }))
        }
        for (const { seq, limit } of reads)
          for (const channel of ["a", "b", "c", "between"]) {
            await both((log) => log.readAfter(channel, seq, limit))
            await both((log) => log.readBefore(channel, seq || null, limit))
          }
        await Promise.all(logs.map((log) => log.close()))
      }),
      { numRuns: 25 },
    )
  })

  it("given a new epoch, as after restoring a backup, tells it at once", async () => {
    await using files = openFolder()
    const log = files.openLog()
    await log.append([entry()])
    using database = new DatabaseSync(files.path)
    database.exec("UPDATE log_meta SET epoch = lower(hex(randomblob(16)))")
    const epoch = String(database.prepare("SELECT epoch FROM log_meta").get()?.epoch)
    expect(await log.append([entry()])).toMatchObject([{ seq: 2, epoch }])
    expect(await log.heads(["a", "b"])).toMatchObject([{ epoch }, { epoch }])
    expect((await readAll(log)).map((message) => message.epoch)).toEqual([epoch, epoch])
  })

  it("may hold the application's own tables", async () => {
    await using files = openFolder()
    using database = new DatabaseSync(files.path)
    database.exec(
      "CREATE TABLE messages (text TEXT); INSERT INTO messages VALUES ('mine'); PRAGMA user_version = 7",
    )
    await files.openLog().append([entry()])
    expect(database.prepare("SELECT text FROM messages").all()).toEqual([{ text: "mine" }])
    expect(database.prepare("PRAGMA user_version").get()).toEqual({ user_version: 7 })
  })

  it("is forced to the disk at each commit, and read while it is written", async () => {
    await using files = openFolder()
    using database = openSqliteStore(files.path).database
    expect(database.prepare("PRAGMA synchronous").get()).toEqual({ synchronous: 2 })
    expect(database.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" })
  })

  it("has room ahead of the commits, and holds all of them after a crash in which the room was not used", async () => {
    await using files = openFolder()
    const log = files.openLog()
    const accepted: string[] = []
    const lengths = new Set<number>()
    for (let commit = 0; commit < 40; commit += 1) {
      const group = entries(1)
      await log.append(group)
      accepted.push(...group.map(({ id }) => id))
      if (commit >= 2) lengths.add(statSync(`${files.path}-wal`).size)
    }
    expect(lengths.size).toBe(1)
    expect(Math.max(...lengths)).toBeGreaterThan(2 ** 20)
    // What the disk holds at this moment, as a machine that lost its power finds it.
    await using copy = openFolder()
    for (const end of ["", "-wal"]) cpSync(`${files.path}${end}`, `${copy.path}${end}`)
    expect((await readAll(copy.openLog())).map(({ id }) => id)).toEqual(accepted)
  })

  it.each([
    {
      what: "isn't a database",
      reason: "the file is not a database",
      path: (folder: string) => join(folder, "text"),
    },
    {
      what: "is a folder",
      reason: "the file cannot be opened for writing",
      path: (folder: string) => folder,
    },
    {
      what: "is in a folder that can't be made",
      reason: "the file's folder cannot be used (ENOTDIR)",
      path: (folder: string) => join(folder, "text", "deeper", "log.db"),
    },
  ])("that $what is reported", async ({ path, reason }) => {
    await using files = openFolder()
    writeFileSync(
      join(files.folder, "text"),
      "not a database, but long enough to be taken for one".repeat(100),
    )
    await using stack = new AsyncDisposableStack()
    const log = stack.adopt(createSqliteLog({ path: path(files.folder) }), (opened) => opened.close())
    await expect(log.append([entry()])).rejects.toMatchObject({
      code: "log-unavailable",
      message: `[realtime] unable to append; ${reason}`,
    })
  })

  it("is opened anew after it was damaged and taken away", async () => {
    await using files = openFolder()
    const log = files.openLog()
    await log.heads([])
    const first = files.openLog()
    const [before] = await first.append(entries(1_000))
    // Into the file itself, from where the other one will read.
    const database = new DatabaseSync(files.path)
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    writeFileSync(files.path, "damaged".repeat(50_000))
    await expect(readAll(log)).rejects.toThrow("unable to read; the file is not a database")
    for (const end of ["", "-wal", "-shm"]) rmSync(files.path + end, { force: true })
    const [after] = await log.append([entry()])
    expect(after?.seq).toBe(1)
    expect(after?.epoch).not.toBe(before?.epoch)
  })

  it("in a folder that doesn't exist yet is made", async () => {
    await using files = openFolder()
    await using stack = new AsyncDisposableStack()
    const path = join(files.folder, "data", "deeper", "log.db")
    const log = stack.adopt(createSqliteLog({ path }), (opened) => opened.close())
    expect(await log.append([entry()])).toMatchObject([{ seq: 1 }])
  })
})

it("lets the process's other work, and so appends, between the steps of trimming", async () => {
  await using files = openFolder()
  const log = files.openLog()
  await log.append(entries(10_000))
  const order: string[] = []
  await Promise.all([
    log.trim({ maxMessagesPerChannel: 10 }).then((removed) => order.push(`trimmed ${removed}`)),
    new Promise((resolve) => setImmediate(resolve))
      .then(() => log.append([entry()]))
      .then(([result]) => order.push(`appended ${result?.seq}`)),
  ])
  expect(order).toEqual(["appended 10001", "trimmed 9991"])
})

const isMountable = canMountDisk()

describe.skipIf(!isMountable)(
  isMountable ? "on a small disk" : "on a small disk (skipped: mounting needs root)",
  () => {
    const openDisk = () => mountDisk("1m")
    const large = () => entry("a", "x".repeat(20_000))

    it("keeps what it accepted when the disk is full, and goes on when there is room", async () => {
      using disk = openDisk()
      const ballast = join(disk.folder, "ballast")
      writeFileSync(ballast, "x".repeat(300_000))
      await using stack = new AsyncDisposableStack()
      const log = stack.adopt(createSqliteLog({ path: join(disk.folder, "log.db") }), (opened) =>
        opened.close(),
      )
      const accepted: string[] = []
      const fill = async () => {
        for (;;) {
          const group = [large(), large()]
          await log.append(group)
          accepted.push(...group.map(({ id }) => id))
        }
      }
      const failure = { code: "log-unavailable", message: "[realtime] unable to append; the disk is full" }
      await expect(fill()).rejects.toMatchObject({
        ...failure,
        cause: { errstr: "database or disk is full" },
      })
      expect(accepted.length).toBeGreaterThan(2)
      const full = await readAll(log)
      expect(full.map(({ id }) => id)).toEqual(accepted)

      rmSync(ballast)
      expect(await log.append([large()])).toMatchObject([{ seq: accepted.length + 1, isDuplicate: false }])
      expect((await readAll(log)).map(({ seq }) => seq)).toEqual(range(accepted.length + 1))
    })

    it("is opened as soon as there is room", async () => {
      using disk = openDisk()
      const ballast = join(disk.folder, "ballast")
      writeFileSync(ballast, "x".repeat(2 ** 20))
      await using stack = new AsyncDisposableStack()
      const log = stack.adopt(createSqliteLog({ path: join(disk.folder, "log.db") }), (opened) =>
        opened.close(),
      )
      await expect(log.append([entry()])).rejects.toThrow("unable to append; the disk is full")
      rmSync(ballast)
      expect(await log.append([entry()])).toMatchObject([{ seq: 1 }])
    })

    it("says that the disk is read-only, and goes on when it may write", async () => {
      using disk = openDisk()
      await using stack = new AsyncDisposableStack()
      const path = join(disk.folder, "log.db")
      const openLog = () => stack.adopt(createSqliteLog({ path }), (opened) => opened.close())
      const first = openLog()
      await first.append([entry()])
      await first.close()
      disk.remount("ro")
      const log = openLog()
      await expect(log.append([entry()])).rejects.toThrow(
        "unable to append; the file cannot be opened for writing",
      )
      disk.remount("rw")
      expect(await log.append([entry()])).toMatchObject([{ seq: 2 }])
    })
  },
)
