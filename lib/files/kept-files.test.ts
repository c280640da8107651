import "fake-indexeddb/auto"
import { beforeEach, expect, it } from "vitest"
import { createKeptFiles, forgetKeptFiles } from "./kept-files.ts"

const dayMs = 24 * 60 * 60 * 1000
const fileOf = (name: string) => new File([`bytes of ${name}`], name, { type: "text/plain" })

let at = 0
const kept = (owner: string) => createKeptFiles(owner, () => at)

beforeEach(async () => {
  at = 1_000
  for (const owner of ["aki", "ben"]) await forgetKeptFiles(owner)
})

it("keeps files, each under its key, until they are taken away", async () => {
  const files = kept("aki")
  await files.put("1", fileOf("a.txt"))
  await files.put("2", fileOf("b.txt"))
  const found = await kept("aki").get("1")
  expect([found?.name, found?.type, await found?.text()]).toEqual(["a.txt", "text/plain", "bytes of a.txt"])
  await files.remove("1")
  expect([await files.get("1"), (await files.get("2"))?.name]).toEqual([null, "b.txt"])
  await files.remove("1")
})

it("gives nobody what is another's, and keeps it no longer than until somebody else puts something", async () => {
  await kept("aki").put("1", fileOf("a.txt"))
  expect(await kept("ben").get("1")).toBeNull()
  await kept("ben").remove("1")
  expect((await kept("aki").get("1"))?.name).toBe("a.txt")
  await kept("ben").put("2", fileOf("b.txt"))
  expect(await kept("aki").get("1")).toBeNull()
})

it("keeps nothing for longer than a day, nor of whom has signed out for good", async () => {
  const files = kept("aki")
  await files.put("old", fileOf("a.txt"))
  at += dayMs
  await files.put("new", fileOf("b.txt"))
  expect([await files.get("old"), (await files.get("new"))?.name]).toEqual([null, "b.txt"])
  await forgetKeptFiles("aki")
  expect(await files.get("new")).toBeNull()
})
