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
  await expect(mallory.page.getByText(mallory.texts.missing.title)).toBeVisible()
  await expect(mallory.page.getByText("just between us")).toHaveCount(0)
  await mallory.page.goto("/")
  await expect(mallory.page.getByText("Secret garden")).toHaveCount(0)

  const his = await bob.joinRoom(invitation)
  await his.expectWritten(["just between us"])
  await his.send("and me")
  await hers.expectWritten(["just between us", "and me"])
})

test("an invitation that was made up opens nothing", async ({ people }) => {
  const mallory = await people.signIn("Mallory")
  await mallory.page.goto("/invitations/eyJhbGciOiJub25lIn0.e30.")
  await mallory.page.getByRole("button", { name: mallory.texts.invitation.accept }).click()
  await expect(mallory.page.getByText(mallory.texts.missing.invitation)).toBeVisible()
})
