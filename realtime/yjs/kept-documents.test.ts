import "fake-indexeddb/auto"
import { setTimeout as delay } from "node:timers/promises"
import { expect, it, vi } from "vitest"
import * as Y from "yjs"
import { createMessageId } from "../message-id.ts"
import { startDocuments } from "../testing/documents/stage.ts"
import { waitFor } from "../testing/wait-for.ts"
import {
  createIndexedDbDocuments,
  createMemoryDocuments,
  type DocumentStore,
  forgetDocuments,
} from "./document-store.ts"
import type { SharedDocument } from "./document-types.ts"

const textOf = ({ doc }: SharedDocument) => doc.getText("text")
const isSynced = (...documents: SharedDocument[]) =>
  waitFor(() => documents.every(({ status }) => status.state === "synced"))

function updateOf(text: string): Uint8Array {
  const doc = new Y.Doc()
  doc.getText("text").insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}

/** A log of which each answer takes its time. */
function slowDown(log: { readAfter: unknown; heads: unknown }, ms: number): void {
  const [readAfter, heads] = [log.readAfter, log.heads] as ((...asked: unknown[]) => Promise<unknown>)[]
  log.readAfter = async (...asked: unknown[]) => {
    await delay(ms)
    return readAfter?.(...asked)
  }
  log.heads = async (...asked: unknown[]) => {
    await delay(ms)
    return heads?.(...asked)
  }
}

it.each(["in a page that goes on", "in the next page"])(
  "an edit made without a network doesn't get into another log, %s, however long the log takes",
  async (where) => {
    await using stage = startDocuments()
    const store = createMemoryDocuments()
    const first = stage.open("a", { store })
    textOf(first.document).insert(0, "shared ")
    await first.document.flush()
    let { document } = first
    if (where === "in the next page") await document.close()
    const restore = stage.cutNetwork()
    if (where === "in the next page") document = stage.open("a", { store }).document
    await waitFor(() => document.status.state === "offline")
    textOf(document).insert(0, "mine ")
    await stage.log.renew()
    const { seq } = await stage.head()
    slowDown(stage.log, 300)
    restore()
    await waitFor(() => document.status.state === "diverged")
    expect((await stage.head()).seq).toBe(seq)
  },
)

it("goes on sending in a client that was closed and is open again", async () => {
  await using stage = startDocuments()
  const { document, client } = stage.open("a")
  await isSynced(document)
  await client.close()
  textOf(document).insert(0, "meanwhile")
  client.open()
  await document.flush()
  expect((await stage.head()).seq).toBe(1)
})

it.each([
  ["memory", () => createMemoryDocuments()],
  ["IndexedDB", () => createIndexedDbDocuments(createMessageId())],
])("what one tab throws away takes nothing of another's that is still there, in %s", async (_, make) => {
  await using stage = startDocuments()
  const store: DocumentStore = make()
  const { document } = stage.open("a", { store })
  textOf(document).insert(0, "base ")
  await document.flush()
  await waitFor(async () => (await store.open(stage.ref.name, "looking")).state !== null)
  stage.cutNetwork()
  await waitFor(() => document.status.state === "offline")
  textOf(document).insert(0, "mine ")
  await delay(100)
  const other = stage.open("a", { store }).document
  await waitFor(() => other.canWrite)
  other.discardLocal()
  await delay(100)
  expect(document.status.unsent).toBe(1)
  void document.close()
  await waitFor(async () => (await store.open(stage.ref.name, "looking")).pending.length > 0)
})

it("an edit of somebody who may not write isn't sent by the next page either, until they may", async () => {
  await using stage = startDocuments()
  const store = createMemoryDocuments()
  const first = stage.open("a", { store, canWrite: false }).document
  await isSynced(first)
  textOf(first).insert(0, "draft")
  expect(first.status.state).toBe("diverged")
  await first.close()
  const { document } = stage.open("a", { store, canWrite: false })
  await waitFor(() => document.status.state === "diverged")
  expect(document.status.error?.code).toBe("channel-denied")
  await expect(document.flush()).rejects.toMatchObject({ code: "channel-denied" })
  await delay(200)
  expect((await stage.head()).seq).toBe(0)
  document.setCanWrite(true)
  await document.flush()
  expect((await stage.head()).seq).toBe(1)
})

it("a document that is closed with its last edit on its way knows its place in the log", async () => {
  await using stage = startDocuments()
  const store = createMemoryDocuments()
  const { document } = stage.open("a", { store })
  await isSynced(document)
  textOf(document).insert(0, "one ")
  await document.flush()
  textOf(document).insert(0, "two ")
  await document.close()
  expect((await store.open(stage.ref.name, "looking")).state?.mark).toEqual(expect.any(String))
})

it("of several pages' edits one that didn't know the log yet parts nothing", async () => {
  await using stage = startDocuments()
  const store = createMemoryDocuments()
  const { epoch } = await stage.head()
  for (const [page, known, text] of [
    ["1", null, "early "],
    ["2", epoch, "late "],
  ] as const)
    await store.put(stage.ref.name, page, {
      pending: [{ epoch: known, parts: [], gathered: updateOf(text) }],
    })
  const { document } = stage.open("a", { store })
  await document.flush().catch(() => {})
  await isSynced(document)
  expect(textOf(document).toString()).toContain("late")
})

it("isn't loaded by a seed that was on its way when all was thrown away", async () => {
  await using stage = startDocuments()
  const { append } = stage.log
  stage.log.append = async (...asked) => {
    await delay(150)
    return append(...asked)
  }
  const { document } = stage.open("a", { seed: (doc) => doc.getText("text").insert(0, "seed") })
  await delay(60)
  slowDown(stage.log, 500)
  document.discardLocal()
  await isSynced(document)
  expect(textOf(document).toString()).toBe("seed")
})

it("opens the browser's database again where its connection was lost without a word", async () => {
  const opened: IDBDatabase[] = []
  const given = indexedDB.open.bind(indexedDB)
  vi.spyOn(indexedDB, "open").mockImplementation((...asked) => {
    const request = given(...asked)
    request.addEventListener("success", () => opened.push(request.result))
    return request
  })
  const store = createIndexedDbDocuments(createMessageId())
  await store.open("d", "page")
  opened[0]?.close()
  const pending = [{ epoch: null, parts: [], gathered: updateOf("kept") }]
  await store.put("d", "page", { pending })
  expect((await store.open("d", "another")).pending).toHaveLength(1)
  store.close()
  vi.restoreAllMocks()
})

it.each(["this page", "another tab"])("what is forgotten isn't kept again by %s", async (where) => {
  await using stage = startDocuments()
  const owner = createMessageId()
  const { document } = stage.open("a", { owner })
  await isSynced(document)
  textOf(document).insert(0, "private")
  await document.flush()
  if (where === "this page") await forgetDocuments(owner)
  else {
    const page = new BroadcastChannel("realtime-documents")
    page.postMessage({ forget: owner })
    await delay(50)
    page.close()
  }
  textOf(document).insert(0, "more ")
  await document.flush()
  await document.close()
  const store = createIndexedDbDocuments(owner)
  expect(await store.open(stage.ref.name, "looking")).toEqual({ state: null, pending: [] })
  store.close()
})
