import { describe, expect, it, vi } from "vitest"
import * as Y from "yjs"
import { toBase64 } from "../base64.ts"
import { startDocuments } from "../testing/documents/stage.ts"
import { waitFor } from "../testing/wait-for.ts"
import { createDocumentCompactor, type DocumentCompactorOptions } from "./compactor.ts"
import { partSpan, toPayloads } from "./update-parts.ts"

/** A document of which each word is one message. */
function setup(options: Partial<DocumentCompactorOptions> = {}) {
  const stage = startDocuments()
  const errors: unknown[] = []
  const compactor = createDocumentCompactor({
    ...{ realtime: stage.realtime, onError: (error) => void errors.push(error) },
    ...options,
  })
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on("update", (update: Uint8Array) => updates.push(update))
  const write = (word: string): Uint8Array => {
    doc.getText("text").insert(doc.getText("text").length, word)
    return updates.at(-1) as Uint8Array
  }
  const slot = stage.realtime.snapshot(stage.ref)
  return {
    ...{ stage, errors, compactor, slot, write },
    /** So many words, each appended as it is. */
    async type(count: number) {
      await stage.log.append(
        Array.from({ length: count }, (_, n) => ({
          id: crypto.randomUUID(),
          channel: stage.ref.name,
          event: "update",
          payload: { update: toBase64(write(`${n} `)) },
          from: null,
        })),
      )
    },
    async textOf(): Promise<string | null> {
      const { snapshot } = await slot.read()
      if (!snapshot) return null
      const read = new Y.Doc()
      Y.applyUpdate(read, snapshot.bytes)
      return read.getText("text").toString()
    },
    text: () => doc.getText("text").toString(),
  }
}

describe("a compactor", () => {
  it("makes a snapshot of the log once there is enough of it, and the next one onto that", async () => {
    const { stage, compactor, type, text, textOf } = setup()
    await using _ = stage
    await type(199)
    expect(await compactor.compact(stage.ref)).toEqual({ outcome: "early", upTo: 0 })
    await type(1)
    expect(await compactor.compact(stage.ref)).toEqual({ outcome: "written", upTo: 200 })
    expect(await textOf()).toBe(text())
    await type(700)
    expect(await compactor.compact(stage.ref)).toEqual({ outcome: "written", upTo: 900 })
    expect(await textOf()).toBe(text())
    expect(await compactor.compact(stage.ref, { always: true })).toEqual({ outcome: "early", upTo: 900 })
  })

  it("counts bytes, too", async () => {
    const { stage, compactor, write, slot } = setup({ minBytes: 10_000 })
    await using _ = stage
    await stage.plant({ update: toBase64(write("x".repeat(10_000))) })
    expect(await compactor.compact(stage.ref)).toEqual({ outcome: "written", upTo: 1 })
    expect((await slot.read()).snapshot?.upTo).toBe(1)
  })

  it("loses against whoever was faster", async () => {
    const { stage, compactor, type, slot } = setup()
    await using _ = stage
    await type(300)
    const { epoch } = await stage.head()
    const { write, read } = slot
    vi.spyOn(stage.realtime, "snapshot").mockReturnValue({
      ...slot,
      read,
      async write(snapshot) {
        await write({ epoch, upTo: 250, ifUpTo: 0, bytes: new Uint8Array([0, 0]) })
        return write(snapshot)
      },
    })
    expect(await compactor.compact(stage.ref)).toEqual({ outcome: "overtaken", upTo: 250 })
  })

  it("ends before an update whose parts aren't all there, until they never will be", async () => {
    const { stage, compactor, type, write, slot } = setup()
    await using _ = stage
    await type(10)
    const [one] = toPayloads(write("x".repeat(100)), 50, () => "k")
    await stage.plant(one, { id: "a" })
    expect(await compactor.compact(stage.ref, { always: true })).toEqual({ outcome: "written", upTo: 10 })
    await type(partSpan - 2)
    // All that follows builds on what is missing.
    expect(await compactor.compact(stage.ref)).toEqual({ outcome: "early", upTo: 10 })
    await type(20)
    const { outcome, upTo } = await compactor.compact(stage.ref)
    expect(outcome).toBe("written")
    expect(upTo).toBeLessThan(10 + partSpan)
    expect((await slot.read()).snapshot?.upTo).toBe(upTo)
  })

  it("never writes what waits for something: the document as it was before is kept", async () => {
    const { stage, compactor, type, write, text, textOf } = setup()
    await using _ = stage
    await type(5)
    const before = text()
    const late = write("missing ")
    await type(3)
    expect(await compactor.compact(stage.ref, { always: true })).toEqual({ outcome: "written", upTo: 5 })
    expect(await textOf()).toBe(before)
    await stage.plant({ update: toBase64(late) })
    expect(await compactor.compact(stage.ref, { always: true })).toEqual({ outcome: "written", upTo: 9 })
    expect(await textOf()).toBe(text())
  })

  it("passes over what makes no sense, and says so", async () => {
    const { stage, compactor, type, text, textOf, errors } = setup()
    await using _ = stage
    await type(3)
    await stage.plant({ update: "////" })
    await stage.realtime.publish(stage.ref, "noted", "something else")
    await type(3)
    expect(await compactor.compact(stage.ref, { always: true })).toEqual({ outcome: "written", upTo: 8 })
    expect(await textOf()).toBe(text())
    expect(errors).toEqual([expect.objectContaining({ code: "invalid-payload" })])
  })

  it("makes up for a snapshot that can't be read by the one before it", async () => {
    const { stage, compactor, type, slot, text, textOf } = setup()
    await using _ = stage
    await type(20)
    await compactor.compact(stage.ref, { always: true })
    await type(20)
    const { epoch } = await stage.head()
    await slot.write({ epoch, upTo: 30, ifUpTo: 20, bytes: new Uint8Array([255, 255]) })
    expect(await compactor.compact(stage.ref)).toEqual({ outcome: "written", upTo: 40 })
    expect(await textOf()).toBe(text())
  })

  it("refuses where the log has a hole", async () => {
    const { stage, compactor, type } = setup()
    await using _ = stage
    await type(20)
    await stage.log.trim({ maxMessagesPerChannel: 5 })
    await expect(compactor.compact(stage.ref)).rejects.toMatchObject({ code: "invalid-request" })
  })

  it("removes what a snapshot covers where it is told to", async () => {
    const { stage, compactor, type } = setup({ trim: true })
    await using _ = stage
    await type(1_500)
    await compactor.compact(stage.ref)
    const [head] = await stage.log.heads([stage.ref.name])
    expect(head?.first).toBe(501)
  })
})

describe("what a compactor hears of", () => {
  it("is looked at a while later, once for many", async () => {
    const { stage, compactor, type, slot } = setup({ delayMs: 20 })
    await using _ = stage
    await type(250)
    for (let n = 0; n < 50; n += 1) compactor.published(stage.ref)
    await waitFor(async () => (await slot.read()).snapshot?.upTo === 250)
    await compactor.close()
  })

  it("is looked at at once where a process may stand still, and then by the number of messages", async () => {
    const work: Promise<unknown>[] = []
    const { stage, compactor, type, slot } = setup({ waitUntil: (promise) => void work.push(promise) })
    await using _ = stage
    await type(200)
    compactor.published(stage.ref)
    await Promise.all(work)
    expect((await slot.read()).snapshot?.upTo).toBe(200)
    for (let n = 0; n < 19; n += 1) compactor.published(stage.ref)
    expect(work).toHaveLength(1)
    compactor.published(stage.ref)
    expect(work).toHaveLength(2)
    await Promise.all(work)
  })

  it("is nothing any more once it is closed", async () => {
    const { stage, compactor, type, slot } = setup({ delayMs: 1 })
    await using _ = stage
    await type(200)
    compactor.published(stage.ref)
    await compactor.close()
    compactor.published(stage.ref)
    await expect(compactor.compact(stage.ref)).rejects.toMatchObject({ code: "not-connected" })
    expect((await slot.read()).snapshot).toBeNull()
  })
})
