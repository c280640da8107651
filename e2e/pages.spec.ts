import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { invitationDays } from "../lib/chat/invitation.ts"
import { expectAccessible, expectNothingSticksOut } from "./axe.ts"
import type { ChatServers } from "./chat-servers.ts"
import { expect, test } from "./fixtures.ts"
import { textsOf } from "./texts.ts"

/** Every invitation is so many days older than it was. */
function age({ dataDir }: ChatServers, days: number): void {
  if (!dataDir) throw new TypeError("unable to age the invitations; this layout keeps them elsewhere")
  const database = new DatabaseSync(join(dataDir, "chat.db"), { timeout: 10_000 })
  database.prepare("UPDATE invitations SET created_at = created_at - ?").run(days * 24 * 60 * 60 * 1000)
  database.close()
}

test("a first visit explains itself: what this is, who carries it, how to try, break and deploy it", async ({
  page,
  people,
}) => {
  const { welcome, lab } = textsOf()
  await page.goto("/")
  for (const title of [welcome.what, welcome.try, welcome.lab, welcome.deploy])
    await expect(page.getByRole("heading", { name: title })).toBeVisible()
  await expect(page.getByText(welcome.carrier.replace("{provider}", "Socket.IO"))).toBeVisible()
  await page.getByRole("link", { name: lab.open }).click()
  await expect(page.getByText(welcome.returning)).toBeVisible()
  await page.getByRole("textbox", { name: welcome.name }).fill("Curious")
  await page.getByRole("button", { name: welcome.enter }).click()
  await expect(page.getByRole("heading", { name: lab.title })).toBeVisible()

  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Silence")
  await expect(room.log.getByRole("heading", { name: welcome.emptyTitle })).toBeVisible()
  await room.send("hello?")
  await expect(room.log.getByRole("heading", { name: welcome.emptyTitle })).toHaveCount(0)
})

test("a private room that isn't theirs looks exactly like one that doesn't exist, and says what to do", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const mallory = await people.signIn("Mallory")
  const hers = await alice.createRoom("Secret garden", { isPrivate: true })
  const { url } = hers
  const seen = async (address: string) => {
    const answer = await mallory.page.goto(address)
    expect(answer?.status()).toBe(404)
    return { title: await mallory.page.title(), text: await mallory.page.getByRole("main").innerText() }
  }
  const ofPrivate = await seen(url)
  const ofNone = await seen(url.replace(/[^/]+$/, "00000000-0000-7000-8000-000000000000"))
  expect(ofPrivate).toEqual(ofNone)
  // Nor does what can't be the name of any.
  for (const name of ["%25E0%25A4%25A", "%2500", "%25", "%25ED%25A0%2580"])
    expect([name, await seen(url.replace(/[^/]+$/, name))]).toEqual([name, ofNone])
  const { missing, pages, rooms } = mallory.texts
  expect(ofPrivate.text).toContain(missing.title)
  expect(ofPrivate.text).toContain(pages.roomAsk.replace("{invite}", rooms.invite))
  // The list of rooms is there to go on from.
  await mallory.rooms.open(rooms.lobby)
})

test("an invitation that was withdrawn or has expired says so, also to who had its page open", async ({
  people,
  chat,
}) => {
  const alice = await people.signIn("Alice")
  const bob = await people.signIn("Bob")
  const hers = await alice.createRoom("Secret garden", { isPrivate: true })
  const { invitation, missing, rooms } = bob.texts
  const heading = (name: string) => bob.page.getByRole("heading", { name })

  const old = await hers.invitationLink()
  await bob.page.goto(old)
  await hers.withdrawInvitations()
  await bob.page.getByRole("button", { name: invitation.accept }).click()
  await expect(heading(missing.invitation)).toBeVisible()
  await expect(bob.page.getByText(invitation.unknownLead)).toBeVisible()

  const expiring = await hers.invitationLink()
  await bob.page.goto(expiring)
  age(chat, invitationDays)
  await bob.page.getByRole("button", { name: invitation.accept }).click()
  await expect(heading(invitation.expired)).toBeVisible()
  await expect(bob.page.getByRole("button", { name: invitation.accept })).toHaveCount(0)
  // What was withdrawn stays so, and a new one opens the room.
  await bob.page.goto(old)
  await expect(heading(missing.invitation)).toBeVisible()
  await bob.page.getByRole("link", { name: missing.back }).click()
  await expect(bob.rooms.link(rooms.lobby)).toBeVisible()
  await expect(bob.rooms.link("Secret garden")).toHaveCount(0)
  await bob.joinRoom(await hers.invitationLink())
})

test("whoever comes back into a room hears it in every tab, also where they were told that they were out", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const bob = await people.signIn("Bob")
  const hers = await alice.createRoom("Boardroom", { isPrivate: true })
  const invitation = await hers.invitationLink()
  await bob.joinRoom(invitation)
  const tab = await bob.openTab()
  // Nobody reads it, so that its number says that both tabs hear the room.
  for (const { page } of [bob, tab]) await page.goto(new URL("/rooms/lobby", hers.url).href)
  await hers.send("before")
  for (const { rooms } of [bob, tab]) await rooms.expectUnread("Boardroom", 1)
  await bob.rooms.open("Boardroom")
  await (await bob.openRoom()).leave()
  await hers.send("meanwhile")
  await bob.joinRoom(invitation)

  await tab.rooms.open("Boardroom")
  const other = await tab.openRoom()
  await other.expectWritten(["before", "meanwhile"])
  await hers.send("after")
  await other.expectWritten(["before", "meanwhile", "after"])
})

test("an address that leads nowhere leads back", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const { missing, pages, rooms } = alice.texts
  const answer = await alice.page.goto("/no/such/page")
  expect(answer?.status()).toBe(404)
  await expect(alice.page.getByText(pages.notFoundLead)).toBeVisible()
  await alice.page.getByRole("link", { name: missing.back }).click()
  await expect(alice.page.getByRole("heading", { name: rooms.lobby, level: 1 })).toBeVisible()
})

test("a room that can't be shown says so, keeps the list of rooms, and can be tried again", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Fragile")
  await room.send("still here")
  await room.expectWritten(["still here"])
  await alice.rooms.open(alice.texts.rooms.lobby)
  // What a room's list stands on, and nothing around it.
  await alice.page.evaluate(() => {
    const { ResizeObserver } = window
    Object.assign(window, {
      repair: () => Object.assign(window, { ResizeObserver }),
      ResizeObserver: class {
        constructor() {
          throw new Error("broken on purpose")
        }
      },
    })
  })
  await alice.rooms.link("Fragile").click()
  const { broken, pages } = alice.texts
  await expect(alice.page.getByRole("heading", { name: pages.errorTitle })).toBeVisible()
  await expect(alice.rooms.link("Fragile")).toBeVisible()
  await expectAccessible(alice.page)
  await alice.page.evaluate(() => (window as unknown as { repair(): void }).repair())
  await alice.page.getByRole("button", { name: broken.retry }).click()
  await room.expectWritten(["still here"])
})

test("leaving asks first, and says what it means", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Boardroom", { isPrivate: true })
  const { page, texts } = alice
  const { url } = room
  await page.getByRole("button", { name: texts.rooms.menu }).click()
  await expect(page.getByText(texts.rooms.owned)).toBeVisible()
  await expectAccessible(page)
  await page.getByRole("menuitem", { name: texts.rooms.leave }).click()
  const dialog = page.getByRole("alertdialog")
  await expect(dialog).toContainText(texts.rooms.leavePrivate)
  await expectAccessible(page)
  await dialog.getByRole("button", { name: texts.rooms.cancel }).click()
  await expect(dialog).toBeHidden()
  await room.send("I stay")
  await room.expectWritten(["I stay"])
  await room.leave()
  const answer = await page.goto(url)
  expect(answer?.status()).toBe(404)
})

test("the badge says who carries the messages, how fast, and how far it has come", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Measured")
  const { page, texts } = alice
  const { connection } = texts
  const name = connection.details.replace("{state}", connection.connected).replace("{provider}", "Socket.IO")
  await page.getByRole("button", { name }).click()
  const popover = page.getByRole("dialog", { name: connection.aboutTitle })
  await expect(popover.getByTestId("latency")).toHaveText(connection.noJourney)
  // That the room was made.
  await expect(popover.getByTestId("last-seq")).toHaveText("1")
  await expectAccessible(page)
  await page.keyboard.press("Escape")
  await room.send("one", "two")
  await room.expectWritten(["one", "two"])
  await page.getByRole("button", { name }).click()
  await expect(popover.getByTestId("last-seq")).toHaveText("3")
  await expect(popover.getByTestId("latency")).toHaveText(/^[\d,]+ ms$/)
  await popover.getByRole("link", { name: connection.lab }).click()
  await expect(page.getByRole("heading", { name: texts.lab.title })).toBeVisible()
})

for (const [locale, colorScheme] of [
  ["en-US", "light"],
  ["ja-JP", "dark"],
  ["en-US", "dark"],
  ["ja-JP", "light"],
] as const) {
  test(`axe finds nothing on the pages without a room, at 320 px nothing sticks out: ${locale}, ${colorScheme}`, async ({
    people,
    browser,
    chat,
  }) => {
    const viewport = { width: 320, height: 568 }
    const context = await browser.newContext({ baseURL: chat.url, locale, colorScheme, viewport })
    const door = await context.newPage()
    await door.goto("/")
    await expectAccessible(door)
    await expectNothingSticksOut(door)
    await context.close()

    const aiko = await people.signIn("愛子", { locale, colorScheme, viewport })
    const { page, texts } = aiko
    for (const path of ["/no/such/page", "/rooms/nowhere", "/invitations/made-up", "/rooms/lobby"]) {
      await page.goto(path)
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible()
      await expectAccessible(page)
      await expectNothingSticksOut(page)
    }
    await page.getByRole("button", { name: texts.rooms.open }).click()
    await expect(page.getByRole("dialog")).toBeVisible()
    await expectAccessible(page)
    await page.getByRole("button", { name: texts.settings.menu.replace("{name}", "愛子") }).click()
    await expect(page.getByRole("menu")).toBeVisible()
    await expectAccessible(page)
  })
}
