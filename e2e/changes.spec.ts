import type { Locator } from "@playwright/test"
import { doOverlap } from "./boxes.ts"
import { expect, test } from "./fixtures.ts"
import { setVisible } from "./visible.ts"

test("what two people do to one message at once ends the same for both", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const hers = await alice.createRoom("Race")
  const second = await (await alice.openTab()).openRoom(hers.url)
  await hers.send("one", "two")
  await second.expectWritten(["one", "two"])

  // One tab opens the text; before it is saved the other deletes the message.
  const menu = await hers.message("one").openMenu()
  await menu.getByRole("menuitem", { name: alice.texts.messages.edit, exact: true }).click()
  await hers.message("one").editField.fill("one, edited")
  await second.message("one").delete()
  for (const room of [hers, second]) await room.expectWritten(["two"])
  // What was written isn't lost with it.
  await expect(
    alice.page.getByRole("status").filter({ hasText: alice.texts.messages.editLost }),
  ).toBeVisible()
  await expect(hers.composer).toHaveValue("one, edited")
  // Nor is it sent by the key that was to save it.
  await expect(hers.log.getByTestId("message").first()).toBeFocused()
  await alice.page.keyboard.press("Enter")
  await expect(hers.composer).toHaveValue("one, edited")
  await expect(hers.written).toHaveText(["two"])

  // Both have the text open before either saves.
  for (const [room, text] of [
    [hers, "from the first"],
    [second, "from the second"],
  ] as const) {
    const menu = await room.message("two").openMenu()
    await menu.getByRole("menuitem", { name: alice.texts.messages.edit, exact: true }).click()
    await room.message("two").editField.fill(text)
  }
  await Promise.all([hers, second].map((room) => room.message("two").editField.press("Enter")))
  await expect(hers.written).toHaveText(/from the (first|second)/)
  await expect(hers.log.getByText(alice.texts.messages.edited)).toBeVisible()
  await expect(async () => {
    expect(await second.written.allTextContents()).toEqual(await hers.written.allTextContents())
  }).toPass()
})

test("who is asked whether to delete a message sees it as it stands, and is asked no more once it is gone", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const hers = await alice.createRoom("Second look")
  const second = await (await alice.openTab()).openRoom(hers.url)
  await hers.send("before")
  await second.expectWritten(["before"])
  const { messages } = alice.texts
  await (await hers.message("before").openMenu())
    .getByRole("menuitem", { name: messages.delete, exact: true })
    .click()
  const dialog = alice.page.getByRole("alertdialog", { name: messages.deleteTitle })
  await expect(dialog).toContainText("before")
  await second.message("before").edit("after")
  await expect(dialog).toContainText("after")
  await expect(dialog).not.toContainText("before")
  await second.message("after").delete()
  await expect(dialog).toBeHidden()
  await hers.expectWritten([])
})

test("that what one was editing is deleted is said for as long as nobody sees it, and a moment longer", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const { url } = await alice.createRoom("Elsewhere")
  const { page, texts } = alice
  await page.clock.install()
  const hers = await alice.openRoom(url)
  await hers.send("one")
  await hers.expectAllSent()
  await (await hers.message("one").openMenu())
    .getByRole("menuitem", { name: texts.messages.edit, exact: true })
    .click()
  await hers.message("one").editField.fill("one, edited")
  const second = await (await alice.openTab()).openRoom(url)
  await setVisible(page, false)
  await second.message("one").delete()
  const said = page.getByRole("status").getByText(texts.messages.editLost)
  await expect(said).toBeVisible()
  await page.clock.runFor(20_000)
  await expect(said).toBeVisible()
  await setVisible(page, true)
  await page.clock.runFor(10_000)
  await expect(said).toHaveCount(0)
  await expect(hers.composer).toHaveValue("one, edited")
})

test("what its author edits while the room's owner deletes it is gone for both, and for good", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("At once")
  const his = await bob.joinRoom(hers.url)
  await his.send("before")
  await hers.expectWritten(["before"])
  const { delete: remove, deleted, deleteTitle, edit } = alice.texts.messages

  await (await his.message("before").openMenu()).getByRole("menuitem", { name: edit, exact: true }).click()
  await his.message("before").editField.fill("after")
  await expect(his.log.getByRole("textbox")).toBeFocused()
  await (await hers.message("before").openMenu()).getByRole("menuitem", { name: remove, exact: true }).click()
  const dialog = alice.page.getByRole("alertdialog", { name: deleteTitle })
  await Promise.all([
    // Where the text box is still there: the deletion may have come first, and taken it away.
    his.log.getByRole("textbox").evaluateAll((fields) => {
      const enter = { key: "Enter", bubbles: true, cancelable: true }
      for (const field of fields) field.dispatchEvent(new KeyboardEvent("keydown", enter))
    }),
    dialog.getByRole("button", { name: remove, exact: true }).click(),
  ])
  for (const [{ page }, room] of [
    [alice, hers],
    [bob, his],
  ] as const) {
    for (const isLoadedAgain of [false, true]) {
      if (isLoadedAgain) await page.reload()
      await room.expectWritten([])
      await expect(room.log.getByText(deleted)).toHaveCount(1)
    }
  }
})

test("changes made offline are shown at once and happen once", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Tunnel")
  const his = await bob.joinRoom(hers.url)
  await hers.send("draft", "keep")
  await his.expectWritten(["draft", "keep"])

  await alice.page.context().setOffline(true)
  await hers.message("draft").edit("final")
  await hers.message("keep").react("👍")
  await expect(hers.written).toHaveText(["final", "keep"])
  await expect(hers.message("keep").reaction("👍")).toHaveText(/1/)
  await his.expectWritten(["draft", "keep"])

  await alice.page.context().setOffline(false)
  await his.expectWritten(["final", "keep"])
  await expect(his.message("keep").reaction("👍")).toHaveText(/1/)
})

for (const width of [1100, 700, 320]) {
  test(`of a list ${width} px wide, one message has tools, and they cover none`, async ({ people }) => {
    const alice = await people.signIn("Alice", { viewport: { width, height: 720 } })
    const bob = await people.newcomer("Bob")
    const hers = await alice.createRoom("Workshop")
    const his = await bob.joinRoom(hers.url)
    const long =
      "as long as it takes to fill a line of the list, and to go on in another one, and in one more"
    await hers.send("ok", long, "!")
    await hers.expectAllSent()
    await his.send("so", `${long}.`, "?")
    const texts = ["ok", long, "!", "so", `${long}.`, "?"]
    await hers.expectWritten(texts)
    const { page } = alice
    const toolbar = page.getByRole("toolbar")
    const boxesOf = (locator: Locator) =>
      locator.evaluateAll((elements) => elements.map((element) => element.getBoundingClientRect().toJSON()))

    for (const text of texts) {
      await hers.message(text).element.hover()
      await expect(hers.message(text).toolbar).toBeVisible()
      await expect(toolbar).toHaveCount(1)
      const [tools] = await boxesOf(toolbar)
      expect((await boxesOf(hers.written)).filter((box) => tools && doOverlap(box, tools))).toEqual([])
      expect(tools?.left).toBeGreaterThanOrEqual(0)
      expect(tools?.right).toBeLessThanOrEqual(width)
    }

    // What one came to last has them: by keyboard, though the mouse rests elsewhere; then by mouse again.
    await page.keyboard.press("Escape")
    await hers.message("ok").element.focus()
    await expect(hers.message("ok").toolbar).toBeVisible()
    await expect(toolbar).toHaveCount(1)
    await hers.message("so").element.hover()
    await expect(hers.message("so").toolbar).toBeVisible()
    await expect(toolbar).toHaveCount(1)
    await page.mouse.move(0, 0)
    await expect(hers.message("ok").toolbar).toBeVisible()
    await expect(toolbar).toHaveCount(1)
  })
}

test("everything can be done by the keyboard alone", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const hers = await alice.createRoom("No mouse")
  await hers.send("first", "second", "third")
  const { keyboard } = alice.page
  const { messages } = alice.texts

  // From the field back to the newest message, and up to the first one.
  await hers.composer.focus()
  const third = hers.message("third").element
  await expect
    .poll(async () => {
      await keyboard.press("Shift+Tab")
      return third.evaluate((element) => element === document.activeElement)
    })
    .toBe(true)
  await keyboard.press("ArrowUp")
  await expect(hers.message("second").element).toBeFocused()
  await keyboard.press("Home")
  await expect(hers.message("first").element).toBeFocused()

  // Its tools are the next stop; the arrows go along them.
  await keyboard.press("Tab")
  await expect(hers.message("first").toolbar.getByRole("button", { name: messages.react })).toBeFocused()
  await keyboard.press("ArrowRight")
  await keyboard.press("ArrowRight")
  await keyboard.press("Enter")
  await expect(alice.page.getByRole("menuitem", { name: messages.edit, exact: true })).toBeVisible()
  await keyboard.press("Escape")

  // Where the text was opened from them, they go with what they were called up for.
  await hers.message("first").toolbar.getByRole("button", { name: messages.more }).click()
  await alice.page.getByRole("menuitem", { name: messages.edit, exact: true }).click()
  await expect(hers.message("first").editField).toBeFocused()
  await keyboard.press("Escape")
  await expect(hers.composer).toBeFocused()
  await alice.page.mouse.move(0, 0)
  await expect(alice.page.getByRole("toolbar")).toHaveCount(0)

  // The last own one is edited from the empty field.
  await hers.composer.focus()
  await keyboard.press("ArrowUp")
  await expect(hers.message("third").editField).toBeFocused()
  await keyboard.press("Escape")
  await expect(hers.composer).toBeFocused()
})
