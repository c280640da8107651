import type { Page } from "@playwright/test"
import { v7 as uuidv7 } from "uuid"
import type { ChatServers } from "./chat-servers.ts"
import { expect, test } from "./fixtures.ts"
import type { RoomPage } from "./pages/room-page.ts"
import { openLog, publish, roomIdOf } from "./publish.ts"

interface Line {
  name: string
  text: string
  /** Past what is in the log already: its clock never goes back. */
  at?: number
}

/** Writes into the room's log what these people said, and then lets retention keep the newest `kept`. */
async function write(chat: ChatServers, room: RoomPage, lines: readonly Line[], kept?: number) {
  let time = Date.now()
  const log = openLog(chat, () => time)
  for (const { name, text, at = time } of lines) {
    time = at
    const message = { id: uuidv7(), channel: `room:${roomIdOf(room)}`, event: "text-sent" }
    await log.append([{ ...message, payload: { text }, from: { id: name, name } }])
  }
  if (kept !== undefined) await log.trim({ maxMessagesPerChannel: kept })
  await log.close()
}

const count = (from: number, to: number): Line[] =>
  Array.from({ length: to - from + 1 }, (_, index) => ({ name: "Bob", text: `number ${from + index}` }))

/** What the page says from now on, however short. */
async function listenTo(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const said = new Set<string>()
    Object.assign(window, { said })
    new MutationObserver(() => {
      for (const { textContent } of document.querySelectorAll("[role=status]")) said.add(textContent ?? "")
    }).observe(document.body, { subtree: true, childList: true, characterData: true })
  })
  return () => page.evaluate(() => [...(window as unknown as { said: Set<string> }).said])
}

test("a room has its beginning and its days, and what one says within a minute has one's name once", async ({
  people,
  chat,
}) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Diary")
  await room.send("on the first day")
  await room.expectAllSent()
  // Not before it is sent: it could be midnight meanwhile.
  const tomorrow = new Date()
  tomorrow.setDate(tomorrow.getDate() + 1)
  const noon = tomorrow.setHours(12, 0, 0, 0)
  const dayAfter = tomorrow.setDate(tomorrow.getDate() + 1)
  await write(chat, room, [
    { name: "Bob", text: "first", at: noon },
    { name: "Bob", text: "within a minute", at: noon + 59_000 },
    { name: "Bob", text: "after a minute", at: noon + 59_000 + 60_000 },
    { name: "Carol", text: "somebody else", at: noon + 59_000 + 61_000 },
    { name: "Carol", text: "on another day", at: dayAfter },
  ])

  await alice.page.clock.setFixedTime(dayAfter)
  await alice.openRoom(room.url)
  const { start, today, yesterday } = alice.texts.messages
  await expect(room.log.getByText(start)).toBeVisible()
  const expected = [
    ...[expect.stringMatching(/^\w+, \w+ \d+, \d{4}$/), "on the first day"],
    ...[yesterday, "first", "within a minute", "after a minute", "somebody else"],
    ...[today, "on another day"],
  ]
  const lines = room.log.locator("[data-testid=day], [data-testid=message-text]")
  // The room may have been made on the day before the first.
  await expect.poll(async () => (await lines.allTextContents()).slice(-expected.length)).toEqual(expected)
  const names = { first: 1, "within a minute": 0, "after a minute": 1 }
  for (const [text, times] of Object.entries(names))
    await expect(room.message(text).element.getByText("Bob", { exact: true })).toHaveCount(times)
  for (const text of ["somebody else", "on another day"])
    await expect(room.message(text).element.getByText("Carol", { exact: true })).toHaveCount(1)

  // A message says the time of its day, and the whole of it when pointed at; each as its reader writes it.
  const inJapanese = await people.anotherDeviceOf(alice, { locale: "ja-JP" })
  await inJapanese.page.clock.setFixedTime(dayAfter)
  const theirs = await inJapanese.openRoom(room.url)
  const whole = { year: "numeric", month: "long", day: "numeric" } as const
  for (const [page, locale, time] of [
    [room, "en-US", /^12:00\sPM$/],
    [theirs, "ja-JP", /^12:00$/],
  ] as const) {
    const shown = page.message("first").element.locator("time")
    await expect(shown).toHaveText(time)
    await expect(shown).toHaveAttribute(
      "title",
      new RegExp(new Intl.DateTimeFormat(locale, whole).format(noon)),
    )
  }
  await expect(theirs.log.getByTestId("day").last()).toHaveText(inJapanese.texts.messages.today)
})

test("what is done in a room is said in it once, to each in their language", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob", { locale: "ja-JP" })
  const hers = await alice.createRoom("Draft", { isPrivate: true })
  const his = await bob.joinRoom(await hers.invitationLink())
  await hers.expectPresent(["Alice", "Bob"])
  const { rooms, messages } = alice.texts
  const choose = async (item: string) => {
    await alice.page.getByRole("button", { name: rooms.menu }).click()
    await alice.page.getByRole("menuitem", { name: item, exact: true }).click()
  }
  await choose(rooms.rename)
  const naming = alice.page.getByRole("dialog", { name: rooms.renameTitle })
  await naming.getByRole("textbox", { name: rooms.name }).fill("Plan")
  await naming.getByRole("button", { name: rooms.renameSubmit, exact: true }).click()
  const say = (
    texts: typeof messages,
    key: "created" | "joined" | "renamed" | "left" | "putOut",
    name: string,
  ) => texts[key].replace("{name}", name).replace("{room}", "Plan")
  const linesOf = ({ log }: RoomPage) => log.locator("[data-event]")
  const inJapanese = bob.texts.messages
  await expect(linesOf(his)).toHaveText([
    say(inJapanese, "created", "Alice"),
    say(inJapanese, "joined", "Bob"),
    say(inJapanese, "renamed", "Alice"),
  ])
  await his.leave()
  await bob.joinRoom(await hers.invitationLink())
  await choose(rooms.remove)
  const dialog = alice.page.getByRole("dialog", { name: rooms.removeTitle })
  await dialog.getByRole("button", { name: rooms.removePerson.replace("{name}", "Bob") }).click()
  await alice.page
    .getByRole("alertdialog")
    .getByRole("button", { name: rooms.removeConfirm, exact: true })
    .click()
  await dialog.getByRole("button", { name: rooms.done }).click()
  const said = [
    say(messages, "created", "Alice"),
    say(messages, "joined", "Bob"),
    say(messages, "renamed", "Alice"),
    say(messages, "left", "Bob"),
    say(messages, "joined", "Bob"),
    say(messages, "putOut", "Bob"),
  ]
  await expect(linesOf(hers)).toHaveText(said)
  // As the log has it, too.
  await alice.page.reload()
  await expect(linesOf(hers)).toHaveText(said)
})

test("a page that never has to scroll shows all that comes in", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Short")
  const his = await bob.joinRoom(hers.url)
  const said = ["one", "two", "three", "four"]
  for (const [index, text] of said.entries()) {
    await hers.send(text)
    await his.expectWritten(said.slice(0, index + 1))
  }
})

test("where the beginning of a room is no longer kept, it says so instead", async ({ people, chat }) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Short memory")
  await write(chat, room, count(1, 10), 3)
  const { start, truncated } = alice.texts.messages
  for (const isKept of [true, false]) {
    if (!isKept) await write(chat, room, [], 0)
    await alice.openRoom(room.url)
    await expect(room.log.getByText(truncated)).toBeVisible()
    await expect(room.log.getByText(start)).toHaveCount(0)
    await expect(room.log.getByText(alice.texts.welcome.emptyTitle)).toHaveCount(0)
    await room.expectWritten(isKept ? ["number 8", "number 9", "number 10"] : [])
  }
})

test("the page says that there is no network, and afterwards how much it caught up with", async ({
  people,
}) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Tunnel")
  const his = await bob.joinRoom(hers.url)
  const said = await listenTo(alice.page)
  await alice.page.context().setOffline(true)
  // On localhost a page learns of it by an overdue ping only, which takes up to 45 s.
  await expect.poll(said, { timeout: 120_000 }).toContain(alice.texts.connection.offline)
  await publish(bob, his, ["one", "two", "three"])
  await alice.page.context().setOffline(false)
  await expect.poll(said).toContain("Caught up with 3 messages.")
  await hers.expectWritten(["one", "two", "three"])
  // In a moment that is no news any more.
  await expect(alice.page.getByRole("status").filter({ hasText: "Caught up" })).toHaveCount(0)
})

test("a lost connection is spoken of after a moment, and no longer than it lasts", async ({
  people,
  chat,
}) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Blink")
  const { page, texts } = alice
  await page.clock.install()
  await alice.openRoom(room.url)
  const status = page.getByRole("status")
  const words = status.filter({ hasText: texts.connection.reconnecting })
  // Far enough ahead for a busy machine, which must not be past it by then, and below what a ping may take.
  await page.clock.pauseAt(await page.evaluate(() => Date.now() + 10_000))
  await room.expectConnected()
  await chat.stop("SIGTERM")
  await room.expectInterrupted()
  await page.clock.runFor(1_000)
  await expect(words).toHaveCount(0)
  await page.clock.runFor(1_000)
  await expect(words).toBeVisible()
  await chat.start()
  await page.clock.resume()
  await room.expectConnected()
  await expect(words).toHaveCount(0)
})

test("what retention took during an interruption has its place, and isn't said to have been caught up with", async ({
  people,
  chat,
}) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Outage")
  await room.send("before")
  await room.expectAllSent()
  const said = await listenTo(alice.page)
  await chat.stop("SIGTERM")
  await expect.poll(said).toContain(alice.texts.connection.reconnecting)
  await write(chat, room, count(1, 5), 2)
  await chat.start()
  await expect.poll(said).toContain("Caught up with 2 messages. Others are no longer kept.")
  await room.expectWritten(["before", "number 4", "number 5"])
  await expect(room.log.getByText("3 messages are no longer kept.")).toBeVisible()
})

test("everybody who types is named as far as there is room, and counted beyond", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const hers = await alice.createRoom("Many hands")
  const row = alice.page.getByTestId("typing")
  const rooms: RoomPage[] = []
  const cases = [
    ["Bob", /^Bob is typing…$/],
    ["Carol", /^(Bob and Carol|Carol and Bob) are typing…$/],
    ["Dave", /^\w+, \w+ and 1 other are typing…$/],
  ] as const
  for (const [name, words] of cases) {
    rooms.push(await (await people.signIn(name)).joinRoom(hers.url))
    // Whoever pauses stops typing by themselves.
    await expect(async () => {
      for (const room of rooms) await room.composer.pressSequentially("Hm")
      await expect(row).toHaveText(words, { timeout: 1_000 })
    }).toPass()
  }
})
