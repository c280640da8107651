import { IDBFactory, IDBKeyRange, IDBObjectStore, IDBTransaction } from "fake-indexeddb"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import {
  createIndexedDbDocuments,
  createMemoryDocuments,
  type DocumentStore,
  forgetDocuments,
} from "./document-store.ts"

const state = (seq: number, epoch = "e") => ({ epoch, seq, bytes: new Uint8Array([seq]) })
const left = (text: string) => ({
  ...{ epoch: "e", gathered: new Uint8Array([1]) },
  parts: [{ id: text, payload: { update: text } }],
})

const used: DocumentStore[] = []
function inBrowser(owner: string) {
  const store = createIndexedDbDocuments(owner)
  used.push(store)
  return store
}

beforeEach(() => {
  vi.stubGlobal("indexedDB", new IDBFactory())
  vi.stubGlobal("IDBKeyRange", IDBKeyRange)
})
afterEach(async () => {
  for (const store of used.splice(0)) store.close()
  await settle()
  vi.unstubAllGlobals()
})

const settle = () => new Promise((resolve) => setImmediate(resolve))

const stores: [string, () => DocumentStore][] = [
  ["in a browser", () => inBrowser("alice")],
  ["in memory", createMemoryDocuments],
]

describe.each(stores)("what is kept of a document %s", (_, create) => {
  it("is nothing at first, then what was put there", async () => {
    const store = create()
    expect(await store.open("d", "page")).toEqual({ state: null, pending: [] })
    expect(await store.put("d", "page", { state: state(1), pending: [left("a")] })).toBe(true)
    expect(await store.open("d", "page")).toEqual({ state: state(1), pending: [left("a")] })
    expect(await store.open("other", "page")).toEqual({ state: null, pending: [] })
  })

  it("is said not to be there by whoever leaves something, until it is put there and once it is taken away", async () => {
    const store = create()
    expect(await store.put("d", "page", { pending: [left("a")] })).toBe(false)
    expect(await store.put("d", "page", { state: state(1), pending: [left("a")] })).toBe(true)
    expect(await store.put("d", "page", { pending: [] })).toBe(true)
    await store.remove("d", "other")
    expect(await store.put("d", "page", { pending: [] })).toBe(false)
  })

  it("is what was asked first and last, in this order, though nobody waited", async () => {
    const store = create()
    void store.put("d", "one", { pending: [left("a")] })
    void store.put("d", "one", { state: state(1), pending: [left("b")] })
    store.close()
    expect(await store.open("d", "two")).toEqual({ state: state(1), pending: [left("b")] })
    void store.put("d", "two", { state: state(2), pending: [] })
    expect(await store.open("d", "three")).toEqual({ state: state(2), pending: [] })
  })

  it("goes no further back, and begins again with another log", async () => {
    const store = create()
    await store.put("d", "page", { state: state(5), pending: [] })
    await store.put("d", "page", { state: state(4), pending: [] })
    expect((await store.open("d", "page")).state).toEqual(state(5))
    await store.put("d", "page", { pending: [] })
    expect((await store.open("d", "page")).state).toEqual(state(5))
    await store.put("d", "page", { state: state(1, "f"), pending: [] })
    expect((await store.open("d", "page")).state).toEqual(state(1, "f"))
  })

  it("has what each page left, which the next one takes over", async () => {
    const store = create()
    await store.put("d", "one", { pending: [left("a")] })
    await store.put("d", "two", { pending: [left("b")] })
    expect((await store.open("d", "three")).pending).toEqual([left("a"), left("b")])
    // A page that goes on says again what it has; what was taken over isn't its to take away.
    await store.put("d", "one", { pending: [] })
    expect((await store.open("d", "four")).pending).toEqual([left("a"), left("b")])
    await store.put("d", "four", { pending: [] })
    expect((await store.open("d", "five")).pending).toEqual([])
  })

  it("goes when it is taken away", async () => {
    const store = create()
    await store.put("d", "page", { state: state(5), pending: [left("a")] })
    await store.put("d", "other", { pending: [left("b")] })
    await store.remove("d", "page")
    // Of other pages what they have written since stays.
    expect(await store.open("d", "page")).toEqual({ state: null, pending: [left("b")] })
  })
})

describe("documents in a browser", () => {
  it("are apart by their owner, and forgotten by it", async () => {
    const [alice, bob] = [inBrowser("alice"), inBrowser("bob")]
    await alice.put("d", "page", { state: state(1), pending: [] })
    await bob.put("d", "page", { state: state(2), pending: [] })
    await forgetDocuments("alice")
    expect((await alice.open("d", "page")).state).toBeNull()
    expect((await bob.open("d", "page")).state).toEqual(state(2))
  })

  it("are there again after the browser has closed them", async () => {
    const store = inBrowser("alice")
    await store.put("d", "page", { state: state(1), pending: [] })
    store.close()
    await settle()
    expect((await store.open("d", "page")).state).toEqual(state(1))
  })

  it("share one connection, which ends with the last of them, and lets a newer page in", async () => {
    const opened = vi.spyOn(indexedDB, "open")
    const [one, two] = [inBrowser("alice"), inBrowser("alice")]
    await Promise.all([one.open("a", "page"), two.open("b", "page")])
    one.close()
    await settle()
    await two.put("b", "page", { state: state(1), pending: [] })
    expect(opened).toHaveBeenCalledTimes(1)
    // It waits for all that are open.
    await new Promise<void>((resolve) => {
      indexedDB.deleteDatabase("realtime-documents").onsuccess = () => resolve()
    })
    expect((await two.open("b", "page")).state).toBeNull()
  })

  it("are asked for what is to be kept before the call returns, and nothing is read before", async () => {
    const store = inBrowser("alice")
    await store.open("d", "page")
    const asked: string[] = []
    for (const [prototype, names] of [
      [IDBObjectStore.prototype, ["put", "delete", "get", "count"]],
      [IDBTransaction.prototype, ["commit"]],
    ] as const)
      for (const name of names) {
        const given = Reflect.get(prototype, name) as (...given: unknown[]) => unknown
        const watched = prototype as unknown as Record<string, (...given: unknown[]) => unknown>
        vi.spyOn(watched, name).mockImplementation(function (this: unknown, ...values) {
          asked.push(name)
          return given.apply(this, values)
        })
      }
    const kept = store.put("d", "page", { state: state(1), pending: [left("a")] })
    expect(asked).toEqual(["put", "commit", "get"])
    await kept
    vi.restoreAllMocks()
    expect(await store.open("d", "page")).toEqual({ state: state(1), pending: [left("a")] })
  })

  it("are asked for anew where the browser hung, and it can't come back to what was given up", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    const factory = indexedDB
    const hanging: IDBOpenDBRequest[] = []
    const opening = vi.spyOn(factory, "open").mockImplementation(() => {
      hanging.push({} as IDBOpenDBRequest)
      return hanging.at(-1) as IDBOpenDBRequest
    })
    const store = inBrowser("alice")
    const late = store.put("d", "page", { pending: [left("late")] })
    vi.advanceTimersByTime(5_000)
    await expect(late).rejects.toMatchObject({ code: "timeout" })
    vi.useRealTimers()
    opening.mockRestore()
    expect(await store.open("d", "other")).toEqual({ state: null, pending: [] })
    const close = vi.fn()
    Object.assign(hanging[0] as object, { result: { close } })
    hanging[0]?.onsuccess?.({} as Event)
    expect(close).toHaveBeenCalledOnce()
    await settle()
    expect(await store.open("d", "other")).toEqual({ state: null, pending: [] })
  })
})
