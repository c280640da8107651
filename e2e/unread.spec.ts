import type { Page } from "@playwright/test"
import { v7 as uuidv7 } from "uuid"
import { type Box, doOverlap } from "./boxes.ts"
import { expect, type People, test } from "./fixtures.ts"
import type { RoomPage } from "./pages/room-page.ts"
import type { Person } from "./person.ts"
import { fill, publish, roomIdOf } from "./publish.ts"
import { typingText } from "./texts.ts"
import { setVisible } from "./visible.ts"

/** Alice and Bob in a room; Alice looks at the lobby. */
async function setUp(people: People): Promise<{ alice: Person; bob: Person; hers: RoomPage; his: RoomPage }> {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Harbour")
  const { url } = hers
  const his = await bob.joinRoom(url)
  await hers.expectPresent(["Alice", "Bob"])
  await alice.rooms.open(alice.texts.rooms.lobby)
  return { alice, bob, hers, his }
}

async function idOf(person: Person, asker: Person, room: RoomPage): Promise<string> {
  const answer = await asker.page.request.get(`/api/chat/people?room=${roomIdOf(room)}`)
  const { people } = (await answer.json()) as { people: { id: string; name: string }[] }
  return people.find(({ name }) => name === person.name)?.id ?? ""
}

/** What tells a page that its window has the keyboard, or hasn't. */
async function setFocus(page: Page, hasFocus: boolean): Promise<void> {
  await page.evaluate((value) => {
    document.hasFocus = () => value
    window.dispatchEvent(new Event(value ? "focus" : "blur"))
  }, hasFocus)
}

test("what one hasn't read is counted live, in every tab and on every device, and reading it in one clears it in all", async ({
  people,
}) => {
  // Four pages at once.
  const { alice, hers, his } = await setUp(people)
  const tab = await alice.openTab()
  await tab.page.goto("/")
  const device = await people.anotherDeviceOf(alice)
  await device.page.goto("/")
  const everywhere = [alice, tab, device]
  for (const { rooms } of everywhere) await rooms.expectUnread("Harbour", null)

  await his.send("one", "two", "三つ目")
  for (const { rooms, page } of everywhere) {
    await rooms.expectUnread("Harbour", 3)
    await expect(page).toHaveTitle(/^\(3\) /)
  }

  await tab.rooms.open("Harbour")
  await hers.expectConnected()
  for (const { rooms, page } of everywhere) {
    await rooms.expectUnread("Harbour", null)
    await expect(page).not.toHaveTitle(/^\(/)
  }

  // What comes while one reads is read.
  await his.send("four")
  await expect(tab.page.getByRole("log")).toContainText("four")
  await his.expectWritten(["one", "two", "三つ目", "four"])
  for (const { rooms } of everywhere) await rooms.expectUnread("Harbour", null)

  // The server knows: a page that is opened now begins with nothing unread.
  await device.page.reload()
  await device.rooms.expectUnread("Harbour", null)
})

test("one's own messages are never unread", async ({ people }) => {
  const { alice, bob, his } = await setUp(people)
  const tab = await bob.openTab()
  await tab.page.goto("/")
  await his.send("from Bob himself")
  await alice.rooms.expectUnread("Harbour", 1)
  await tab.rooms.expectUnread("Harbour", null)
  await tab.page.reload()
  await tab.rooms.expectUnread("Harbour", null)
})

test("the numbers are in the first HTML, and stop at 99", async ({ people, browser, chat }) => {
  const { alice, bob, his } = await setUp(people)
  const many = Array.from({ length: 99 }, (_, index) => `number ${index}`)
  await publish(bob, his, many)
  await alice.rooms.expectUnread("Harbour", 99)

  const storageState = await alice.page.context().storageState()
  const context = await browser.newContext({ baseURL: chat.url, javaScriptEnabled: false, storageState })
  const page = await context.newPage()
  await page.goto(alice.page.url())
  const link = page.getByRole("navigation").getByRole("link", { name: "Harbour" })
  await expect(link.getByTestId("unread")).toContainText("99")
  await context.close()

  await his.send("one more")
  await expect(alice.rooms.link("Harbour").getByTestId("unread")).toContainText("99+")
  await expect(alice.page).toHaveTitle(/^\(99\+\) /)
})

test("a mention and an answer have a badge of their own, and an order that puts them first", async ({
  people,
}) => {
  const { alice, bob, hers, his } = await setUp(people)
  const elsewhere = await alice.createRoom("Workshop")
  const { url } = elsewhere
  await alice.rooms.open(alice.texts.rooms.lobby)
  const bobsTab = await bob.openTab()
  const other = await bobsTab.joinRoom(url)
  await other.send("just so")
  await alice.rooms.expectUnread("Workshop", 1)
  // While the pointer is among the rooms they stay where they are.
  await alice.page.getByRole("heading", { level: 1 }).hover()

  const me = await idOf(alice, bob, his)
  const mention = { id: uuidv7(), event: "text-sent", payload: { text: "@Alice, look!", mentions: [me] } }
  const channel = `room:${roomIdOf(his)}`
  const answer = await bob.page.request.post("/api/realtime/publish", {
    data: { channel, messages: [mention] },
  })
  expect(answer.ok()).toBe(true)
  await alice.rooms.expectMentions("Harbour", 1)
  await alice.rooms.expectUnread("Harbour", null)
  await expect(alice.rooms.yours).toContainText(["Harbour", "Workshop"])
  await alice.page.reload()
  await alice.rooms.expectMentions("Harbour", 1)
  await expect(alice.rooms.yours).toContainText(["Harbour", "Workshop"])

  await alice.rooms.open("Harbour")
  await alice.rooms.expectMentions("Harbour", null)
  await hers.send("What is it?")
  await his.expectWritten(["@Alice, look!", "What is it?"])
  await alice.rooms.open(alice.texts.rooms.lobby)
  await his.message("What is it?").reply()
  await his.send("A seal!")
  await alice.rooms.expectMentions("Harbour", 1)
})

test("what comes while nobody looks stays unread until somebody does", async ({ people }) => {
  const { alice, hers, his } = await setUp(people)
  const tab = await alice.openTab()
  // Connected: what is read elsewhere before that it learns of within the minute only.
  await tab.openRoom("/")
  await alice.rooms.open("Harbour")
  await his.send("Good morning")
  await expect(hers.message("Good morning").element).toBeInViewport()
  await expect(alice.page).toHaveTitle(/^Harbour/)
  await tab.rooms.expectUnread("Harbour", null)
  await setFocus(alice.page, false)
  await his.send("Anybody there?")
  await tab.rooms.expectUnread("Harbour", 1)
  await expect(alice.page).toHaveTitle(/^\(1\) Harbour/)
  await setFocus(alice.page, true)
  await tab.rooms.expectUnread("Harbour", null)
  await expect(alice.page).toHaveTitle(/^Harbour/)

  // Where that began is marked, each time anew.
  const { unreadLine } = alice.texts.messages
  const shown = hers.log.locator("[data-testid=unread-line], [data-testid=message-text]")
  await expect(shown).toHaveText(["Good morning", unreadLine, "Anybody there?"])
  await setFocus(alice.page, false)
  await his.send("Anybody at all?")
  await tab.rooms.expectUnread("Harbour", 1)
  await setFocus(alice.page, true)
  await expect(shown).toHaveText(["Good morning", "Anybody there?", unreadLine, "Anybody at all?"])
})

test("a device that was away learns what was read elsewhere when it comes back", async ({ people }) => {
  const { alice, his } = await setUp(people)
  const device = await people.anotherDeviceOf(alice)
  await device.page.goto("/")
  await his.send("before the tunnel")
  await device.rooms.expectUnread("Harbour", 1)
  await device.page.context().setOffline(true)
  await alice.rooms.open("Harbour")
  await alice.rooms.expectUnread("Harbour", null)
  await device.rooms.expectUnread("Harbour", 1)
  await device.page.context().setOffline(false)
  await device.rooms.expectUnread("Harbour", null)
})

test("the list says who is typing in a room that isn't open, and stops by itself", async ({ people }) => {
  const { alice, bob, his } = await setUp(people)
  const preview = alice.rooms.link("Harbour").getByTestId("typing-preview")
  await expect(async () => {
    await his.composer.pressSequentially("Hm")
    await expect(preview).toHaveText(typingText(alice.texts, "Bob"), { timeout: 1_000 })
  }).toPass()
  // Bob is gone in the middle of a word.
  await bob.page.close()
  await expect(preview).toHaveCount(0)
})

test("rooms stay where they are while the pointer is among them", async ({ people }) => {
  const { alice, his } = await setUp(people)
  await alice.createRoom("Newest")
  await alice.rooms.open(alice.texts.rooms.lobby)
  const names = async () =>
    (await alice.rooms.yours.allTextContents()).map((text) => text.slice(0, "Lobby".length))
  await alice.rooms.link("Newest").hover()
  const before = await names()
  await his.send("one")
  await alice.rooms.expectUnread("Harbour", 1)
  expect(await names()).toEqual(before)
  // Nor between the press and its release, when the keyboard's place goes from one room to another.
  await alice.rooms.link("Harbour").hover()
  await alice.page.mouse.down()
  expect(await names()).toEqual(before)
  await alice.page.mouse.up()
  await expect(alice.page.getByRole("heading", { name: "Harbour", level: 1 })).toBeVisible()
  await alice.page.getByRole("log").hover()
  await expect(alice.rooms.yours.first()).toContainText("Harbour")
})

test("on a phone the button of the list says how much is unread", async ({ people }) => {
  const { his } = await setUp(people)
  const carol = await people.newcomer("Carol", { viewport: { width: 320, height: 568 } })
  await carol.joinRoom(his.url)
  await carol.page.goto("/")
  await his.send("for everybody")
  const label = carol.texts.rooms.openUnread.replace(/\{.*\}/, "1 unread message")
  await carol.page.getByRole("button", { name: label }).click()
  await carol.rooms.expectUnread("Harbour", 1)
  await carol.rooms.link("Harbour").click()
  await expect(carol.page.getByRole("heading", { name: "Harbour", level: 1 })).toBeVisible()
  await expect(carol.page.getByRole("button", { name: carol.texts.rooms.open, exact: true })).toBeVisible()
})

test("notifications are off until they are asked for, and then tell of mentions alone, while nobody looks", async ({
  people,
}) => {
  const { alice, bob, his } = await setUp(people)
  await alice.page.context().grantPermissions(["notifications"])
  await alice.page.addInitScript(() => {
    const told: string[] = []
    window.Notification = class extends Notification {
      // The headless shell lets them through, and says "denied" all the same.
      static override get permission() {
        return "granted" as const
      }
      constructor(title: string, options?: NotificationOptions) {
        super(title, options)
        told.push(`${title}: ${options?.body}`)
      }
    }
    Object.assign(window, { told })
  })
  await alice.page.reload()
  const told = () => alice.page.evaluate(() => (window as unknown as { told: string[] }).told)
  const me = await idOf(alice, bob, his)
  const channel = `room:${roomIdOf(his)}`
  const mention = async (text: string) => {
    const messages = [{ id: uuidv7(), event: "text-sent", payload: { text, mentions: [me] } }]
    await bob.page.request.post("/api/realtime/publish", { data: { channel, messages } })
  }
  await setVisible(alice.page, false)
  await mention("before she chose")
  await alice.rooms.expectMentions("Harbour", 1)
  expect(await told()).toEqual([])

  const { settings, notifications } = alice.texts
  await alice.page.getByRole("button", { name: settings.menu.replace("{name}", "Alice") }).click()
  await alice.page.getByRole("menuitemradio", { name: notifications.mentions }).click()
  await alice.page.keyboard.press("Escape")
  await his.send("not for her")
  await mention("for her")
  await alice.rooms.expectMentions("Harbour", 2)
  expect(await told()).toEqual(["Bob mentioned you in Harbour: for her"])

  await setVisible(alice.page, true)
  await mention("while she looks")
  await alice.rooms.expectMentions("Harbour", 3)
  expect(await told()).toHaveLength(1)
})

test("whoever comes back to more than fits is led to where they stopped reading, and to the end again", async ({
  people,
  chat,
}) => {
  const { alice, hers, his } = await setUp(people)
  const { page, texts } = alice
  // More than the page that comes with the HTML holds.
  await fill(chat, his, 120)
  await page.reload()
  await expect(alice.rooms.link("Harbour").getByTestId("unread")).toContainText("99+")
  await alice.rooms.open("Harbour")
  await expect(hers.message(/^number 120/).element).toBeInViewport()
  const pill = page.getByRole("button", { name: texts.messages.firstUnread })
  await pill.focus()
  await page.keyboard.press("Enter")
  const line = page.getByTestId("unread-line")
  await expect(line).toBeInViewport()
  const first = hers.message("number 1 and another line").element
  await expect(first).toBeInViewport()
  await expect(first).toBeFocused()
  // It has been found, and isn't pointed at any more.
  await expect(pill).toHaveCount(0)
  await page.getByRole("button", { name: texts.messages.latest.match(/=0 \{(.+?)\}/)?.[1] ?? "" }).click()
  await expect(hers.message(/^number 120/).element).toBeInViewport()
  await expect(pill).toHaveCount(0)

  // What fits on the screen needs no way to it.
  await alice.rooms.open(texts.rooms.lobby)
  await his.send("one more")
  await alice.rooms.expectUnread("Harbour", 1)
  await alice.rooms.open("Harbour")
  await expect(line).toBeInViewport()
  await expect(pill).toHaveCount(0)
})

test("a room opens where one stopped reading, and what is below stays unread until one comes to it", async ({
  people,
  chat,
}) => {
  const { alice, hers, his } = await setUp(people)
  const { page, texts } = alice
  await his.send("read before")
  await alice.rooms.open("Harbour")
  await hers.expectWritten(["read before"])
  await alice.rooms.open(texts.rooms.lobby)
  await fill(chat, his, 40)
  const line = page.getByTestId("unread-line")
  const first = hers.message("number 1 and another line").element
  const last = hers.message(/^number 40/).element
  await page.reload()
  await alice.rooms.expectUnread("Harbour", 40)
  await alice.rooms.open("Harbour")
  await expect(line).toBeInViewport()
  await expect(first).toBeInViewport()
  // Those below what is seen.
  await expect(page.getByRole("button", { name: /^([12]\d|3\d) new messages$/ })).toBeVisible()
  await expect(last).not.toBeInViewport()
  await expect(alice.rooms.link("Harbour").getByTestId("unread")).toBeVisible()
  // As a page of its own, too: at what was unread of it when it is opened.
  await page.goto(hers.url)
  await expect(line).toBeInViewport()
  await expect(last).not.toBeInViewport()
  await page.getByRole("button", { name: /new messages/ }).click()
  await expect(last).toBeInViewport()
  await alice.rooms.expectUnread("Harbour", null)
  // Now it opens at its end.
  await page.reload()
  await expect(last).toBeInViewport()
  await expect(line).toHaveCount(0)
})

test("on a phone the number of what is unread stands beside the sign of the list, and not upon it", async ({
  people,
  chat,
}) => {
  const { alice, his } = await setUp(people)
  const { page, texts } = alice
  await page.setViewportSize({ width: 320, height: 568 })
  const button = page.getByRole("button", { name: texts.rooms.open })
  await expect(button).toBeVisible()
  for (const [count, shown] of [
    [1, "1"],
    [150, "99+"],
  ] as const) {
    await fill(chat, his, count)
    await page.reload()
    const badge = button.locator("span")
    await expect(badge).toHaveText(shown)
    const boxOf = (locator: typeof badge) =>
      locator.evaluate((element): Box => element.getBoundingClientRect().toJSON())
    const number = await boxOf(badge)
    expect(doOverlap(number, await boxOf(button.locator("svg")))).toBe(false)
    expect(doOverlap(number, await boxOf(page.getByRole("heading", { level: 1 })))).toBe(false)
    expect(number.top).toBeGreaterThanOrEqual(0)
    expect(number.left).toBeGreaterThanOrEqual(0)
  }
})
