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
  const { missing, invitation: asked } = mallory.texts
  await expect(mallory.page.getByRole("heading", { name: missing.title })).toBeVisible()
  await expect(mallory.page.getByText("just between us")).toHaveCount(0)
  await mallory.page.goto("/")
  await expect(mallory.page.getByText("Secret garden")).toHaveCount(0)
  // Nor does an invitation that she made up.
  await mallory.page.goto("/invitations/eyJhbGciOiJub25lIn0.e30.")
  await expect(mallory.page.getByRole("heading", { name: missing.invitation })).toBeVisible()
  await expect(mallory.page.getByRole("button", { name: asked.accept })).toHaveCount(0)

  // Who follows it sees where it leads and who sent it, before they join.
  await bob.page.goto(invitation)
  const { titleTo, by } = bob.texts.invitation
  await expect(
    bob.page.getByRole("heading", { name: titleTo.replace("{room}", "Secret garden") }),
  ).toBeVisible()
  await expect(bob.page.getByText(by.replace("{name}", "Alice"))).toBeVisible()
  // Nobody has to take it.
  await bob.page.getByRole("link", { name: missing.back }).click()
  await expect(bob.page.getByRole("heading", { name: bob.texts.rooms.lobby, level: 1 })).toBeVisible()
  const his = await bob.joinRoom(invitation)
  await his.expectWritten(["just between us"])
  await his.send("and me")
  await hers.expectWritten(["just between us", "and me"])
})
