import type { Locator, Page } from "@playwright/test"
import { type Box, doOverlap } from "./boxes.ts"
import { expect, type People, test } from "./fixtures.ts"
import { expectToFit } from "./layout.ts"
import type { RoomPage } from "./pages/room-page.ts"
import { changeName } from "./pages/settings.ts"
import type { Person, PersonOptions } from "./person.ts"
import { typingText } from "./texts.ts"

interface Names {
  owner: string
  guest: string
  /** What the guest is called later. */
  renamed: string
  third: string
  room: string
}

/** As long as a name may be, and without a place to break at: four that differ in their last letter alone. */
const longest = (letter: string, lasts: string, room: string): Names => {
  const [owner = "", guest = "", renamed = "", third = ""] = [...lasts].map(
    (last) => letter.repeat(39) + last,
  )
  return { owner, guest, renamed, third, room: room.repeat(60) }
}

const desktop = { width: 1100, height: 720 }

const cases: readonly { of: string; locale: string; names: Names }[] = [
  { of: "40 × W", locale: "en-US", names: longest("W", "WVXY", "W") },
  { of: "40 × ネ", locale: "ja-JP", names: longest("ネ", "ネナニヌ", "W") },
  // Nothing breaks for their sake that has room.
  {
    ...{ of: "ordinary", locale: "en-US" },
    names: { owner: "Alice", guest: "Bob", renamed: "Robert", third: "Carol", room: "Harbour" },
  },
]

/** The topmost dialog, menu or list that is open, shut again. */
async function close(person: Person, opened: Locator): Promise<void> {
  await person.page.keyboard.press("Escape")
  await expect(opened).toBeHidden()
}

/** Chooses in a menu, looks at the dialog that opens, and shuts it. */
async function lookInto(
  person: Person,
  menu: string,
  item: string,
  role: "dialog" | "alertdialog",
): Promise<void> {
  const { page } = person
  await page.getByRole("button", { name: menu }).click()
  await page.getByRole("menuitem", { name: item, exact: true }).click()
  const dialog = page.getByRole(role)
  await expect(dialog).toBeVisible()
  await expect(dialog.getByRole("button").first()).toBeVisible()
  await expectToFit(page, item)
  await close(person, dialog)
}

/** Two in a room of the first one's: what both wrote, one of them under a name of before, with an answer and a reaction. */
async function talk(people: People, names: Names, options: PersonOptions) {
  const owner = await people.signIn(names.owner, options)
  const guest = await people.newcomer(names.guest, options)
  const hers = await owner.createRoom(names.room)
  const his = await guest.joinRoom(hers.url)
  await his.send("before")
  await hers.expectWritten(["before"])
  await changeName(guest, names.guest, names.renamed)
  await his.send("after")
  await hers.expectWritten(["before", "after"])
  return { owner, guest, hers, his }
}

const inRoomMenu = async ({ page, texts: { rooms } }: Person, item: string) => {
  await page.getByRole("button", { name: rooms.menu }).click()
  await page.getByRole("menuitem", { name: item, exact: true }).click()
}

// What opens need not be waited for.
test.use({ contextOptions: { reducedMotion: "reduce" } })

for (const { of, names, locale } of cases) {
  const options: PersonOptions = { locale, viewport: desktop }

  test(`what is around a room holds names: ${of}, ${locale}`, async ({ people }) => {
    const owner = await people.signIn(names.owner, options)
    const { page, texts } = owner
    const { settings, rooms } = texts
    await expectToFit(page, "the first page")

    const menu = settings.menu.replace("{name}", names.owner)
    await page.getByRole("button", { name: menu }).click()
    await expectToFit(page, "the settings")
    await close(owner, page.getByRole("menu"))
    await lookInto(owner, menu, settings.changeName, "dialog")
    await lookInto(owner, menu, settings.signOut, "alertdialog")
    await page.getByRole("button", { name: rooms.create }).click()
    const creating = page.getByRole("dialog", { name: rooms.createTitle })
    await creating.getByRole("textbox", { name: rooms.name }).fill(names.room)
    await expectToFit(page, "a new room")
    await close(owner, creating)

    // The list of rooms, where it is behind a button, and what is left of a session that has ended.
    const hers = await owner.createRoom(names.room)
    await expectToFit(page, "an empty room")
    await page.setViewportSize({ width: 320, height: 640 })
    await page.getByRole("button", { name: rooms.open }).click()
    await expect(page.getByRole("dialog", { name: rooms.title })).toBeVisible()
    await expectToFit(page, "the list of rooms", [320])
    await close(owner, page.getByRole("dialog", { name: rooms.title }))
    const tab = await owner.openTab()
    await tab.openRoom(hers.url)
    await inSettings(tab, settings.signOut)
    await tab.page.getByRole("alertdialog").getByRole("button", { name: settings.signOut }).click()
    await expect(
      page.getByRole("heading", { name: texts.sessionEnd.title.replace("{name}", names.owner) }),
    ).toBeVisible()
    await expectToFit(page, "a session that has ended")
  })

  test(`the pages that links lead to hold names: ${of}, ${locale}`, async ({ people, browser, chat }) => {
    const owner = await people.signIn(names.owner, options)
    const { page, texts } = owner
    const { settings, rooms, device, invitation } = texts
    await inSettings(owner, settings.device)
    const linking = page.getByRole("dialog", { name: device.title })
    const link = await linking.getByRole("textbox", { name: device.link }).inputValue()
    await expectToFit(page, "a link for a device")
    await close(owner, linking)

    const context = await browser.newContext({ baseURL: chat.url, ...options })
    const door = await context.newPage()
    await door.goto("/")
    await door.getByRole("textbox", { name: texts.welcome.name }).fill(names.owner)
    await expectToFit(door, "the door")
    await door.goto(link)
    await expect(
      door.getByRole("button", { name: device.enter.replace("{name}", names.owner) }),
    ).toBeVisible()
    await expectToFit(door, "another device")
    await door.goto("/devices/made-up")
    await expect(door.getByRole("heading", { name: device.gone })).toBeVisible()
    await expectToFit(door, "a device's link that has gone")
    await context.close()

    const guest = await people.signIn(names.guest, options)
    await guest.page.goto(link)
    await expect(guest.page.getByRole("heading", { name: device.taken })).toBeVisible()
    await expectToFit(guest.page, "a device that is somebody else's")

    const hers = await owner.createRoom(names.room)
    await guest.page.goto(await hers.invitationLink())
    await expect(guest.page.getByRole("button", { name: invitation.accept })).toBeVisible()
    await expectToFit(guest.page, "an invitation")
    await guest.page.goto(hers.url)
    await expect(guest.page.getByRole("button", { name: rooms.join })).toBeVisible()
    await expectToFit(guest.page, "a room to join")
    for (const path of ["/no/such/page", "/rooms/nowhere", "/invitations/made-up", "/lab"]) {
      await guest.page.goto(path)
      await expect(guest.page.getByRole("heading", { level: 1 })).toBeVisible()
      await expectToFit(guest.page, path)
    }
  })

  test(`a room and what opens in it hold names: ${of}, ${locale}`, async ({ people }) => {
    const { owner, guest, hers, his } = await talk(people, names, options)
    const { page, texts } = owner
    const { rooms, messages, presence, connection, search } = texts
    await hers.message("before").reply()
    await expectToFit(page, "an answer")
    await hers.send("the answer")
    await hers.message("before").react("🎉")
    await his.message("before").react("🎉")
    await expect(hers.message("before").reaction("🎉")).toContainText("2")
    await expectToFit(page, "a room")
    await expectToFit(guest.page, "a room, for a guest")

    await hers.message("before").openMenu()
    await page.getByRole("menuitem", { name: messages.whoReacted }).click()
    await expectToFit(page, "who reacted")
    await close(owner, page.getByRole("dialog"))
    await hers.message("before").openMenu()
    await page.getByRole("menuitem", { name: messages.delete, exact: true }).click()
    await expectToFit(page, "deleting a message")
    await close(owner, page.getByRole("alertdialog"))

    await page.getByTestId("presence-count").click()
    await expect(page.getByRole("list", { name: presence.everybody })).toBeVisible()
    await expectToFit(page, "everybody")
    await close(owner, page.getByRole("dialog"))
    await page.locator("[data-connection]").click()
    await expect(page.getByText(connection.aboutTitle)).toBeVisible()
    await expectToFit(page, "the connection")
    await close(owner, page.getByRole("dialog"))

    await page.getByRole("button", { name: search.open }).click()
    const query = page.getByRole("combobox")
    await query.fill("before")
    await expect(page.getByRole("option")).toHaveCount(1)
    await expectToFit(page, "what was found")
    await query.fill(names.guest)
    await expect(page.getByText(search.none.replace("{query}", names.guest))).toBeVisible()
    await expectToFit(page, "nothing found")
    await close(owner, page.getByRole("dialog"))

    await hers.composer.pressSequentially(`@${names.renamed.slice(0, 2)}`)
    await expect(page.getByRole("listbox").getByRole("option")).toHaveCount(1)
    await expectToFit(page, "whom to mention")
    await page.keyboard.press("Enter")
    await hers.composer.press("Enter")
    await expectToFit(page, "a mention")

    await guest.page.getByRole("button", { name: rooms.menu }).click()
    await expectToFit(guest.page, "the room's menu, for a guest")
    await close(guest, guest.page.getByRole("menu"))
    await owner.rooms.open(rooms.lobby)
    await expectTyping(owner, "typing-preview", [{ page: guest.page, name: names.renamed, room: his }])
    await owner.rooms.open(names.room)
    await hers.expectConnected()
    await page.setViewportSize({ width: 320, height: 640 })
    await expectTyping(owner, "typing", [{ page: guest.page, name: names.renamed, room: his }])
  })

  test(`an owner's dialogs hold names: ${of}, ${locale}`, async ({ people }) => {
    const { owner, guest, hers, his } = await talk(people, names, options)
    const third = await people.newcomer(names.third, options)
    const theirs = await third.joinRoom(hers.url)
    const { page, texts } = owner
    const { rooms } = texts
    await page.setViewportSize({ width: 320, height: 640 })
    await expectTyping(owner, "typing", [
      { page: guest.page, name: names.renamed, room: his },
      { page: third.page, name: names.third, room: theirs },
    ])
    await page.setViewportSize(desktop)
    await page.getByRole("button", { name: rooms.menu }).click()
    await expectToFit(page, "the room's menu")
    await close(owner, page.getByRole("menu"))
    await lookInto(owner, rooms.menu, rooms.invite, "dialog")
    await lookInto(owner, rooms.menu, rooms.withdraw, "alertdialog")
    await lookInto(owner, rooms.menu, rooms.rename, "dialog")
    await lookInto(owner, rooms.menu, rooms.leave, "alertdialog")
    await lookInto(owner, rooms.menu, rooms.delete, "alertdialog")

    await inRoomMenu(owner, rooms.remove)
    const dialog = page.getByRole("dialog", { name: rooms.removeTitle })
    const listed = dialog.getByRole("list", { name: rooms.removeTitle }).getByRole("listitem")
    await expect(listed).toHaveCount(2)
    await expectToFit(page, rooms.remove)
    await listed.filter({ hasText: names.renamed }).getByRole("button").click()
    const asked = page.getByRole("alertdialog")
    await expect(asked).toBeVisible()
    await expectToFit(page, rooms.removeConfirm)
    // As low as a phone on its side.
    await page.setViewportSize({ width: 320, height: 400 })
    const places = page.evaluate(placesOf, {
      told: rooms.removedPerson.replace("{name}", ""),
      button: rooms.done,
    })
    await asked.getByRole("button", { name: rooms.removeConfirm, exact: true }).click()
    const { toast, button } = await places
    expect(doOverlap(toast, button)).toBe(false)
    const kept = dialog.getByRole("list", { name: rooms.keptOut })
    await expect(kept.getByRole("listitem")).toHaveCount(1)
    await expect(asked).toBeHidden()
    await expectToFit(page, "somebody who is kept out")

    await expect(
      guest.page.getByRole("heading", { name: rooms.keptOutTitle.replace("{room}", names.room) }),
    ).toBeVisible()
    await expectToFit(guest.page, "a room that one is kept out of")
    await close(owner, dialog)
  })
}

/** Where something that is said for a moment stands as soon as it is there, and where a dialog's button does. */
const placesOf = (text: { told: string; button: string }) =>
  new Promise<{ toast: Box; button: Box }>((resolve) => {
    const placeOf = (element: Element): Box => {
      const { left, right, top, bottom } = element.getBoundingClientRect()
      return { left, right, top, bottom }
    }
    function look(): void {
      const [toast] = [...document.querySelectorAll("[role=status] p")].filter((p) =>
        p.textContent?.includes(text.told),
      )
      const [button] = [...document.querySelectorAll("[role=dialog] button")].filter(
        (b) => b.textContent === text.button,
      )
      if (!toast || !button) return void requestAnimationFrame(look)
      button.scrollIntoView({ block: "nearest" })
      resolve({ toast: placeOf(toast), button: placeOf(button) })
    }
    look()
  })

async function inSettings({ page, name, texts: { settings } }: Person, item: string): Promise<void> {
  await page.getByRole("button", { name: settings.menu.replace("{name}", name) }).click()
  await page.getByRole("menuitem", { name: item }).click()
}

/** They type until somebody sees it, whole but for their names. */
async function expectTyping(
  { page, texts }: Person,
  testId: "typing" | "typing-preview",
  typists: readonly { page: Page; name: string; room: RoomPage }[],
): Promise<void> {
  const said = page.getByTestId(testId)
  const [first = "", second] = typists.map(({ name }) => name)
  const orders = [typingText(texts, first, second), ...(second ? [typingText(texts, second, first)] : [])]
  await expect(async () => {
    for (const { page: theirs, room } of typists) {
      await theirs.bringToFront()
      await room.composer.press("x")
    }
    await expect.poll(() => said.textContent(), { timeout: 1_000 }).toMatch(new RegExp(orders.join("|")))
  }).toPass()
  await expectToFit(page, `who is typing, ${testId}`, [page.viewportSize()?.width ?? 320])
}
