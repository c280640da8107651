import { expectAccessible, expectNothingSticksOut } from "./axe.ts"
import { expect, type People, test } from "./fixtures.ts"
import { countStored } from "./outbox.ts"
import { changeName, openNameDialog } from "./pages/settings.ts"

test("one is called otherwise at once, everywhere, and is the same person: in all tabs, to all others", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Harbour", { isPrivate: true })
  const his = await bob.joinRoom(await hers.invitationLink())
  await hers.send("before")
  await his.expectWritten(["before"])
  const tab = await alice.openTab()
  const there = await tab.openRoom(hers.url)
  await tab.page.bringToFront()
  await there.composer.fill("half written")

  await changeName(alice, "Alice", "Ren")
  const { settings, messages, rooms } = alice.texts
  const menuOf = (name: string) => settings.menu.replace("{name}", name)
  for (const { page } of [alice, tab])
    await expect(page.getByRole("button", { name: menuOf("Ren") })).toBeVisible()
  for (const room of [hers, there, his]) await room.expectPresent(["Ren", "Bob"])
  await expect(there.composer).toHaveValue("half written")

  // Each of her pages writes under it.
  await hers.send("after")
  await there.send("from the other tab")
  await his.expectWritten(["before", "after", "from the other tab"])
  for (const text of ["after", "from the other tab"])
    await expect(his.message(text).element).toHaveAttribute("aria-label", /Ren/)
  const before = his.message("before").element
  await expect(before).toHaveAttribute("aria-label", /Alice/)
  await expect(before.getByTestId("present-name")).toHaveText(
    new RegExp(messages.presentName.replace("{name}", ".?Ren")),
  )
  // Still hers: what she wrote, and the room.
  await hers.message("before").edit("before, edited")
  await his.expectWritten(["before, edited", "after", "from the other tab"])
  await alice.page.getByRole("button", { name: rooms.menu }).click()
  await expect(alice.page.getByText(rooms.owned)).toBeVisible()
  await alice.page.keyboard.press("Escape")
})

test("who is called otherwise is mentioned by the new name, and has it after a reload", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Harbour")
  const his = await bob.joinRoom(hers.url)
  await changeName(alice, "Alice", "Ren")
  await his.expectPresent(["Ren", "Bob"])
  const { settings, rooms } = alice.texts
  await alice.rooms.open(rooms.lobby)
  await his.composer.pressSequentially("@Re")
  await bob.page.getByRole("listbox").getByRole("option", { name: "Ren" }).click()
  await his.composer.press("Enter")
  await alice.rooms.expectMentions("Harbour", 1)
  await alice.page.reload()
  await expect(alice.page.getByRole("button", { name: settings.menu.replace("{name}", "Ren") })).toBeVisible()
})

/** Alice's room on two of her devices, and before Bob. */
async function openOnTwoDevices(people: People) {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Desk")
  const his = await bob.joinRoom(hers.url)
  const laptop = await people.anotherDeviceOf(alice)
  const there = await laptop.openRoom(hers.url)
  return { alice, hers, his, laptop, there }
}

test("another device of theirs hears of it, and writes under the new name", async ({ people }) => {
  const { alice, his, laptop, there } = await openOnTwoDevices(people)
  await changeName(alice, "Alice", "Ren")
  const menu = laptop.texts.settings.menu.replace("{name}", "Ren")
  await expect(laptop.page.getByRole("button", { name: menu })).toBeVisible()
  await there.expectConnected()
  await there.send("from the laptop")
  await his.expectWritten(["from the laptop"])
  await expect(his.message("from the laptop").element).toHaveAttribute("aria-label", /Ren/)
})

test("what waited on another device to be sent goes out under the new name", async ({ people }) => {
  const { alice, hers, his, laptop, there } = await openOnTwoDevices(people)
  const network = laptop.page.context()
  await network.setOffline(true)
  await there.send("without a network")
  await expect(there.notSent).toHaveCount(1)
  await expect.poll(() => laptop.page.evaluate(countStored)).toBe(1)
  await laptop.page.close({ runBeforeUnload: false })
  await changeName(alice, "Alice", "Ren")
  await his.expectPresent(["Ren", "Bob"])
  // Its session is that of the cookie from before.
  await network.setOffline(false)
  const next = await laptop.openTab()
  await next.openRoom(hers.url)
  await his.expectWritten(["without a network"])
  await expect(his.message("without a network").element).toHaveAttribute("aria-label", /Ren/)
})

for (const locale of ["en-US", "ja-JP"]) {
  test(`what is no name is refused with the reason, and at 320 px nothing sticks out: ${locale}`, async ({
    people,
  }) => {
    const alice = await people.signIn("Alice", {
      ...{ locale, viewport: { width: 320, height: 640 }, colorScheme: "dark" },
    })
    const { name, names } = alice.texts
    const dialog = await openNameDialog(alice, "Alice")
    const field = dialog.getByRole("textbox", { name: name.label })
    await expect(field).toHaveValue("Alice")
    for (const [text, reason] of [
      ["\u3164", names.invisible],
      ["Aki\u202e", names.disturbing],
    ] as const) {
      await field.fill(text)
      await field.press("Enter")
      await expect(dialog.getByRole("alert")).toHaveText(reason)
      await expect(field).toHaveValue(text)
    }
    // It isn't sent at all, and stays whole.
    await field.fill("x".repeat(41))
    await field.press("Enter")
    await expect(field).toHaveAttribute("aria-invalid", "true")
    await expect(field).toHaveValue("x".repeat(41))
    await expectAccessible(alice.page)
    await expectNothingSticksOut(alice.page)
    await alice.page.keyboard.press("Escape")
    await expect(dialog).toBeHidden()
  })
}
