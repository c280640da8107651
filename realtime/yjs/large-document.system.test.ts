import { expect, it } from "vitest"
import * as Y from "yjs"
import { toBase64 } from "../base64.ts"
import { startDocuments } from "../testing/documents/stage.ts"
import { waitFor } from "../testing/wait-for.ts"
import { createDocumentCompactor } from "./compactor.ts"

const edits = 100_000
/** What is typed within a window goes together. */
const perMessage = 20

it("a document of 100,000 edits is opened by a few requests, and stored in little more than its size", async () => {
  await using stage = startDocuments()
  const compactor = createDocumentCompactor({ realtime: stage.realtime, trim: true })
  const doc = new Y.Doc()
  const text = doc.getText("text")
  let gathered: Uint8Array[] = []
  doc.on("update", (update: Uint8Array) => gathered.push(update))
  for (let edit = 0; edit < edits; ) {
    const entries = Array.from({ length: 200 }, () => {
      gathered = []
      for (let n = 0; n < perMessage; n += 1, edit += 1) {
        // Now and then somewhere else, and something is taken back.
        const at = edit % 50 === 0 ? (edit * 7_919) % (text.length + 1) : text.length
        if (edit % 10 === 9) text.delete(text.length - 1, 1)
        else text.insert(at, "abcde fgh"[edit % 9] as string)
      }
      return {
        ...{ id: crypto.randomUUID(), channel: stage.ref.name, event: "update", from: null },
        payload: { update: toBase64(Y.mergeUpdates(gathered)) },
      }
    })
    await stage.log.append(entries)
    await compactor.compact(stage.ref)
  }

  const { document } = stage.open("a")
  await waitFor(() => document.status.state === "synced")
  expect(document.doc.getText("text").toString()).toBe(text.toString())
  expect(stage.requests.length).toBeLessThanOrEqual(4)
  await document.close()

  const [head] = await stage.log.heads([stage.ref.name])
  const { messages, snapshot } = await stage.realtime.snapshot(stage.ref).read()
  const state = Y.encodeStateAsUpdate(doc).length
  const kept = (head?.seq ?? 0) - (head?.first ?? 0) + 1
  expect(messages).toEqual([])
  expect(kept).toBeLessThanOrEqual(1_200)
  // What is kept for whoever is a little behind has a bound of its own.
  const tail = await stage.realtime.history(stage.ref, { limit: 500 })
  const perKept = JSON.stringify(tail.messages.map(({ payload }) => payload)).length / tail.messages.length
  expect((snapshot?.bytes.length ?? 0) * 2).toBeLessThanOrEqual(3 * state)
  expect(perKept).toBeLessThan(400)
})
