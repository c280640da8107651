import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { forgetPerson, personalStorage } from "./personal-storage.ts"

beforeEach(() => {
  localStorage.clear()
  sessionStorage.clear()
})
afterEach(() => vi.restoreAllMocks())

it("keeps each person's things apart, whatever they and their things are called", () => {
  const names = ["a", "a.b", "b", "", "アキ", "a%2Eb"]
  const all = names.flatMap((owner) => [...names, undefined].map((name) => ({ owner, name })))
  for (const { owner, name } of all)
    personalStorage(owner, "draft").write(`${owner} and ${String(name)}`, name)
  for (const { owner, name } of all)
    expect(personalStorage(owner, "draft").read(name)).toBe(`${owner} and ${String(name)}`)
  for (const { owner, name } of all) expect(personalStorage(owner, "notify").read(name)).toBeNull()
})

it("takes away what others left of a kind, and nothing else", () => {
  const own = personalStorage("a", "draft")
  own.write("mine", "1")
  own.write("mine")
  personalStorage("a.b", "draft").write("theirs", "1")
  personalStorage("ab", "draft").write("theirs")
  personalStorage("b", "singleKeys").write("off")
  localStorage.setItem("theme", "dark")
  expect(own.hasOthers()).toBe(true)
  own.removeOthers()
  expect(own.hasOthers()).toBe(false)
  expect(Object.keys(localStorage).sort()).toEqual([
    "theme",
    "throughline.draft.a",
    "throughline.draft.a.1",
    "throughline.singleKeys.b",
  ])
})

it("forgets a person: all that is theirs, and what is written for them afterwards", () => {
  const kinds = ["draft", "edit", "files", "notify", "singleKeys"] as const
  for (const kind of kinds)
    for (const owner of ["gone", "gone.not", "other"]) {
      personalStorage(owner, kind).write("x")
      personalStorage(owner, kind).write("x", "1")
    }
  personalStorage("gone", "hasFiles").write("yes")
  forgetPerson("gone")
  // Where it lies elsewhere, that isn't done yet.
  expect(personalStorage("gone", "hasFiles").read()).toBe("yes")
  personalStorage("gone", "files").write("late", "1")
  for (const kind of kinds) {
    const left = ["gone", "gone.not", "other"].map((owner) =>
      [undefined, "1"].map((name) => personalStorage(owner, kind).read(name)),
    )
    expect(left).toEqual([
      [null, null],
      ["x", "x"],
      ["x", "x"],
    ])
  }
})

it("holds for the page what there is no room for, and says that it changed", () => {
  const drafts = personalStorage("a", "draft")
  drafts.write("old", "1")
  let calls = 0
  const stop = drafts.subscribe(() => {
    calls += 1
  })
  vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
    throw new DOMException("full", "QuotaExceededError")
  })
  drafts.write("new", "1")
  expect([drafts.read("1"), calls]).toEqual(["new", 1])
  expect(Object.keys(localStorage)).toEqual([])
  stop()
  drafts.write(null, "1")
  expect([drafts.read("1"), calls]).toEqual([null, 1])
})

it("leaves alone what was kept before things had an owner: nobody knows whose it is", () => {
  localStorage.setItem("throughline.notify", "everything")
  expect(personalStorage("a", "notify").read()).toBeNull()
  expect(localStorage.getItem("throughline.notify")).toBe("everything")
})
