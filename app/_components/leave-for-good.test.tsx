import "fake-indexeddb/auto"
import { redirect } from "next/navigation"
import { expect, it } from "vitest"
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
  const failure = new TypeError("Failed to fetch")
  await expect(leaveForGood(guest, () => Promise.reject(failure))).rejects.toBe(failure)
  // As it was refused.
  await leaveForGood(guest, async () => ({ error: "invalid-request" }))
  expect([await keptBy(guest), (await attached.get("a"))?.name]).toEqual([["1", "2"], "a.txt"])
  await expect(leaveForGood(guest, async () => redirect("/"))).rejects.toMatchObject({
    digest: expect.stringContaining("NEXT_REDIRECT"),
  })
  expect([await keptBy(guest), await attached.get("a"), await keptBy(other)]).toEqual([[], null, ["3"]])
})
