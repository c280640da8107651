import { expectAccessible, expectNothingSticksOut } from "./axe.ts"
import { expect, test } from "./fixtures.ts"
import type { RoomPage } from "./pages/room-page.ts"
import type { Person } from "./person.ts"

/** A room with everything that a conversation can hold. */
async function talk(alice: Person, bob: Person): Promise<RoomPage> {
  const hers = await alice.createRoom("Everything")
  const his = await bob.joinRoom(hers.url)
  await hers.send(
    "A **bold** word, `code`, https://example.com/ and an edit",
    "to be deleted",
    "to be answered",
  )
  await his.expectWritten([
    "A bold word, code, https://example.com/ and an edit",
    "to be deleted",
    "to be answered",
  ])
  await hers.message("to be deleted").delete()
  await his.message("to be answered").reply()
  await his.send("the answer")
  await his.message("to be answered").react("👍")
  await expect(hers.message("to be answered").reaction("👍")).toBeVisible()
  return hers
}

for (const colorScheme of ["light", "dark"] as const) {
  for (const locale of ["en-US", "ja-JP"]) {
    test(`axe finds nothing in a conversation and what opens over it, in ${colorScheme} and ${locale}`, async ({
      people,
    }) => {
      const alice = await people.signIn("Alice", { colorScheme, locale })
      const bob = await people.signIn("Bob", { colorScheme, locale })
      const room = await talk(alice, bob)
      const { page, texts } = alice
      await expectAccessible(page)

      await room.message("to be answered").element.hover()
      await expectAccessible(page)
      await room.message("to be answered").toolbar.getByRole("button", { name: texts.messages.react }).click()
      await expect(page.getByRole("dialog")).toBeVisible()
      await expectAccessible(page)
      await page.keyboard.press("Escape")

      const menu = await room.message("to be answered").openMenu()
      await expect(menu).toBeVisible()
      await expectAccessible(page)
      await menu.getByRole("menuitem", { name: texts.messages.delete, exact: true }).click()
      await expect(page.getByRole("alertdialog")).toBeVisible()
      await expectAccessible(page)
      await page.keyboard.press("Escape")

      await page.goto("/lab")
      await expect(page.getByTestId("side-left").locator("[data-state=connected]")).toBeVisible()
      await expectAccessible(page)
    })
  }
}

for (const colorScheme of ["light", "dark"] as const) {
  for (const locale of ["en-US", "ja-JP"]) {
    test(`axe finds nothing on the ways into a room, and while there is trouble, in ${colorScheme} and ${locale}`, async ({
      people,
    }) => {
      const alice = await people.signIn("Alice", { colorScheme, locale })
      const bob = await people.signIn("Bob", { colorScheme, locale })
      const { page, texts } = alice
      await page.getByRole("button", { name: texts.rooms.create }).click()
      await expect(page.getByRole("dialog", { name: texts.rooms.createTitle })).toBeVisible()
      await expectAccessible(page)
      await page.keyboard.press("Escape")

      const open = await alice.createRoom("Open house")
      await bob.page.goto(open.url)
      await expect(bob.page.getByRole("button", { name: texts.rooms.join })).toBeVisible()
      await expectAccessible(bob.page)

      const hers = await alice.createRoom("By invitation", { isPrivate: true })
      const link = await hers.invitationLink()
      await expectAccessible(page)
      await page.keyboard.press("Escape")
      await bob.page.goto(link)
      await expect(bob.page.getByRole("button", { name: texts.invitation.accept })).toBeVisible()
      await expectAccessible(bob.page)

      await page.getByRole("button", { name: texts.settings.menu.replace("{name}", "Alice") }).click()
      await expect(page.getByRole("menu")).toBeVisible()
      await expectAccessible(page)
      await page.keyboard.press("Escape")

      const { url } = hers
      await page.context().setOffline(true)
      await hers.send("waits")
      await expect(hers.log.locator("[data-state=queued]")).toBeVisible()
      await expect(page.getByText(texts.connection.offline)).toBeVisible()
      await page.getByRole("link", { name: texts.rooms.lobby }).click()
      await expect(page.getByText(texts.app.offlineLink)).toBeVisible()
      await expectAccessible(page)
      await page.context().setOffline(false)
      await expect(page.getByRole("heading", { name: texts.rooms.lobby, level: 1 })).toBeVisible()

      await alice.openRoom(url)
      await hers.expectWritten(["waits"])
    })
  }
}

test("at 320 px, and at twice the size, everything is in reach", async ({ people }) => {
  const alice = await people.signIn("Alice", { viewport: { width: 320, height: 568 } })
  const bob = await people.signIn("Bob")
  const room = await talk(alice, bob)
  const { page, texts } = alice
  await expectNothingSticksOut(page)
  await expect(room.composer).toBeInViewport({ ratio: 1 })
  // A finger has no hover: a tap brings the tools, which stay on the screen.
  await room.message("the answer").element.click({ position: { x: 60, y: 30 } })
  const { toolbar } = room.message("the answer")
  await expect(toolbar.getByRole("button", { name: texts.messages.more })).toBeInViewport({ ratio: 1 })
  await expectNothingSticksOut(page)

  // Of a message that begins above what is seen, too.
  await room.send("line\n".repeat(40))
  const tall = room.message(/^(line\s*)+$/)
  await tall.element.click({ position: { x: 200, y: 700 } })
  await expect(tall.toolbar.getByRole("button", { name: texts.messages.more })).toBeInViewport({ ratio: 1 })
  await tall.toolbar.getByRole("button", { name: texts.messages.react }).click()
  await expect(page.getByRole("dialog")).toBeInViewport({ ratio: 1 })
  await page.keyboard.press("Escape")
  await room.composer.pressSequentially("@")
  await expect(page.getByRole("listbox")).toBeInViewport({ ratio: 1 })
  await page.keyboard.press("Escape")
  await room.composer.fill("")

  // 200 % of a screen of 1,280: what such a zoom leaves of it.
  const zoomed = await people.newcomer("Zoe", { viewport: { width: 640, height: 360 } })
  const same = await zoomed.joinRoom(room.url)
  await expectNothingSticksOut(zoomed.page)
  await expect(same.composer).toBeInViewport({ ratio: 1 })
  // What doesn't fit is scrolled to, by keyboard too.
  const { rooms, settings } = zoomed.texts
  await zoomed.page.getByRole("button", { name: rooms.open }).click()
  await zoomed.page.getByRole("button", { name: settings.menu.replace("{name}", "Zoe") }).click()
  await expect(zoomed.page.getByRole("menu")).toBeInViewport({ ratio: 1 })
  await zoomed.page.keyboard.press("ArrowUp")
  await expect(zoomed.page.getByRole("menuitem", { name: settings.signOut })).toBeInViewport({ ratio: 1 })
  await zoomed.page.getByRole("menuitem", { name: settings.device }).click()
  const dialog = zoomed.page.getByRole("dialog", { name: zoomed.texts.device.title })
  await expect(dialog.getByRole("img")).toBeVisible()
  await expect(dialog).toBeInViewport({ ratio: 1 })
  await dialog.getByRole("button", { name: rooms.done }).scrollIntoViewIfNeeded()
  await expect(dialog.getByRole("button", { name: rooms.done })).toBeInViewport({ ratio: 1 })
})

test("everybody who is here can be learned on a phone and by keyboard", async ({ people }) => {
  const alice = await people.signIn("Alice", { viewport: { width: 320, height: 568 } })
  const { page, texts } = alice
  const room = await alice.createRoom("Crowd")
  const names = ["Bob", "Cy", "Dan", "Eve", "A name of forty characters, or nearly so"]
  for (const name of names) await (await people.signIn(name)).joinRoom(room.url)
  const count = page.getByRole("button", { name: "6 people here" })
  await count.focus()
  await page.keyboard.press("Enter")
  const everybody = page.getByRole("list", { name: texts.presence.everybody }).getByRole("listitem")
  await expect(everybody).toHaveCount(names.length + 1)
  for (const name of names)
    await expect(everybody.filter({ hasText: name })).toHaveText(new RegExp(`${texts.presence.active}$`))
  await expect(everybody.filter({ hasText: "Alice (you)" })).toHaveCount(1)
  for (const person of await everybody.all()) {
    await expect(person).toBeInViewport({ ratio: 1 })
    await expect(person.getByText(texts.presence.active, { exact: true })).toBeInViewport({ ratio: 1 })
  }
  await expectNothingSticksOut(page)
  await expectAccessible(page)
  await page.keyboard.press("Escape")
  await expect(everybody).toHaveCount(0)
  await expect(count).toBeFocused()
})

test("what others say is announced, together when it comes together; what scrolls by is not", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Aloud")
  const his = await bob.joinRoom(hers.url)
  const announcer = alice.page.getByTestId("announcer")
  await expect(announcer).toHaveAttribute("aria-live", "polite")
  await expect(hers.log).toHaveAttribute("aria-live", "off")

  await his.send("Are you there?")
  await expect(announcer).toHaveText("Bob: Are you there?")
  await hers.send("I am")
  await his.expectWritten(["Are you there?", "I am"])
  await his.send("one", "two", "three")
  await expect(announcer).toHaveText(/three|the last by Bob/)
  // One's own is not said back.
  await expect(announcer).not.toHaveText(/I am/)
})

test("a log that doesn't fit is scrolled by keyboard before anybody has said anything", async ({
  people,
}) => {
  const alice = await people.signIn("Alice", { viewport: { width: 320, height: 400 } })
  const room = await alice.createRoom("Low")
  const { page, texts } = alice
  // What is said in place of messages is read from its beginning.
  await expect(room.log).toBeVisible()
  expect(await room.log.evaluate((log) => log.scrollTop)).toBe(0)
  await expectAccessible(page)
  const attach = page.getByRole("button", { name: texts.files.attach })
  await attach.focus()
  await page.keyboard.press("Shift+Tab")
  await expect(room.log).toBeFocused()
  await page.keyboard.press("End")
  await expect.poll(() => room.log.evaluate((log) => log.scrollTop)).toBeGreaterThan(0)

  // Once there are messages, they take the focus, and the log is no stop of its own.
  await room.send("the first")
  await room.expectAllSent()
  await attach.focus()
  await page.keyboard.press("Shift+Tab")
  await expect(room.message("the first").element).toBeFocused()
})
