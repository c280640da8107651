import { expect, test } from "./fixtures.ts"

test("a change that is being written goes on after a reload, in this tab alone, until it is saved or left", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const hers = await alice.createRoom("Corrections")
  await hers.send("Teh tea", "is ready")
  await hers.expectAllSent()
  const { edit } = alice.texts.messages
  const open = async (text: string) =>
    (await hers.message(text).openMenu()).getByRole("menuitem", { name: edit, exact: true }).click()
  const field = hers.message("").editField
  await open("Teh tea")
  await field.fill("The tea")
  await hers.composer.fill("a draft beside it")
  const tab = await (await alice.openTab()).openRoom(hers.url)
  await tab.expectWritten(["Teh tea", "is ready"])
  await expect(tab.message("").editField).toHaveCount(0)
  await alice.page.reload()
  await expect(field).toHaveValue("The tea")
  await expect(hers.composer).toHaveValue("a draft beside it")
  // What happens to the message meanwhile, as with one that is open.
  await tab.message("Teh tea").delete()
  await expect(hers.composer).toHaveValue("a draft beside it\nThe tea")

  await open("is ready")
  await field.fill("is cold")
  await field.press("Escape")
  await open("is ready")
  await expect(field).toHaveValue("is ready")
  await field.fill("is hot")
  await field.press("Enter")
  await hers.expectWritten(["is hot"])
  await alice.page.reload()
  await hers.expectWritten(["is hot"])
  await expect(field).toHaveCount(0)
})

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
