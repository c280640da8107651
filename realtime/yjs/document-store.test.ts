import { IDBFactory, IDBKeyRange } from "fake-indexeddb"
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

beforeEach(() => {
  vi.stubGlobal("indexedDB", new IDBFactory())
  vi.stubGlobal("IDBKeyRange", IDBKeyRange)
})
afterEach(() => void vi.unstubAllGlobals())

const stores: [string, () => DocumentStore][] = [
  ["in a browser", () => createIndexedDbDocuments("alice")],
  ["in memory", createMemoryDocuments],
]

describe.each(stores)("what is kept of a document %s", (_, create) => {
  it("is nothing at first, then what was put there", async () => {
    const store = create()
    expect(await store.open("d", "page")).toEqual({ state: null, pending: [] })
    await store.put("d", "page", { state: state(1), pending: left("a") })
    expect(await store.open("d", "page")).toEqual({ state: state(1), pending: [left("a")] })
    expect(await store.open("other", "page")).toEqual({ state: null, pending: [] })
    store.close()
  })

  it("goes no further back, and begins again with another log", async () => {
    const store = create()
    await store.put("d", "page", { state: state(5), pending: null })
    await store.put("d", "page", { state: state(4), pending: null })
    expect((await store.open("d", "page")).state).toEqual(state(5))
    await store.put("d", "page", { pending: null })
    expect((await store.open("d", "page")).state).toEqual(state(5))
    await store.put("d", "page", { state: state(1, "f"), pending: null })
    expect((await store.open("d", "page")).state).toEqual(state(1, "f"))
  })

  it("has what each page left, which the next one takes over", async () => {
    const store = create()
    await store.put("d", "one", { pending: left("a") })
    await store.put("d", "two", { pending: left("b") })
    expect((await store.open("d", "three")).pending).toEqual([left("a"), left("b")])
    // A page that goes on says again what it has; what was taken over isn't its to take away.
    await store.put("d", "one", { pending: null })
    expect((await store.open("d", "four")).pending).toEqual([left("a"), left("b")])
    await store.put("d", "four", { pending: null })
    expect((await store.open("d", "five")).pending).toEqual([])
  })

  it("goes when it is taken away", async () => {
    const store = create()
    await store.put("d", "page", { state: state(5), pending: left("a") })
    await store.remove("d")
    expect(await store.open("d", "page")).toEqual({ state: null, pending: [] })
  })
})

describe("documents in a browser", () => {
  it("are apart by their owner, and forgotten by it", async () => {
    const [alice, bob] = [createIndexedDbDocuments("alice"), createIndexedDbDocuments("bob")]
    await alice.put("d", "page", { state: state(1), pending: null })
    await bob.put("d", "page", { state: state(2), pending: null })
    await forgetDocuments("alice")
    expect((await alice.open("d", "page")).state).toBeNull()
    expect((await bob.open("d", "page")).state).toEqual(state(2))
  })

  it("are there again after the browser has closed them", async () => {
    const store = createIndexedDbDocuments("alice")
    await store.put("d", "page", { state: state(1), pending: null })
    store.close()
    expect((await store.open("d", "page")).state).toEqual(state(1))
  })
})
