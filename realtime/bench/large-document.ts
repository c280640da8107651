import { fork } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { setTimeout as delay } from "node:timers/promises"
import { v7 as uuidv7 } from "uuid"
import * as Y from "yjs"
import { toBase64 } from "../base64.ts"
import { createHttp } from "../client/http.ts"
import { type Rival, rivals } from "../testing/documents/rivals.ts"
import { note } from "../testing/documents/shared-notes.ts"
import { startUpheld } from "../testing/documents/upheld.ts"
import { waitFor } from "../testing/wait-for.ts"
import { median } from "./report.ts"
import { lengthOf, people, type } from "./typing.ts"
import { connectWire } from "./wire.ts"

const edits = 100_000
/** What a quick typist writes within the 100 ms that go together. */
const editsPerMessage = 2
const messagesPerPublish = 20
const openings = 3
const typingSeconds = 10
/** How often a second somebody types who is quicker than people are. */
const keysPerSecond = 20

/** A folder of its own that is gone at the end. */
function makeFolder() {
  const path = mkdtempSync(join(tmpdir(), "throughline-document-"))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** What the log holds, as its file says. */
function openLog(folder: string) {
  const database = new DatabaseSync(join(folder, "log.db"), { readOnly: true })
  const number = (sql: string) => Number(Object.values(database.prepare(sql).get() ?? {})[0])
  return {
    seq: () => number("SELECT max(seq) FROM log_channels"),
    isCompacted: () => number("SELECT seq - snapshot FROM log_channels") < 200,
    messages: () => number("SELECT count(*) FROM log_messages"),
    snapshotBytes: () => number("SELECT sum(length(bytes)) FROM log_snapshots"),
    /** The pages in use: tables and indexes, with what is empty in them. */
    bytes: () => number("PRAGMA page_size") * (number("PRAGMA page_count") - number("PRAGMA freelist_count")),
    [Symbol.dispose]: () => database.close(),
  }
}

/** Everybody writes at once, each in a document that has what the others wrote a moment ago. */
async function writeAll(url: string): Promise<void> {
  const headers = { "x-user": JSON.stringify({ id: "somebody" }) }
  const asSomebody: typeof fetch = (input, init) =>
    fetch(input, { ...init, headers: { ...Object.fromEntries(new Headers(init?.headers)), ...headers } })
  const http = createHttp({ basePath: `${url}/api/realtime`, fetch: asSomebody })
  const { ticket } = (await http.credentials("socketio", {})) as { ticket: string }
  const writers = await Promise.all(
    Array.from({ length: people }, async () => {
      const doc = new Y.Doc()
      const made: Uint8Array[] = []
      doc.on("update", (update: Uint8Array, origin: unknown) => origin === null && made.push(update))
      return { doc, made, n: 0, wire: await connectWire(url, { ticket }, () => {}) }
    }),
  )
  const rounds = edits / people / editsPerMessage / messagesPerPublish
  for (let round = 0; round < rounds; round += 1) {
    const written = writers.map((writer, person) =>
      Array.from({ length: messagesPerPublish }, () => {
        for (let n = 0; n < editsPerMessage; n += 1, writer.n += 1) type(writer.doc, person, writer.n)
        return Y.mergeUpdates(writer.made.splice(0))
      }),
    )
    await Promise.all(
      written.map(async (updates, person) => {
        const messages = updates.map((update) => ({
          ...{ id: uuidv7(), event: "update", payload: { update: toBase64(update) } },
        }))
        const answer = await writers[person]?.wire.request(["publish", note.name, messages])
        if (answer?.includes('"error"')) throw new Error(answer)
      }),
    )
    for (const { doc } of writers)
      for (const updates of written) Y.applyUpdate(doc, Y.mergeUpdates(updates), "the others")
  }
  for (const { wire } of writers) wire.close()
}

/** How many messages a second everybody adds who types without a pause, by pages as people have them. */
async function typeOn(
  url: string,
  seq: () => number,
): Promise<{ perSecond: number; state: Uint8Array; length: number }> {
  const open = await rivals.throughline.prepare(url)
  const pages = Array.from({ length: people }, () => open(url))
  await waitFor(() => pages.every(({ isSynced }) => isSynced))
  const before = seq()
  const began = performance.now()
  for (let n = 0; n < typingSeconds * keysPerSecond; n += 1) {
    await delay(Math.max(0, began + (n * 1_000) / keysPerSecond - performance.now()))
    for (const [person, { doc }] of pages.entries()) type(doc, person, n)
  }
  const seconds = (performance.now() - began) / 1_000
  await waitFor(
    () => pages.every(({ isSaved }) => isSaved) && new Set(pages.map(({ doc }) => lengthOf(doc))).size === 1,
  )
  const perSecond = (seq() - before) / people / seconds
  const [{ doc }] = pages as [(typeof pages)[number]]
  const [state, length] = [Y.encodeStateAsUpdate(doc), lengthOf(doc)]
  await Promise.all(pages.map((page) => page.close()))
  return { perSecond, state, length }
}

/** One opening by a process that has just begun. */
async function openOnce(name: keyof typeof rivals, url: string, length: number) {
  const child = fork(
    join(import.meta.dirname, "open-document.ts"),
    [name, url, String(length), ...(name === "throughline" ? ["counts"] : [])],
    { stdio: ["ignore", "inherit", "inherit", "ipc"] },
  )
  const [answer] = await once(child, "message")
  await once(child, "exit")
  return answer as { openMs: number; cpuMs: number; requests: number }
}

async function openOften(name: keyof typeof rivals, url: string, length: number) {
  const opened: Awaited<ReturnType<typeof openOnce>>[] = []
  for (let n = 0; n < openings; n += 1) opened.push(await openOnce(name, url, length))
  return {
    openMs: median(opened.map(({ openMs }) => openMs)),
    cpuMs: median(opened.map(({ cpuMs }) => cpuMs)),
    requests: Math.max(...opened.map(({ requests }) => requests)),
  }
}

/** The same document in another's storage, whose server has just started. */
async function openControl(
  name: Exclude<keyof typeof rivals, "throughline">,
  state: Uint8Array,
  length: number,
) {
  using folder = makeFolder()
  const rival: Rival = rivals[name]
  const server = await startUpheld(rival, folder.path)
  const page = (await rival.prepare(server.url))(server.url)
  await waitFor(() => page.isSynced)
  Y.applyUpdate(page.doc, state)
  await waitFor(() => page.isSaved !== false)
  await page.close()
  // It is stored when the last one has left.
  await delay(2_000)
  await server.kill()
  await server.startAgain()
  const opened = await openOften(name, server.url, length)
  await server.kill()
  return opened
}

async function measureOurs() {
  using folder = makeFolder()
  const server = await startUpheld(rivals.throughline, folder.path)
  await writeAll(server.url)
  using log = openLog(folder.path)
  const { perSecond, state, length } = await typeOn(server.url, log.seq)
  await waitFor(log.isCompacted, "the snapshot")
  // And what it covers is removed.
  await delay(2_000)
  const stored = { bytes: log.bytes(), messages: log.messages(), snapshotBytes: log.snapshotBytes() }
  console.error(`a state of ${state.length} bytes; stored: ${JSON.stringify(stored)}`)
  const before = log.seq()
  const opened = await openOften("throughline", server.url, length)
  const written = log.seq() - before
  await server.kill()
  return { ...opened, perSecond, state, length, written, bytes: stored.bytes }
}

/** A document that several people have written for long: what it costs to open, to keep and to write on. */
export const largeDocument = {
  scenario: `a document of ${edits.toLocaleString("en")} edits by ${people} people`,
  async measure() {
    const ours = await measureOurs()
    const controls = [
      ["Hocuspocus, from SQLite", await openControl("hocuspocus", ours.state, ours.length)],
      ["y-websocket, from LevelDB", await openControl("yWebsocket", ours.state, ours.length)],
    ] as const
    return [
      {
        ...{ metric: "until a page that kept nothing has it", against: "a second", target: "<= 1" },
        pair: { ours: ours.openMs, control: 1_000 },
      },
      ...controls.flatMap(([against, { openMs, cpuMs }]) => [
        {
          ...{ metric: "until a page that kept nothing has it", against, target: null },
          pair: { ours: ours.openMs, control: openMs },
        },
        {
          ...{ metric: "CPU of that page", against, target: null },
          pair: { ours: ours.cpuMs, control: cpuMs },
        },
      ]),
      {
        ...{ metric: "requests of an opening", against: "four", target: "<= 1" },
        pair: { ours: ours.requests, control: 4 },
      },
      {
        ...{ metric: "bytes stored", against: "all of it as one update", target: "<= 3" },
        pair: { ours: ours.bytes, control: ours.state.length },
      },
      {
        ...{ metric: "messages a second of one who types", against: "ten", target: "<= 1" },
        pair: { ours: ours.perSecond, control: 10 },
      },
      {
        ...{ metric: "messages written by opening it and looking", against: "one", target: "<= 0" },
        pair: { ours: ours.written, control: 1 },
      },
    ]
  },
}
