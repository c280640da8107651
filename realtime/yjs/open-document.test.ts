import "fake-indexeddb/auto"
import { createRequire } from "node:module"
import { setTimeout as delay } from "node:timers/promises"
import { describe, expect, it, vi } from "vitest"
import * as Y from "yjs"
import { fromBase64, toBase64 } from "../base64.ts"
import type { RealtimeMessage } from "../message.ts"
import { createMessageId } from "../message-id.ts"
import { startDocuments } from "../testing/documents/stage.ts"
import { waitFor } from "../testing/wait-for.ts"
import { withResolvers } from "../with-resolvers.ts"
import { createMemoryDocuments, type DocumentStore } from "./document-store.ts"
import type { SharedDocument } from "./document-types.ts"
import { openDocument } from "./open-document.ts"
import type { YjsUpdate } from "./update-parts.ts"

const textOf = ({ doc }: SharedDocument) => doc.getText("text")
const isSynced = (...documents: SharedDocument[]) =>
  waitFor(() => documents.every(({ status }) => status.state === "synced"))

describe("a document", () => {
  it("is the same for everybody, and many edits are few messages", async () => {
    await using stage = startDocuments()
    const [a, b] = [stage.open("a").document, stage.open("b").document]
    await isSynced(a, b)
    for (const letter of "hello, world") textOf(a).insert(textOf(a).length, letter)
    textOf(b).insert(0, "> ")
    expect(a.status).toEqual({ state: "saving", unsent: 1 })
    await a.flush()
    await b.flush()
    await waitFor(() => textOf(a).toString() === textOf(b).toString())
    expect(textOf(a).toString()).toHaveLength(14)
    expect((await stage.head()).seq).toBe(2)
    expect(stage.errors).toEqual([])
  })

  it("is shown to whoever comes later, from the log alone", async () => {
    await using stage = startDocuments()
    const { document } = stage.open("a")
    textOf(document).insert(0, "written while it was loading")
    await document.flush()
    const later = stage.open("b").document
    await isSynced(later)
    expect(textOf(later).toString()).toBe("written while it was loading")
  })

  it("writes nothing by being opened, looked at and closed", async () => {
    await using stage = startDocuments()
    const pages = ["a", "b", "c"].map((id) => stage.open(id).document)
    await isSynced(...pages)
    await Promise.all(pages.map((document) => document.close()))
    expect((await stage.head()).seq).toBe(0)
  })

  it("sends what a binding adds to what it is shown at first, and nothing that builds on what isn't sent", async () => {
    await using stage = startDocuments()
    const { document: writer } = stage.open("writer")
    textOf(writer).insert(0, "title")
    await writer.flush()
    const createDoc = () => {
      const doc = new Y.Doc()
      const list = doc.getArray("list")
      doc.getText("text").observe((_, { local }) => {
        if (!local && list.length === 0) list.push(["added by a binding"])
      })
      return doc
    }
    const { document } = stage.open("binding", { createDoc })
    await isSynced(document)
    textOf(document).insert(5, "!")
    await document.flush()
    await waitFor(() => textOf(writer).toString() === "title!")
    expect(writer.doc.getArray("list").toJSON()).toEqual(["added by a binding"])
    const reader = stage.open("reader", { createDoc, canWrite: false }).document
    await isSynced(reader)
  })

  it("takes out what has lost its meaning in a format without writing, where it is opened to read", async () => {
    await using stage = startDocuments()
    const [a, b] = [stage.open("a").document, stage.open("b").document]
    await isSynced(a, b)
    textOf(a).insert(0, "bold")
    await a.flush()
    await waitFor(() => textOf(b).length === 4)
    for (const { doc } of [a, b]) doc.getText("text").format(0, 4, { bold: true })
    await Promise.all([a.flush(), b.flush()])
    const reader = stage.open("reader", { canWrite: false }).document
    await isSynced(reader)
    expect(textOf(reader).toDelta()).toEqual([{ insert: "bold", attributes: { bold: true } }])
  })

  it("keeps one's own steps apart from others', for undoing", async () => {
    await using stage = startDocuments()
    const [a, b] = [stage.open("a").document, stage.open("b").document]
    await isSynced(a, b)
    const undo = new Y.UndoManager(textOf(a))
    textOf(b).insert(0, "theirs ")
    await waitFor(() => textOf(a).length > 0)
    textOf(a).insert(7, "mine")
    undo.undo()
    expect(textOf(a).toString()).toBe("theirs ")
    undo.undo()
    expect(textOf(a).toString()).toBe("theirs ")
  })

  it("carries a megabyte that was pasted, in parts, and shows it at once as a whole", async () => {
    await using stage = startDocuments()
    const [a, b] = [stage.open("a").document, stage.open("b").document]
    await isSynced(a, b)
    const lengths = new Set<number>()
    b.doc.on("update", () => lengths.add(textOf(b).length))
    textOf(a).insert(0, "x".repeat(1_000_000))
    await a.flush()
    await waitFor(() => textOf(b).length > 0)
    expect([...lengths]).toEqual([1_000_000])
    expect((await stage.head()).seq).toBeGreaterThan(40)
  })

  it("ends with its last edits in the log", async () => {
    await using stage = startDocuments()
    const { document } = stage.open("a")
    await isSynced(document)
    textOf(document).insert(0, "last words")
    const { doc } = document
    const destroyed = vi.fn()
    doc.on("destroy", destroyed)
    await document.close()
    expect((await stage.head()).seq).toBe(1)
    expect(destroyed).toHaveBeenCalledOnce()
    await expect(document.flush()).rejects.toMatchObject({ code: "not-connected" })
  })
})

describe("a document without a network", () => {
  it("gathers an hour's typing into three messages at most, over a reload", async () => {
    await using stage = startDocuments()
    const store = createMemoryDocuments()
    const first = stage.open("a", { store })
    await isSynced(first.document)
    const restore = stage.cutNetwork()
    for (let n = 0; n < 1_000; n += 1) textOf(first.document).insert(n, "k")
    await waitFor(() => first.document.status.state === "offline")
    expect(first.document.status.unsent).toBeGreaterThan(0)
    // Its page ends without having sent anything; what is hidden is kept.
    await waitFor(async () => (await store.open(stage.ref.name, "looking")).pending.length > 0)
    await first.client.close()

    const second = stage.open("a", { store })
    await waitFor(() => textOf(second.document).length === 1_000)
    expect(second.document.status).toMatchObject({ state: "offline" })
    restore()
    await isSynced(second.document)
    expect((await stage.head()).seq).toBeLessThanOrEqual(3)
    const other = stage.open("b").document
    await isSynced(other)
    expect(textOf(other).length).toBe(1_000)
  })

  it("takes away what it kept of an earlier page once that is sent, and sends it once", async () => {
    await using stage = startDocuments()
    const store = createMemoryDocuments()
    const doc = new Y.Doc()
    doc.getText("text").insert(0, "left behind")
    const gathered = Y.encodeStateAsUpdate(doc)
    const { epoch } = await stage.head()
    await store.put(stage.ref.name, "earlier", { pending: [{ epoch, parts: [], gathered }] })
    const { document } = stage.open("a", { store })
    await isSynced(document)
    await document.close()
    const again = stage.open("a", { store }).document
    await isSynced(again)
    expect(textOf(again).toString()).toBe("left behind")
    expect((await stage.head()).seq).toBe(1)
  })

  it("isn't written to a log that was replaced before the page came back", async () => {
    await using stage = startDocuments()
    const store = createMemoryDocuments()
    const first = stage.open("a", { store })
    textOf(first.document).insert(0, "of another life")
    await first.document.flush()
    await first.document.close()
    await stage.log.renew()
    const { document } = stage.open("a", { store })
    textOf(document).insert(0, "written before it was known, ")
    await waitFor(() => document.status.state === "diverged" || document.status.state === "synced")
    expect(document.status).toMatchObject({ state: "diverged", error: { code: "conflict" } })
    expect((await stage.head()).seq).toBe(1)
  })

  it("is opened from what the browser keeps, and may be written to", async () => {
    await using stage = startDocuments()
    const store = createMemoryDocuments()
    const first = stage.open("a", { store })
    textOf(first.document).insert(0, "kept")
    await first.document.flush()
    await first.document.close()
    const restore = stage.cutNetwork()
    const { document } = stage.open("a", { store })
    await waitFor(() => document.canWrite)
    expect(textOf(document).toString()).toBe("kept")
    textOf(document).insert(4, "!")
    restore()
    await isSynced(document)
    expect((await stage.head()).seq).toBe(2)
  })
})

describe("a document that is opened again", () => {
  it.each([
    ["what it was given to be kept in", () => ({ store: createMemoryDocuments() })],
    ["the browser", () => ({ owner: createMessageId() })],
  ])("while the one before still ends has its last edit, from %s", async (_, options) => {
    await using stage = startDocuments()
    const given = options()
    const first = stage.open("a", given)
    textOf(first.document).insert(0, "kept")
    await first.document.flush()
    await first.document.close()
    stage.cutNetwork()
    const ending = openDocument(first.channel, given)
    await waitFor(() => ending.canWrite)
    textOf(ending).insert(4, "!")
    textOf(ending).insert(5, "!")
    void ending.close()
    const next = openDocument(first.channel, given)
    await waitFor(() => next.canWrite)
    expect(textOf(next).toString()).toBe("kept!!")
  })

  it("doesn't end what it was given to be kept in", async () => {
    await using stage = startDocuments()
    const close = vi.fn()
    const { document } = stage.open("a", { store: { ...createMemoryDocuments(), close } })
    await isSynced(document)
    await document.close()
    expect(close).not.toHaveBeenCalled()
  })
})

describe("a document whose browser is slow", () => {
  /** What is kept there, which it says when it is told to. */
  function slowStore() {
    const memory = createMemoryDocuments()
    const answer = withResolvers<void>()
    const open: DocumentStore["open"] = (...asked) => answer.promise.then(() => memory.open(...asked))
    return { memory, store: { ...memory, open }, answer: answer.resolve }
  }
  const leftOn = (epoch: string) => {
    const doc = new Y.Doc()
    doc.getText("text").insert(0, "left behind")
    return { epoch, parts: [], gathered: Y.encodeStateAsUpdate(doc) }
  }

  it("is shown from the log, and has then what an earlier page left, and keeps what is written", async () => {
    await using stage = startDocuments()
    const { memory, store, answer } = slowStore()
    const { epoch } = await stage.head()
    await memory.put(stage.ref.name, "earlier", { pending: [leftOn(epoch)] })
    const { document } = stage.open("a", { store })
    await isSynced(document)
    expect(textOf(document).toString()).toBe("")
    // It was waited for a moment, and not until it is given up.
    expect(stage.errors).toEqual([])
    const { doc } = document
    answer()
    await waitFor(() => textOf(document).toString() === "left behind")
    expect(document.doc).toBe(doc)
    await isSynced(document)
    expect((await stage.head()).seq).toBe(1)
    textOf(document).insert(0, "and ")
    await document.close()
    expect(await memory.open(stage.ref.name, "looking")).toMatchObject({ state: { epoch }, pending: [] })
  })

  it("has come apart from the log by what an earlier page left of another one", async () => {
    await using stage = startDocuments()
    const { memory, store, answer } = slowStore()
    await memory.put(stage.ref.name, "earlier", { pending: [leftOn("another")] })
    const { document } = stage.open("a", { store })
    await isSynced(document)
    answer()
    await waitFor(() => document.status.state === "diverged")
    expect(document.status).toMatchObject({ error: { code: "conflict" }, unsent: 1 })
    expect(textOf(document).toString()).toBe("left behind")
    document.discardLocal()
    await isSynced(document)
    expect(textOf(document).toString()).toBe("")
    expect((await stage.head()).seq).toBe(0)
  })

  it("is shown by what it keeps where the log isn't there either, and goes on from there", async () => {
    await using stage = startDocuments()
    const { memory, store, answer } = slowStore()
    const first = stage.open("a", { store: memory })
    textOf(first.document).insert(0, "kept")
    await first.document.flush()
    await first.document.close()
    const restore = stage.cutNetwork()
    const { document } = stage.open("a", { store })
    // By then the log is asked, as the timer for that was set before.
    await delay(400)
    expect(document.status.state).toBe("loading")
    answer()
    await waitFor(() => document.canWrite)
    expect(textOf(document).toString()).toBe("kept")
    restore()
    textOf(document).insert(4, "!")
    await isSynced(document)
    expect((await stage.head()).seq).toBe(2)
  })

  it("forgets what an earlier page left where it was thrown away before that was known", async () => {
    await using stage = startDocuments()
    const { memory, store, answer } = slowStore()
    const { epoch } = await stage.head()
    await memory.put(stage.ref.name, "earlier", { pending: [leftOn(epoch)] })
    const remove: DocumentStore["remove"] = async (...asked) => {
      answer()
      await new Promise((resolve) => setImmediate(resolve))
      await memory.remove(...asked)
    }
    const { document } = stage.open("a", { store: { ...store, remove } })
    await isSynced(document)
    document.discardLocal()
    await isSynced(document)
    await document.close()
    expect((await memory.open(stage.ref.name, "looking")).pending).toEqual([])
    expect((await stage.head()).seq).toBe(0)
  })
})

describe("a document whose client", () => {
  it("is closed and opened again goes on from its place, with what was written meanwhile", async () => {
    await using stage = startDocuments()
    const [a, b] = [stage.open("a"), stage.open("b")]
    await isSynced(a.document, b.document)
    await a.client.close()
    textOf(a.document).insert(0, "meanwhile ")
    textOf(b.document).insert(0, "here ")
    await b.document.flush()
    await waitFor(() => a.document.status.state === "offline")
    a.client.open()
    await isSynced(a.document, b.document)
    await waitFor(() => textOf(a.document).toString() === textOf(b.document).toString())
    expect(textOf(b.document)).toHaveLength(15)
  })

  it("loses the channel for a while is refused meanwhile, and sends what was written once it is let in", async () => {
    let isOpen = true
    await using stage = startDocuments({ mayRead: () => isOpen })
    const { document, channel } = stage.open("a")
    await isSynced(document)
    isOpen = false
    await stage.realtime.revoke({ id: "a" }, stage.ref)
    await waitFor(() => document.status.state === "refused")
    expect(document.canWrite).toBe(false)
    isOpen = true
    channel.subscribe({ onMessages() {} })
    await isSynced(document)
    textOf(document).insert(0, "again")
    await document.flush()
    expect((await stage.head()).seq).toBe(1)
  })
})

describe("a seed", () => {
  it("is planted once, by however many open the document at once", async () => {
    await using stage = startDocuments()
    const seed = (doc: Y.Doc) => doc.getText("text").insert(0, "once upon a time")
    const pages = Array.from({ length: 20 }, (_, n) => stage.open(`person ${n}`, { seed }).document)
    await waitFor(() => pages.every((document) => textOf(document).length > 0))
    await isSynced(...pages)
    expect(new Set(pages.map((document) => textOf(document).toString()))).toEqual(
      new Set(["once upon a time"]),
    )
    expect((await stage.head()).seq).toBe(1)
    const later = stage.open("later", { seed }).document
    await isSynced(later)
    expect((await stage.head()).seq).toBe(1)
  })

  it("isn't planted by whoever only reads", async () => {
    await using stage = startDocuments()
    const seed = (doc: Y.Doc) => doc.getText("text").insert(0, "no")
    const { document } = stage.open("a", { seed, canWrite: false })
    await isSynced(document)
    expect((await stage.head()).seq).toBe(0)
  })
})

describe("a document whose log was replaced", () => {
  it("is begun anew where nothing was unsent", async () => {
    await using stage = startDocuments()
    const { document } = stage.open("a")
    textOf(document).insert(0, "text")
    await document.flush()
    const { doc } = document
    await stage.log.renew()
    await stage.realtime.publish(stage.ref, "noted", "anything")
    await waitFor(() => document.doc !== doc && document.status.state === "synced")
    expect(textOf(document).toString()).toBe("text")
    expect(doc.isDestroyed).toBe(true)
  })

  it("keeps apart what was unsent, until it is thrown away", async () => {
    await using stage = startDocuments()
    const { document } = stage.open("a")
    textOf(document).insert(0, "shared ")
    await document.flush()
    const restore = stage.cutNetwork()
    textOf(document).insert(7, "mine")
    await stage.log.renew()
    restore()
    await waitFor(() => document.status.state === "diverged")
    expect(document.status).toMatchObject({ error: { code: "conflict" } })
    expect(document.canWrite).toBe(false)
    await expect(document.flush()).rejects.toMatchObject({ code: "conflict" })
    expect(textOf(document).toString()).toBe("shared mine")
    document.discardLocal()
    await isSynced(document)
    expect(textOf(document).toString()).toBe("shared ")
    expect((await stage.head()).seq).toBe(1)
  })
})

describe("a document that one may not write to", () => {
  it("has diverged once the server has refused an edit, and is begun anew without it", async () => {
    await using stage = startDocuments({ mayWrite: ({ id }) => id === "writer" })
    const writer = stage.open("writer").document
    textOf(writer).insert(0, "theirs")
    await writer.flush()
    const { document } = stage.open("reader")
    await isSynced(document)
    textOf(document).insert(0, "mine, ")
    await waitFor(() => document.status.state === "diverged")
    expect(document.status.error).toMatchObject({ code: "channel-denied" })
    document.discardLocal()
    await isSynced(document)
    expect(textOf(document).toString()).toBe("theirs")
    expect(document.canWrite).toBe(true)
  })

  it("isn't sent anything from where the page knows it", async () => {
    await using stage = startDocuments()
    const { document } = stage.open("reader", { canWrite: false })
    await isSynced(document)
    expect(document.canWrite).toBe(false)
    textOf(document).insert(0, "mine")
    expect(document.status).toMatchObject({ state: "diverged", error: { code: "channel-denied" } })
    expect((await stage.head()).seq).toBe(0)
  })

  it("may be written to from when the page is told so, and not from when it is told otherwise", async () => {
    await using stage = startDocuments()
    const seed = (doc: Y.Doc) => doc.getText("text").insert(0, "once upon a time")
    const { document } = stage.open("a", { canWrite: false, seed })
    await isSynced(document)
    const { doc } = document
    const listener = vi.fn()
    document.subscribe(listener)
    document.setCanWrite(true)
    expect([document.canWrite, listener.mock.calls.length]).toEqual([true, 1])
    // Nobody has written to it yet.
    await waitFor(() => textOf(document).length > 0)
    textOf(document).insert(16, "!")
    await document.flush()
    document.setCanWrite(false)
    expect(document.canWrite).toBe(false)
    textOf(document).insert(0, "refused")
    expect(document.status).toMatchObject({ state: "diverged", error: { code: "channel-denied" } })
    expect([document.doc, (await stage.head()).seq]).toEqual([doc, 2])
  })

  it("is refused to whoever may not read it", async () => {
    await using stage = startDocuments({ mayRead: () => false })
    const { document } = stage.open("stranger")
    await waitFor(() => document.status.state === "refused")
    expect(document.status.error).toMatchObject({ code: "channel-denied" })
    expect(document.canWrite).toBe(false)
    await expect(document.flush()).resolves.toBeUndefined()
  })

  it("is there by itself once the reader is let in", async () => {
    let isOpen = false
    await using stage = startDocuments({ mayRead: ({ id }) => isOpen || id === "writer" })
    const writer = stage.open("writer").document
    textOf(writer).insert(0, "theirs")
    await writer.flush()
    const { document, channel } = stage.open("reader")
    await waitFor(() => document.status.state === "refused")
    isOpen = true
    // One more listener has the server asked again.
    const { unsubscribe } = channel.subscribe({ onMessages() {} })
    await isSynced(document)
    expect(textOf(document).toString()).toBe("theirs")
    expect(document.canWrite).toBe(true)
    unsubscribe()
  })
})

describe("what makes no sense", () => {
  it("in the log is passed over and told, and the rest goes on", async () => {
    await using stage = startDocuments()
    const [a, b] = [stage.open("a").document, stage.open("b").document]
    await isSynced(a, b)
    textOf(a).insert(0, "before ")
    await a.flush()
    await stage.plant({ update: toBase64(new Uint8Array([1, 2, 3, 255, 255, 255])) })
    await stage.plant({ nothing: "of an update" })
    textOf(a).insert(7, "after")
    await a.flush()
    await waitFor(() => textOf(b).toString() === "before after")
    await waitFor(() => stage.errors.filter((error) => error.startsWith("apply an update")).length === 4)
    const later = stage.open("c").document
    await isSynced(later)
    expect(textOf(later).toString()).toBe("before after")
  })

  it.each([
    ["isn't an update", () => new Uint8Array([255, 255, 1])],
    ["leaves out what it says to have", () => Y.encodeStateAsUpdate(new Y.Doc())],
  ])("as the snapshot, which %s, is made up for by the one before it and the log", async (_, lie) => {
    await using stage = startDocuments()
    const { document } = stage.open("a")
    await isSynced(document)
    const slot = stage.realtime.snapshot(stage.ref)
    for (const word of ["one ", "two ", "three"]) {
      textOf(document).insert(textOf(document).length, word)
      await document.flush()
    }
    const { epoch } = await stage.head()
    const first = new Y.Doc()
    Y.applyUpdate(first, await updateAt(stage, 0))
    await slot.write({ epoch, upTo: 1, ifUpTo: 0, bytes: Y.encodeStateAsUpdate(first) })
    await slot.write({ epoch, upTo: 2, ifUpTo: 1, bytes: lie() })
    const later = stage.open("b").document
    await waitFor(() => textOf(later).toString() === "one two three")
    await isSynced(later)
  })

  it("is a document of another copy of yjs, which is said", async () => {
    const complaint = vi.spyOn(console, "error").mockReturnValue()
    const other: typeof Y = createRequire(import.meta.url)("yjs")
    complaint.mockRestore()
    await using stage = startDocuments()
    expect(() => stage.open("a", { createDoc: () => new other.Doc() })).toThrow(/another copy of yjs/)
  })
})

/** What the log has at this place, as it was appended. */
async function updateAt({ log, ref }: ReturnType<typeof startDocuments>, index: number): Promise<Uint8Array> {
  const { messages } = await log.readAfter(ref.name, index, 1)
  const [message] = messages as [RealtimeMessage<string, YjsUpdate>]
  return fromBase64(message.payload.update)
}
