import { expect, test } from "./fixtures.ts"

test("a message is edited and deleted, for everyone, and says so", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Second thoughts")
  const his = await bob.joinRoom(hers.url)
  await hers.send("Helo", "Never mind")
  await his.expectWritten(["Helo", "Never mind"])

  await hers.message("Helo").edit("Hello")
  for (const room of [hers, his]) {
    await room.expectWritten(["Hello", "Never mind"])
    await expect(room.message("Hello").element).toContainText(alice.texts.messages.edited)
  }

  await hers.message("Never mind").delete()
  for (const room of [hers, his]) {
    await room.expectWritten(["Hello"])
    await expect(room.log.getByText(alice.texts.messages.deleted)).toBeVisible()
  }

  // It is all in the log: a page that is opened now shows the same.
  const later = await (await bob.openTab()).openRoom(hers.url)
  await later.expectWritten(["Hello"])
})

test("reactions are counted by person, say who, and are taken back by a second click", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Applause")
  const his = await bob.joinRoom(hers.url)
  await hers.send("We did it")
  await his.expectWritten(["We did it"])

  await his.message("We did it").react("👍")
  const seen = hers.message("We did it").reaction("👍")
  await expect(seen).toHaveText(/1/)
  await expect(seen).toHaveAccessibleName(/Bob/)
  await expect(seen).toHaveAttribute("aria-pressed", "false")

  await seen.click()
  for (const room of [hers, his]) {
    await expect(room.message("We did it").reaction("👍")).toHaveText(/2/)
    await expect(room.message("We did it").reaction("👍")).toHaveAttribute("aria-pressed", "true")
  }

  // A finger can't rest on a reaction: the menu lists who it was.
  const { whoReacted, you } = alice.texts.messages
  const menu = await hers.message("We did it").openMenu()
  await menu.getByRole("menuitem", { name: whoReacted }).click()
  const listed = alice.page.getByRole("dialog", { name: whoReacted }).getByRole("listitem")
  await expect(listed).toHaveText([new RegExp(`${you}.*Bob`)])
  await alice.page.keyboard.press("Escape")
  await expect(listed).toHaveCount(0)
  await expect(hers.message("We did it").element).toBeFocused()

  await seen.click()
  await his.message("We did it").reaction("👍").click()
  for (const room of [hers, his]) await expect(room.message("We did it").reaction("👍")).toHaveCount(0)
})
