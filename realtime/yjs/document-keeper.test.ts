import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { createDocumentKeeper } from "./document-keeper.ts"
import { createMemoryDocuments, type DocumentStore } from "./document-store.ts"
import type { PendingUpdates } from "./update-sender.ts"

const settle = () => new Promise((resolve) => setImmediate(resolve))

/** With a document that is kept already, unless it `isNew`. */
async function setup(
  around: (store: DocumentStore) => Partial<DocumentStore> = () => ({}),
  { isNew = false } = {},
) {
  const memory = createMemoryDocuments()
  const first = { epoch: "e", seq: 1, bytes: new Uint8Array([1]) }
  if (!isNew) await memory.put("d", "before", { state: first, pending: [] })
  const puts: string[] = []
  const failures: string[] = []
  let seq = 1
  let pending: PendingUpdates | null = null
  const store: DocumentStore = {
    ...memory,
    async put(channel, page, kept) {
      puts.push(
        `${kept.state ? `state ${kept.state.seq}` : "-"}, ${kept.pending.length > 0 ? "pending" : "-"}`,
      )
      return memory.put(channel, page, kept)
    },
    ...around(memory),
  }
  const keeper = createDocumentKeeper({
    ...{ channel: "d", store },
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
    const { keeper, puts, change, pass } = await setup()
    await keeper.open(() => {})
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
    const { keeper, puts, change, pass } = await setup()
    await keeper.open(() => {})
    for (let n = 0; n < 50; n += 1) {
      change(false)
      await pass(1_000)
    }
    expect(puts.length).toBeGreaterThan(1)
    expect(puts.length).toBeLessThan(5)
  })

  it("is kept soon where it never was", async () => {
    const { keeper, puts, change, pass } = await setup(() => ({}), { isNew: true })
    await keeper.open(() => {})
    change(false)
    await pass(50)
    expect(puts).toEqual(["state 2, -"])
  })

  it("has what isn't sent kept before the edit returns, then now and then, and taken away once it is sent", async () => {
    const { keeper, puts, change, pass } = await setup()
    await keeper.open(() => {})
    change(true)
    expect(puts).toEqual(["-, pending"])
    await pass(0)
    change(true)
    await pass(49)
    change(true)
    expect(puts).toHaveLength(1)
    await pass(1)
    expect(puts).toHaveLength(2)
    await pass(50)
    change(false)
    await pass(0)
    await pass(1_950)
    await pass(50)
    expect(puts).toEqual(["-, pending", "-, pending", "-, -", "state 5, -"])
  })

  it("has it kept at once with the document where that isn't yet, and though it was waited for to stand still", async () => {
    const { keeper, puts, change, pass } = await setup(() => ({}), { isNew: true })
    await keeper.open(() => {})
    change(false)
    change(true)
    expect(puts).toEqual(["state 3, pending"])
    await pass(0)
    change(false)
    await pass(40)
    await pass(10)
    expect(puts).toEqual(["state 3, pending", "-, -"])
    change(true)
    await pass(50)
    expect(puts).toHaveLength(3)
  })

  it("has each change of it kept once, one after the other", async () => {
    let proceed = () => {}
    const { keeper, puts, change, pass } = await setup((memory) => ({
      async put(...kept) {
        puts.push(kept[2].pending.length > 0 ? "pending" : "-")
        await new Promise<void>((resolve) => {
          proceed = resolve
        })
        return memory.put(...kept)
      },
    }))
    await keeper.open(() => {})
    change(true)
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

  it("is kept where the page may end, by what is asked at once: what is pending even again, for another tab may have taken it", async () => {
    const { keeper, puts, change, pass } = await setup()
    await keeper.open(() => {})
    change(true)
    await pass(0)
    change(true)
    void keeper.keep()
    expect(puts).toEqual(["-, pending", "state 3, pending"])
    await keeper.keep()
    expect(puts).toEqual(["-, pending", "state 3, pending", "-, pending"])
  })

  it("is taken away, and kept again by its next change", async () => {
    const { keeper, change, pass, memory } = await setup()
    await keeper.open(() => {})
    change(true)
    await keeper.keep()
    await keeper.remove()
    expect(await memory.open("d", "other")).toEqual({ state: null, pending: [] })
    change(false)
    await pass(2_000)
    expect((await memory.open("d", "other")).state?.seq).toBe(3)
  })

  it("is kept again where another page has taken it away", async () => {
    const { keeper, puts, change, pass, memory } = await setup()
    await keeper.open(() => {})
    await memory.remove("d", "another")
    change(true)
    await pass(0)
    await pass(50)
    expect(puts).toEqual(["-, pending", "state 2, pending"])
  })
})

describe("what other pages left", () => {
  const theirs = { epoch: "e", parts: [], gathered: new Uint8Array([7]) }

  it("stays beside what is written here, until it is taken over", async () => {
    const { keeper, change, pass, memory } = await setup()
    await memory.put("d", "other", { pending: [theirs] })
    expect((await keeper.open(() => {}))?.pending).toEqual([theirs])
    change(true)
    await pass(0)
    const whenLooked = await memory.open("d", "looking")
    expect(whenLooked.pending).toHaveLength(2)
    keeper.takeOver()
    change(false)
    await pass(50)
    expect((await memory.open("d", "looking")).pending).toHaveLength(2)
  })

  it("isn't replaced by a page that it wasn't given to, however late the browser does what was given up", async () => {
    let openLate = async () => {}
    const { keeper, change, pass, memory } = await setup((memory) => ({
      open: (...asked) => {
        openLate = async () => void (await memory.open(...asked))
        return new Promise(() => {})
      },
    }))
    await memory.put("d", "other", { pending: [theirs] })
    const opened = keeper.open(() => {})
    change(true)
    await pass(5_000)
    expect(await opened).toBeNull()
    await openLate()
    change(true)
    await pass(1_000)
    expect((await memory.open("d", "looking")).pending).toHaveLength(2)
  })
})

describe("a browser that keeps nothing", () => {
  it("is told of once, and asked again after ever longer, until it works again", async () => {
    let isBroken = true
    let tries = 0
    const { keeper, failures, change, pass, memory } = await setup((memory) => ({
      async put(...kept) {
        tries += 1
        if (isBroken) throw new DOMException("full", "QuotaExceededError")
        return memory.put(...kept)
      },
    }))
    await keeper.open(() => {})
    change(true)
    await pass(0)
    for (const [ms, expected] of [
      [999, 1],
      [1, 2],
      [1_999, 2],
      [1, 3],
      [3_999, 3],
      [1, 4],
    ] as const) {
      await pass(ms)
      expect(tries, `${ms}`).toBe(expected)
    }
    // It is never asked more often than once a minute in the end, nor given up.
    for (let minute = 0; minute < 60; minute += 1) await pass(60_000)
    expect(tries).toBeGreaterThan(60)
    expect(tries).toBeLessThan(75)
    expect(failures).toEqual(["keep the document"])
    isBroken = false
    await pass(60_000)
    expect(await memory.open("d", "looking")).toMatchObject({ state: { seq: 2 }, pending: [{ epoch: "e" }] })
    isBroken = true
    change(true)
    await pass(50)
    expect(failures).toHaveLength(2)
  })

  it("isn't waited for longer than five seconds, and not as long once it has hung, until it answers", async () => {
    const hung = () => ({ open: () => new Promise<never>(() => {}) })
    async function waits({ keeper, failures, pass }: Awaited<ReturnType<typeof setup>>) {
      let slowAfter = 0
      let waited = 0
      let isOpen = false
      const opened = keeper.open(() => {
        slowAfter = waited
      })
      void opened.then(() => {
        isOpen = true
      })
      for (; !isOpen && waited < 10_000; waited += 100) await pass(100)
      return { slowAfter, waited, kept: await opened, failures }
    }
    const none = { kept: null, failures: ["open the document"] }
    expect(await waits(await setup(hung))).toEqual({ slowAfter: 200, waited: 5_000, ...none })
    expect(await waits(await setup(hung))).toEqual({ slowAfter: 0, waited: 1_000, ...none })
    expect(await waits(await setup())).toMatchObject({ waited: 100, kept: { state: { seq: 1 } } })
    expect(await waits(await setup(hung))).toEqual({ slowAfter: 200, waited: 5_000, ...none })
    await waits(await setup())
  })
})
