import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import * as Y from "yjs"
import { RealtimeError } from "../errors.ts"
import type { PublishReceipt } from "../message.ts"
import { withResolvers } from "../with-resolvers.ts"
import { fromPayloads, partSpan, type YjsUpdate } from "./update-parts.ts"
import { createUpdateSender, type PendingUpdates } from "./update-sender.ts"

interface Published {
  id: string
  payload: YjsUpdate
  at: number
  accept(seq: number): Promise<void>
  answer(receipt: PublishReceipt | null): Promise<void>
  refuse(error: RealtimeError): Promise<void>
}

const settle = () => new Promise((resolve) => setImmediate(resolve))
const error = (code: ConstructorParameters<typeof RealtimeError>[0]) =>
  new RealtimeError(code, { message: code })

function setup(pending?: PendingUpdates) {
  const published: Published[] = []
  const refusals: string[] = []
  const sender = createUpdateSender({
    publish(payload, id) {
      const { promise, resolve, reject } = withResolvers<PublishReceipt | null>()
      published.push({
        ...{ id, payload, at: performance.now() },
        accept: async (seq) => {
          resolve({ id, seq, epoch: "e", at: 0 })
          await settle()
        },
        answer: async (receipt) => {
          resolve(receipt)
          await settle()
        },
        refuse: async (reason) => {
          reject(reason)
          await settle()
        },
      })
      return promise
    },
    limits: () => ({ maxBytes: 1_000, windowMs: 100 }),
    onChange() {},
    onRefused: ({ code }) => void refusals.push(code),
  })
  if (pending) sender.restore(pending)
  sender.release()
  const doc = new Y.Doc()
  doc.on("update", (update: Uint8Array) => sender.add(update))
  const text = doc.getText("text")
  return { sender, published, refusals, type: (word: string) => text.insert(text.length, word), doc }
}

const readAll = (published: readonly Published[]): string => {
  const doc = new Y.Doc()
  for (const { payload } of published) Y.applyUpdate(doc, fromPayloads([payload]))
  return doc.getText("text").toString()
}

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }))
afterEach(() => void vi.useRealTimers())

async function pass(ms: number): Promise<void> {
  vi.advanceTimersByTime(ms)
  await settle()
}

describe("edits", () => {
  it("leave at once, then as one for each window, and one batch at a time", async () => {
    const { sender, published, type } = setup()
    type("a")
    type("b")
    await pass(0)
    expect(published).toHaveLength(1)
    type("c")
    await pass(200)
    expect(published).toHaveLength(1)
    expect(sender.unsent).toBe(2)
    await published[0]?.accept(1)
    await pass(0)
    expect(published).toHaveLength(2)
    await published[1]?.accept(2)
    type("d")
    await pass(99)
    expect(published).toHaveLength(2)
    await pass(1)
    expect(published).toHaveLength(3)
    expect(readAll(published)).toBe("abcd")
  })

  it("don't wait for their window where somebody hurries", async () => {
    const { sender, published, type } = setup()
    type("a")
    await pass(0)
    await published[0]?.accept(1)
    type("b")
    sender.hurry()
    await pass(0)
    expect(published).toHaveLength(2)
  })

  it("wait while they are held, and go together afterwards", async () => {
    const { sender, published, type } = setup()
    sender.hold()
    for (const letter of "hold on") type(letter)
    await pass(10_000)
    expect(published).toHaveLength(0)
    expect(sender.unsent).toBe(1)
    sender.release()
    await pass(0)
    expect(readAll(published)).toBe("hold on")
    expect(published).toHaveLength(1)
  })

  it("go in parts where they are large, which go again alone where they failed, under their ids", async () => {
    const { sender, published, type } = setup()
    type("x".repeat(2_500))
    await pass(0)
    expect(published.map(({ payload }) => payload.part?.index)).toEqual([0, 1, 2])
    expect(sender.unsent).toBe(3)
    await published[0]?.accept(1)
    await published[1]?.refuse(error("timeout"))
    await published[2]?.accept(2)
    await pass(100)
    expect(published).toHaveLength(4)
    expect(published[3]?.id).toBe(published[1]?.id)
    await published[3]?.accept(3)
    expect(sender.unsent).toBe(0)
    expect(sender.pending()).toBeNull()
  })

  it("go again under other ids where their parts got too far from each other", async () => {
    const { sender, published, type } = setup()
    type("x".repeat(1_500))
    await pass(0)
    await published[0]?.accept(1)
    await published[1]?.accept(1 + partSpan)
    expect(sender.unsent).toBe(1)
    await pass(100)
    expect(published).toHaveLength(4)
    await published[2]?.accept(partSpan + 2)
    await published[3]?.accept(partSpan + 3)
    expect(sender.unsent).toBe(0)
    expect(new Set(published.map(({ id }) => id)).size).toBe(4)
  })
})

it("refuses by itself what no number of parts carries, and keeps it", async () => {
  const { sender, published, refusals, type } = setup()
  type("x".repeat(1_000 * partSpan + 1))
  await pass(0)
  expect([published.length, refusals, sender.unsent]).toEqual([0, ["message-too-large"], 1])
})

describe("what comes back from the log", () => {
  it("is known as one's own, and needs no answer any more", async () => {
    const { sender, published, type } = setup()
    expect(sender.arrived("another's", 1)).toBe(false)
    type("a")
    await pass(0)
    const { id } = published[0] as Published
    expect(sender.arrived(id, 2)).toBe(true)
    expect(sender.unsent).toBe(0)
    type("b")
    await pass(100)
    expect(published).toHaveLength(2)
    // The answer to the first comes late, and is nothing to the second.
    await published[0]?.refuse(error("timeout"))
    expect(sender.unsent).toBe(1)
  })

  it("is nobody's own after everything was thrown away", async () => {
    const { sender, published, type } = setup()
    type("a")
    await pass(0)
    sender.discard()
    expect(sender.unsent).toBe(0)
    await published[0]?.accept(1)
    expect(sender.arrived((published[0] as Published).id, 1)).toBe(false)
  })
})

describe("what the server refuses", () => {
  it("stops everything that follows, and is kept", async () => {
    const { sender, published, refusals, type } = setup()
    type("a")
    await pass(0)
    type("b")
    await published[0]?.refuse(error("channel-denied"))
    await pass(1_000)
    expect(refusals).toEqual(["channel-denied"])
    expect(published).toHaveLength(1)
    expect(sender.unsent).toBe(2)
  })

  it.each([
    ["the client was closed", error("not-connected")],
    ["the page's time is over", error("session-changed")],
  ])("waits where %s", async (_, reason) => {
    const { sender, published, refusals, type } = setup()
    type("a")
    await pass(0)
    await published[0]?.refuse(reason)
    await pass(1_000)
    expect([published.length, refusals]).toEqual([1, []])
    sender.release()
    await pass(100)
    expect(published.map(({ id }) => id)).toEqual([published[0]?.id, published[0]?.id])
  })

  it("waits where it got into another log than it was made for", async () => {
    const { sender, published, type } = setup()
    type("a")
    await pass(0)
    await published[0]?.answer(null)
    await pass(1_000)
    expect(published).toHaveLength(1)
    expect(sender.unsent).toBe(1)
  })
})

describe("what an earlier page left", () => {
  it("goes under its ids, and then what was gathered behind it", async () => {
    const first = setup()
    first.type("one ")
    await pass(0)
    first.type("two")
    const left = first.sender.pending()
    const second = setup({ ...(left as PendingUpdates), epoch: "e" })
    await pass(0)
    expect(second.published[0]?.id).toBe(first.published[0]?.id)
    expect(second.sender.arrived((first.published[0] as Published).id, 1)).toBe(true)
    await pass(100)
    expect(readAll(second.published)).toBe("one two")
    expect(second.published).toHaveLength(2)
  })

  it("of several pages goes together", async () => {
    const [one, two] = [setup(), setup()]
    one.type("one")
    two.type("two")
    await pass(0)
    const third = setup({ ...(one.sender.pending() as PendingUpdates), epoch: "e" })
    third.sender.restore({ ...(two.sender.pending() as PendingUpdates), epoch: "e" })
    await pass(0)
    await third.published[0]?.accept(1)
    await pass(100)
    await third.published[1]?.accept(2)
    expect(readAll(third.published)).toHaveLength(6)
    expect(third.sender.unsent).toBe(0)
  })
})
