import { expect, it } from "vitest"
import { openPageStorage } from "./page-storage.ts"

const refuse = (name: string) => () => {
  throw new DOMException("no", name)
}

/** As browsers have it: the values are its own properties. */
function createStorage(): Storage {
  const methods = {
    getItem(this: Record<string, string>, key: string) {
      return this[key] ?? null
    },
    setItem(this: Record<string, string>, key: string, value: string) {
      this[key] = value
    },
    removeItem(this: Record<string, string>, key: string) {
      delete this[key]
    },
  }
  return Object.create(methods)
}

it("what a browser keeps is found by the next page", () => {
  const kept = createStorage()
  openPageStorage(() => kept).setItem("a", "1")
  const next = openPageStorage(() => kept)
  expect([next.getItem("a"), next.getItem("b"), next.keys()]).toEqual(["1", null, ["a"]])
  next.removeItem("a")
  expect([next.getItem("a"), next.keys()]).toEqual([null, []])
})

it("where cookies are blocked, what is written lives as long as the page", () => {
  const storage = openPageStorage(refuse("SecurityError"))
  expect([storage.getItem("a"), storage.keys()]).toEqual([null, []])
  storage.setItem("a", "1")
  expect([storage.getItem("a"), storage.keys()]).toEqual(["1", ["a"]])
  storage.removeItem("a")
  expect([storage.getItem("a"), storage.keys()]).toEqual([null, []])
})

it("where it is full, the new value holds for the page, and the old one doesn't come back after it", () => {
  const kept = createStorage()
  const storage = openPageStorage(() => kept)
  storage.setItem("a", "old")
  Object.getPrototypeOf(kept).setItem = refuse("QuotaExceededError")
  storage.setItem("a", "new")
  expect(storage.getItem("a")).toBe("new")
  expect(openPageStorage(() => kept).getItem("a")).toBeNull()
})
