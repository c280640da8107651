import "fake-indexeddb/auto"
import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { personalStorage } from "#lib/chat/personal-storage.ts"
import { createKeptFiles, removeOthersFiles } from "#lib/files/kept-files.ts"
import { createKeeping, removeOthersAttached } from "./keeping.ts"

beforeEach(async () => {
  localStorage.clear()
  sessionStorage.clear()
  await removeOthersFiles("")
})

afterEach(() => vi.restoreAllMocks())

const attach = async (owner: string) => {
  personalStorage(owner, "files").write("[]", "1")
  const keeping = createKeeping(owner)
  keeping.put("1", new File(["x"], "a.txt"))
  expect(await keeping.get("1")).not.toBeNull()
}
const isKept = async (owner: string) => (await createKeptFiles(owner).get("1")) !== null

it("takes away what others attached and hadn't sent, before anything is attached, and nothing of one's own", async () => {
  await attach("aki")
  await removeOthersAttached("aki")
  expect([await isKept("aki"), Object.keys(sessionStorage)]).toEqual([true, ["throughline.files.aki.1"]])
  await removeOthersAttached("ben")
  expect(await isKept("aki")).toBe(false)
  expect([Object.keys(localStorage), Object.keys(sessionStorage)]).toEqual([[], []])
})

it("opens nothing where nobody has left anything", async () => {
  const opened = vi.spyOn(IDBFactory.prototype, "open")
  await removeOthersAttached("cy")
  expect(opened).not.toHaveBeenCalled()
})

it("tries again where the browser failed", async () => {
  await attach("aki")
  vi.spyOn(IDBObjectStore.prototype, "openCursor").mockImplementation(() => {
    throw new DOMException("no", "InvalidStateError")
  })
  vi.spyOn(IDBObjectStore.prototype, "getAll").mockImplementation(() => {
    throw new DOMException("no", "InvalidStateError")
  })
  await removeOthersAttached("ben")
  vi.restoreAllMocks()
  expect(await isKept("aki")).toBe(true)
  await removeOthersAttached("ben")
  expect(await isKept("aki")).toBe(false)
})
