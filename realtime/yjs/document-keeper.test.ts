import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { createDocumentKeeper } from "./document-keeper.ts"
import { createMemoryDocuments, type DocumentStore } from "./document-store.ts"
import type { PendingUpdates } from "./update-sender.ts"

const settle = () => new Promise((resolve) => setImmediate(resolve))

function setup(around: (store: DocumentStore) => Partial<DocumentStore> = () => ({})) {
  const memory = createMemoryDocuments()
  const puts: string[] = []
  const failures: string[] = []
  let seq = 1
  let pending: PendingUpdates | null = null
  const store: DocumentStore = {
    ...memory,
    async put(channel, page, kept) {
      puts.push(`${kept.state ? `state ${kept.state.seq}` : "-"}, ${kept.pending ? "pending" : "-"}`)
      await memory.put(channel, page, kept)
    },
    ...around(memory),
  }
  const keeper = createDocumentKeeper({
    ...{ channel: "d", page: "p", store },
    state: () => ({ epoch: "e", seq, bytes: new Uint8Array([seq]) }),
    pending: () => pending,
    report: (_, { stage }) => void failures.push(stage),
  })
  return {
    ...{ keeper, puts, failures, memory },
    /** So many milliseconds, in which all that waits for them happens. */
    async pass(ms: number) {
      vi.advanceTimersByTime(ms)
      for (let n = 0; n < 5; n += 1) await settle()
    },
    change(isUnsent: boolean) {
      seq += 1
      pending = isUnsent ? { epoch: "e", parts: [], gathered: new Uint8Array([1]) } : null
      keeper.changed()
    },
  }
}

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }))
afterEach(() => void vi.useRealTimers())

describe("a document that changes", () => {
  it("is kept once it stands still, and not again before it changes", async () => {
    const { keeper, puts, change, pass } = setup()
    await keeper.open()
    change(false)
    await pass(1_900)
    change(false)
    await pass(1_900)
    expect(puts).toEqual([])
    await pass(200)
    expect(puts).toEqual(["state 3, -"])
    await pass(600_000)
    expect(puts).toHaveLength(1)
  })

  it("is kept now and then where it never stands still", async () => {
    const { keeper, puts, change, pass } = setup()
    await keeper.open()
    for (let n = 0; n < 50; n += 1) {
      change(false)
      await pass(1_000)
    }
    expect(puts.length).toBeGreaterThan(1)
    expect(puts.length).toBeLessThan(5)
  })

  it("has what isn't sent kept soon, with the document where that isn't yet, and taken away once it is", async () => {
    const { keeper, puts, change, pass } = setup()
    await keeper.open()
    change(true)
    await pass(50)
    expect(puts).toEqual(["state 2, pending"])
    change(true)
    await pass(50)
    change(false)
    await pass(50)
    await pass(1_950)
    expect(puts).toEqual(["state 2, pending", "-, pending", "-, -", "state 4, -"])
  })

  it("has it kept soon though it was waited for to stand still", async () => {
    const { keeper, puts, change, pass } = setup()
    await keeper.open()
    change(false)
    change(true)
    await pass(50)
    expect(puts).toEqual(["state 3, pending"])
  })

  it("has each change of it kept once, one after the other", async () => {
    let proceed = () => {}
    const { keeper, puts, change, pass } = setup((memory) => ({
      async put(...kept) {
        puts.push(kept[2].pending ? "pending" : "-")
        await new Promise<void>((resolve) => {
          proceed = resolve
        })
        await memory.put(...kept)
      },
    }))
    await keeper.open()
    change(true)
    await pass(50)
    expect(puts).toEqual(["pending"])
    change(true)
    await pass(50)
    change(true)
    await pass(1_000)
    expect(puts).toHaveLength(1)
    proceed()
    await pass(0)
    expect(puts).toHaveLength(2)
    proceed()
    await pass(1_500)
    proceed()
    await pass(60_000)
    // Once it stood still, all of it.
    expect(puts).toHaveLength(3)
  })

  it("is kept at once where the page may end", async () => {
    const { keeper, puts, change } = setup()
    await keeper.open()
    change(true)
    await keeper.keep()
    expect(puts).toEqual(["state 2, pending"])
  })

  it("is taken away, and kept again by its next change", async () => {
    const { keeper, change, pass, memory } = setup()
    await keeper.open()
    change(true)
    await keeper.keep()
    await keeper.remove()
    expect((await memory.open("d", "other")).state).toBeNull()
    change(false)
    await pass(2_000)
    expect((await memory.open("d", "other")).state?.seq).toBe(3)
  })
})

describe("a browser that keeps nothing", () => {
  it("is told of once, until it works again", async () => {
    let isBroken = true
    const { keeper, failures, change, pass } = setup((memory) => ({
      put: async (...kept) => {
        if (isBroken) throw new DOMException("full", "QuotaExceededError")
        return memory.put(...kept)
      },
    }))
    await keeper.open()
    for (const broken of [true, true, false, true]) {
      isBroken = broken
      change(false)
      await pass(2_000)
    }
    expect(failures).toEqual(["keep the document", "keep the document"])
  })

  it("isn't waited for longer than five seconds", async () => {
    const { keeper, failures, pass } = setup(() => ({ open: () => new Promise(() => {}) }))
    const opened = keeper.open()
    await pass(5_000)
    expect(await opened).toBeNull()
    expect(failures).toEqual(["open the document"])
  })
})
