import { expectAccessible, expectNothingSticksOut } from "./axe.ts"
import { expect, test } from "./fixtures.ts"
import type { Person } from "./person.ts"

/** The link that somebody makes for another device of theirs, and the dialog in which it stands. */
async function makeLink({ page, name, texts }: Person) {
  const { rooms, settings, device } = texts
  const list = page.getByRole("button", { name: rooms.open })
  if (await list.isVisible()) await list.click()
  await page.getByRole("button", { name: settings.menu.replace("{name}", name) }).click()
  await page.getByRole("menuitem", { name: settings.device }).click()
  const dialog = page.getByRole("dialog", { name: device.title })
  const link = await dialog.getByRole("textbox", { name: device.link }).inputValue()
  return { link, dialog }
}

test("a guest comes in on another device by a link of their own, once, and is the same person there", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const { device, settings, welcome } = alice.texts
  const hers = await alice.createRoom("Harbour", { isPrivate: true })
  await hers.send("from the desk")
  await hers.expectWritten(["from the desk"])
  const { link, dialog } = await makeLink(alice)
  await dialog.getByRole("button", { name: alice.texts.rooms.done }).click()

  const phone = await people.newcomer("Alice", { viewport: { width: 390, height: 720 } })
  await phone.page.goto(link)
  await phone.page.getByRole("button", { name: device.enter.replace("{name}", "Alice") }).click()
  await expect(phone.page.getByRole("log")).toBeVisible()
  const there = await phone.openRoom(hers.url)
  await there.expectWritten(["from the desk"])
  await there.send("from the phone")
  // One person, whose own message it is.
  await hers.message("from the phone").edit("from the phone, edited")
  await there.expectWritten(["from the desk", "from the phone, edited"])
  await hers.expectPresent(["Alice"])

  const stranger = await people.newcomer("Mallory")
  await stranger.page.goto(link)
  await expect(stranger.page.getByRole("heading", { name: device.gone })).toBeVisible()
  // Whoever is somebody stays that, whatever link they follow.
  const bob = await people.signIn("Bob")
  const next = await makeLink(alice)
  await bob.page.goto(next.link)
  await expect(bob.page.getByRole("heading", { name: device.taken })).toBeVisible()
  await expect(bob.page.getByRole("main").getByRole("button")).toHaveCount(0)
  await next.dialog.getByRole("button", { name: alice.texts.rooms.done }).click()

  await alice.page.getByRole("button", { name: settings.menu.replace("{name}", "Alice") }).click()
  await alice.page.getByRole("menuitem", { name: settings.signOut }).click()
  await alice.page.getByRole("alertdialog").getByRole("button", { name: settings.signOut }).click()
  await expect(alice.page.getByRole("textbox", { name: welcome.name })).toBeVisible()
  // It ends on all of them.
  await phone.page.goto("/")
  await expect(phone.page.getByRole("textbox", { name: welcome.name })).toBeVisible()
})

for (const locale of ["en-US", "ja-JP"]) {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`axe finds nothing on the way to another device, and at 320 px nothing sticks out: ${locale}, ${colorScheme}`, async ({
      people,
    }) => {
      const viewport = { width: 320, height: 640 }
      const alice = await people.signIn("Alice", { locale, colorScheme, viewport })
      const { device } = alice.texts
      const { link, dialog } = await makeLink(alice)
      await expect(dialog.getByRole("img", { name: device.code }).locator("path")).toHaveAttribute("d", /^M/)
      const done = dialog.getByRole("button", { name: alice.texts.rooms.done })
      await done.scrollIntoViewIfNeeded()
      await expect(done).toBeInViewport({ ratio: 1 })
      await expectAccessible(alice.page)
      await expectNothingSticksOut(alice.page)

      const other = await people.newcomer("Alice", { locale, colorScheme, viewport })
      await other.page.goto(link)
      await expect(
        other.page.getByRole("button", { name: device.enter.replace("{name}", "Alice") }),
      ).toBeVisible()
      await expectAccessible(other.page)
      await expectNothingSticksOut(other.page)
      await other.page.goto(`${link}x`)
      await expect(other.page.getByRole("heading", { name: device.gone })).toBeVisible()
      await expectAccessible(other.page)
    })
  }
}
