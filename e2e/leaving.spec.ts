import { expect, test } from "./fixtures.ts"

test("who leaves a room hears no more of it, in no tab, and can't come back by themselves", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Boardroom", { isPrivate: true })
  const his = await bob.joinRoom(await hers.invitationLink())
  const tab = await bob.openTab()
  const other = await tab.openRoom(hers.url)
  await hers.send("before")
  await other.expectWritten(["before"])

  await his.leave()
  await expect(tab.page.getByRole("heading", { name: bob.texts.missing.title })).toBeVisible()
  await hers.send("after")
  await hers.expectWritten(["before", "after"])
  await expect(tab.page.getByText("after")).toHaveCount(0)
})
