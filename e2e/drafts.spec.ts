import { expect, test } from "./fixtures.ts"

test("an answer that is being written is one after a reload, too", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Interruptions")
  const his = await bob.joinRoom(hers.url)
  await hers.send("Tea or coffee?")
  await his.expectWritten(["Tea or coffee?"])
  await his.message("Tea or coffee?").reply()
  await his.composer.fill("Tea, please")
  await bob.page.reload()
  await expect(bob.page.getByTestId("reply-preview")).toContainText("Tea or coffee?")
  await expect(his.composer).toHaveValue("Tea, please")
  await his.composer.press("Enter")
  await expect(hers.message("Tea, please").element.getByTestId("quote")).toContainText("Tea or coffee?")

  // Once it is sent, or left, nothing of it comes back.
  await his.message("Tea or coffee?").reply()
  await his.composer.press("Escape")
  await his.composer.fill("Unasked")
  await bob.page.reload()
  await expect(his.composer).toHaveValue("Unasked")
  await his.composer.press("Enter")
  await expect(hers.message("Unasked").element.getByTestId("quote")).toHaveCount(0)
})
