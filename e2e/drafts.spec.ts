import { expect, test } from "./fixtures.ts"
import { fill, publish } from "./publish.ts"

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

test("a change that is being written goes on wherever its message is: behind Back, above what is seen or what is loaded", async ({
  people,
  chat,
}) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const { page, texts } = alice
  const hers = await alice.createRoom("Far away")
  const his = await bob.joinRoom(hers.url)
  const field = hers.message("").editField
  await hers.send("Teh tea")
  await hers.expectAllSent()
  await hers.composer.press("ArrowUp")
  await field.fill("The tea")
  // Once more, which gives nothing up.
  await hers.composer.press("ArrowUp")
  await expect(field).toBeFocused()
  await expect(field).toHaveValue("The tea")

  // The page that the browser kept is of before the message.
  await alice.rooms.open(texts.rooms.lobby)
  await page.goBack()
  await hers.expectConnected()
  await expect(field).toHaveValue("The tea")
  await expect(hers.composer).toHaveValue("")

  const lines = Array.from({ length: 30 }, (_, index) => `line ${index}\nand another`)
  await publish(bob, his, lines)
  await expect(hers.message(/^line 29/).element).toBeInViewport()
  await page.reload()
  await hers.expectConnected()
  await expect(field).toHaveValue("The tea")
  await expect(field).toBeInViewport({ ratio: 1 })
  await expect(field).toBeFocused()
  // It stays there when somebody says more.
  await his.send("more")
  await expect(hers.message("more").element).toBeAttached()
  await expect(field).toBeInViewport({ ratio: 1 })

  await fill(chat, his, 120)
  await page.reload()
  await hers.expectConnected()
  await expect(field).toHaveValue("The tea")
  await expect(field).toBeInViewport({ ratio: 1 })
  await expect(hers.composer).toHaveValue("")
  await field.press("Enter")
  await expect(hers.message("The tea").element).toBeVisible()
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
