import { expect, test } from "./fixtures.ts"

test("a private room opens to whoever has its invitation, and to nobody else", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.signIn("Bob")
  const mallory = await people.signIn("Mallory")
  const hers = await alice.createRoom("Secret garden", { isPrivate: true })
  await hers.send("just between us")
  const invitation = await hers.invitationLink()

  const answer = await mallory.page.goto(hers.url)
  expect(answer?.status()).toBe(404)
  await expect(mallory.page.getByRole("heading", { name: mallory.texts.missing.title })).toBeVisible()
  await expect(mallory.page.getByText("just between us")).toHaveCount(0)
  await mallory.page.goto("/")
  await expect(mallory.page.getByText("Secret garden")).toHaveCount(0)

  // Who follows it sees where it leads and who sent it, before they join.
  await bob.page.goto(invitation)
  const { titleTo, by } = bob.texts.invitation
  await expect(
    bob.page.getByRole("heading", { name: titleTo.replace("{room}", "Secret garden") }),
  ).toBeVisible()
  await expect(bob.page.getByText(by.replace("{name}", "Alice"))).toBeVisible()
  const his = await bob.joinRoom(invitation)
  await his.expectWritten(["just between us"])
  await his.send("and me")
  await hers.expectWritten(["just between us", "and me"])
})

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

test("an invitation that was made up opens nothing", async ({ people }) => {
  const mallory = await people.signIn("Mallory")
  await mallory.page.goto("/invitations/eyJhbGciOiJub25lIn0.e30.")
  await expect(mallory.page.getByRole("heading", { name: mallory.texts.missing.invitation })).toBeVisible()
  await expect(mallory.page.getByRole("button", { name: mallory.texts.invitation.accept })).toHaveCount(0)
})
