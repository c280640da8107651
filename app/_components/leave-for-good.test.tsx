import "fake-indexeddb/auto"
import { redirect } from "next/navigation"
import { expect, it } from "vitest"
import { personalStorage } from "#lib/chat/personal-storage.ts"
import { createKeptFiles } from "#lib/files/kept-files.ts"
import { createIndexedDbStore } from "../../realtime/client/outbox-store.ts"
import { leaveForGood } from "./leave-for-good.ts"

const message = (id: string) => ({
  id,
  channel: "room:lobby",
  event: "text-sent",
  payload: { text: "hi" },
  at: 1,
})
const keptBy = async (owner: string) => (await createIndexedDbStore(owner).load()).map(({ id }) => id)

it("leaves nothing of a guest who has signed out, and all of others, or of one who couldn't", async () => {
  const [guest, other] = ["a guest", "another"]
  for (const id of ["1", "2"]) await createIndexedDbStore(guest).add(message(id))
  await createIndexedDbStore(other).add(message("3"))
  const attached = createKeptFiles(guest)
  await attached.put("a", new File(["x"], "a.txt"))
  const kinds = ["draft", "edit", "files", "hasFiles"] as const
  for (const owner of [guest, other]) for (const kind of kinds) personalStorage(owner, kind).write("x")
  const written = (owner: string) => kinds.filter((kind) => personalStorage(owner, kind).read() !== null)
  const failure = new TypeError("Failed to fetch")
  await expect(leaveForGood(guest, () => Promise.reject(failure))).rejects.toBe(failure)
  // As it was refused.
  await leaveForGood(guest, async () => ({ error: "invalid-request" }))
  expect([await keptBy(guest), await attached.get("a")]).toEqual([["1", "2"], expect.anything()])
  expect(written(guest)).toEqual(kinds)
  await expect(leaveForGood(guest, async () => redirect("/"))).rejects.toMatchObject({
    digest: expect.stringContaining("NEXT_REDIRECT"),
  })
  expect([await keptBy(guest), await attached.get("a"), await keptBy(other)]).toEqual([[], null, ["3"]])
  expect([written(guest), written(other)]).toEqual([[], kinds])
})
