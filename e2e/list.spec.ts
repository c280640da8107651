import type { Locator } from "@playwright/test"
import { chatChannels } from "../lib/chat/channels.ts"
import { messagePath } from "../lib/chat/message-link.ts"
import { createSocketIoPublisher } from "../realtime/providers/socketio/server.ts"
import { createRealtime } from "../realtime/server/index.ts"
import { type Box, doOverlap } from "./boxes.ts"
import type { ChatServers } from "./chat-servers.ts"
import { record } from "./figures.ts"
import { expect, test } from "./fixtures.ts"
import type { RoomPage } from "./pages/room-page.ts"
import { fill, openLog, roomIdOf, talk } from "./publish.ts"
import { heapMBOf, scrollThrough } from "./scroll-through.ts"

/** Says something in the room as server code of another process does. */
function createSpeaker(chat: ChatServers, room: RoomPage) {
  const realtime = createRealtime({
    channels: chatChannels,
    identify: () => null,
    authorize: () => false,
    log: openLog(chat),
    publishers: [
      createSocketIoPublisher({
        internalUrl: chat.gatewayUrl ?? chat.url,
        secret: "another secret of the browser tests",
      }),
    ],
  })
  const channel = chatChannels.room({ room: roomIdOf(room) })
  return {
    say: (number: number, extra: object = {}) => {
      const { from, payload } = talk(number)
      return realtime.publish(channel, "text-sent", { ...payload, ...extra }, { from })
    },
    react: (target: string, emoji: string) =>
      realtime.publish(channel, "reaction-set", { target, emoji, isOn: true }, { from: talk(1).from }),
    [Symbol.asyncDispose]: () => realtime.close(),
  }
}

/** Scrolls there, and waits until what came into view has been measured: three frames in which nothing moves. */
const scrollTo = (room: RoomPage, top: number) =>
  room.log.evaluate(async (element, to) => {
    element.scrollTo(0, to)
    const shape = () => `${element.scrollTop} ${element.scrollHeight}`
    let quiet = 0
    for (let before = shape(); quiet < 3; ) {
      await new Promise(requestAnimationFrame)
      const now = shape()
      quiet = now === before ? quiet + 1 : 0
      before = now
    }
  }, top)
const scrollTopOf = (room: RoomPage) => room.log.evaluate(({ scrollTop }) => scrollTop)
const distanceToEnd = (room: RoomPage) =>
  room.log.evaluate(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight)

/** A message in the middle of what is seen, by its id. */
const middleOf = (room: RoomPage) =>
  room.log.evaluate((element) => {
    const { top, height } = element.getBoundingClientRect()
    const messages = [...element.querySelectorAll<HTMLElement>("[data-message]")]
    const found = messages.find((message) => message.getBoundingClientRect().top > top + height / 3)
    return found?.dataset.message ?? ""
  })
const topOf = (room: RoomPage, id: string) =>
  room.log.locator(`[data-message="${id}"]`).evaluate((element) => element.getBoundingClientRect().top)

test("what is read stays where it is while older messages come in above", async ({ people, chat }) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Archive")
  await fill(chat, room, 400)
  await alice.openRoom(room.url)
  await expect(room.message(/^number 400/).element).toBeInViewport()

  // Upwards a step at a time, through three pages that come in above on the way.
  const step = 150
  const isThere = () => room.message(/^number 240/).element.isVisible()
  while (!(await isThere())) {
    // At the very top there is nowhere to go until the next page is here.
    await expect.poll(() => scrollTopOf(room)).toBeGreaterThan(step)
    const id = await middleOf(room)
    const before = await topOf(room, id)
    await room.log.evaluate((element, by) => element.scrollBy(0, -by), step)
    await expect.poll(async () => Math.abs((await topOf(room, id)) - before - step)).toBeLessThan(3)
  }
})

test("new messages are followed at the end, and counted elsewhere; one's own are always shown", async ({
  people,
  chat,
}) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Lively")
  await fill(chat, room, 100)
  await alice.openRoom(room.url)
  await expect(room.message(/^number 100/).element).toBeInViewport()
  await using speaker = createSpeaker(chat, room)

  await speaker.say(101)
  await expect(room.message(/^number 101/).element).toBeInViewport()
  // A little above the end still counts as the end.
  await scrollTo(
    room,
    await room.log.evaluate(({ scrollHeight, clientHeight }) => scrollHeight - clientHeight - 60),
  )
  await speaker.say(102)
  await expect(room.message(/^number 102/).element).toBeInViewport()

  // A field that grew and shrinks again takes nobody away from it.
  await room.composer.fill("line\n".repeat(6))
  await expect.poll(() => distanceToEnd(room)).toBeLessThan(1)
  await room.composer.fill("")
  await expect.poll(() => distanceToEnd(room)).toBeLessThan(1)
  await scrollTo(room, await scrollTopOf(room))
  await expect(alice.page.getByRole("button", { name: /latest/ })).toHaveCount(0)

  await scrollTo(room, 500)
  const id = await middleOf(room)
  const before = await topOf(room, id)
  await speaker.say(103)
  await speaker.say(104)
  const pill = alice.page.getByRole("button", { name: "2 new messages" })
  await expect(pill).toBeVisible()
  await expect.poll(async () => Math.abs((await topOf(room, id)) - before)).toBeLessThan(3)
  await pill.click()
  await expect(room.message(/^number 104/).element).toBeInViewport()
  await expect(pill).toBeHidden()

  await scrollTo(room, 500)
  await room.send("mine")
  await expect(room.message("mine").element).toBeInViewport()
  await expect.poll(() => distanceToEnd(room)).toBeLessThan(80)
})

for (const width of [1100, 320]) {
  test(`what is said for a moment, ${width} px wide, is in the middle of the conversation and covers no button`, async ({
    people,
    chat,
  }) => {
    const alice = await people.signIn("Alice", { viewport: { width, height: 720 } })
    const { page, texts } = alice
    const room = await alice.createRoom("In passing")
    await fill(chat, room, 100)
    await alice.openRoom(room.url)
    await expect(room.message(/^number 100/).element).toBeInViewport()
    await scrollTo(room, 500)
    const pill = page.getByRole("button", { name: "Jump to the latest" })
    await expect(pill).toBeVisible()
    await room.composer.fill("a draft\n".repeat(8))
    await page.context().setOffline(true)
    await page.evaluate(() =>
      document.body.append(Object.assign(document.createElement("a"), { href: "/lab", id: "away" })),
    )
    await page.evaluate(() => document.getElementById("away")?.click())
    const said = page.getByRole("status").getByText(texts.app.offlineLink)
    await expect(said).toBeVisible()
    const boxOf = (locator: Locator) =>
      locator.evaluate((element): Box => element.getBoundingClientRect().toJSON())
    const [toast, list] = [await boxOf(said), await boxOf(room.log)]
    for (const control of [
      pill,
      room.composer,
      page.getByRole("button", { name: texts.composer.send, exact: true }),
    ])
      expect(doOverlap(toast, await boxOf(control))).toBe(false)
    expect(Math.abs(toast.left + toast.right - list.left - list.right)).toBeLessThan(4)
    // It is said once.
    await expect(page.getByText(texts.app.offlineLink)).toHaveCount(1)
    await pill.click()
    await expect(room.message(/^number 100/).element).toBeInViewport()
  })
}

test("how many are new goes down while one reads on, and not up again while one looks back", async ({
  people,
  chat,
}) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Catching up")
  await fill(chat, room, 100)
  await alice.openRoom(room.url)
  await expect(room.message(/^number 100/).element).toBeInViewport()
  await using speaker = createSpeaker(chat, room)
  await scrollTo(room, 500)
  for (let number = 101; number <= 120; number += 1) await speaker.say(number)
  const pill = alice.page.getByRole("button", { name: /^\d+ new messages?$/ })
  await expect(pill).toHaveText("20 new messages")

  const countOf = async () => Number.parseInt((await pill.textContent()) ?? "", 10)
  /** How many stand below what is seen, or are cut off by its edge. */
  const below = () =>
    room.log.evaluate((element) => {
      const { bottom } = element.getBoundingClientRect()
      const messages = [...element.querySelectorAll("[data-message]")]
      return messages.filter((message) => message.getBoundingClientRect().bottom > bottom).length
    })
  const end = () => room.log.evaluate(({ scrollHeight, clientHeight }) => scrollHeight - clientHeight)
  await scrollTo(room, (await end()) - 600)
  // Heights are measured as they come in sight, by which the list may have been further down for a moment: what it met counts as seen.
  await expect.poll(async () => (await below()) - (await countOf())).toBeGreaterThanOrEqual(0)
  const before = await countOf()
  expect(before).toBeGreaterThan(0)
  expect(before).toBeLessThan(20)
  await scrollTo(room, (await end()) - 300)
  await expect.poll(countOf).toBeLessThan(before)
  const fewest = await countOf()
  await scrollTo(room, 500)
  expect(await countOf()).toBe(fewest)
  await speaker.say(121)
  await expect.poll(countOf).toBe(fewest + 1)
})

test("an answer leads to its origin, however long ago that was said", async ({ people, chat }) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Memory")
  const first = await fill(chat, room, 2_000)
  await using speaker = createSpeaker(chat, room)
  await speaker.say(2_001, { replyTo: { id: first.id, seq: first.seq } })
  await alice.openRoom(room.url)
  await room
    .message(/^number 2001/)
    .element.getByTestId("quote")
    .click()
  await expect(room.message("number 1 and another line").element).toBeInViewport()
})

test("what happens to a message that isn't loaded is there once it is", async ({ people, chat }) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Long ago")
  const first = await fill(chat, room, 300)
  await alice.openRoom(room.url)
  await using speaker = createSpeaker(chat, room)
  await speaker.react(first.id, "🎉")
  await speaker.say(301, { replyTo: { id: first.id, seq: first.seq } })
  const answer = room.message(/^number 301/).element
  await expect(answer).toBeInViewport()
  await expect(room.log.getByText("🎉")).toHaveCount(0)
  await answer.getByTestId("quote").click()
  await expect(room.message("number 1 and another line").reaction("🎉")).toHaveText(/1/)
})

test("an origin that can't be loaded is asked for once for each click, and found when the network is back", async ({
  people,
  chat,
}) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Out of reach")
  const first = await fill(chat, room, 200)
  await using speaker = createSpeaker(chat, room)
  await speaker.say(201, { replyTo: { id: first.id, seq: first.seq } })
  await alice.openRoom(room.url)
  const quote = room.message(/^number 201/).element.getByTestId("quote")
  await expect(quote).toBeInViewport()

  let asked = 0
  await alice.page.route(/\/api\/realtime\/.*before=/, (route) => {
    asked += 1
    return route.abort("internetdisconnected")
  })
  const { olderFailed, goingBack, tryAgain } = alice.texts.messages
  const notice = alice.page.getByText(olderFailed)
  await quote.click()
  await expect(notice).toBeVisible()
  // One that asked again by itself would do so for as long as the notice stands.
  await expect(notice).toBeHidden()
  expect(asked).toBe(1)

  // Said for as long as it takes, with a way to leave it.
  await alice.page.unrouteAll()
  const held = Promise.withResolvers<void>()
  await alice.page.route(/\/api\/realtime\/.*before=/, async (route) => {
    await held.promise
    await route.abort("internetdisconnected")
  })
  await quote.click()
  await expect(alice.page.getByText(goingBack)).toBeVisible()
  held.resolve()
  await expect(notice).toBeVisible()
  await expect(alice.page.getByText(goingBack)).toBeHidden()

  await alice.page.unrouteAll()
  await alice.page.getByRole("button", { name: tryAgain }).click()
  await expect(room.message("number 1 and another line").element).toBeInViewport()
})

test("whoever looks at an origin that was in sight already is still at the end", async ({ people, chat }) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Close by")
  // So little that all of it is seen at once.
  const first = await fill(chat, room, 1)
  await using speaker = createSpeaker(chat, room)
  await speaker.say(4, { replyTo: { id: first.id, seq: first.seq } })
  await alice.openRoom(room.url)
  await room
    .message(/^number 4/)
    .element.getByTestId("quote")
    .click()
  await expect(room.message("number 1 and another line").element).toBeFocused()

  // More than the screen holds: they are seen only if they are followed.
  for (let number = 5; number <= 20; number += 1) await speaker.say(number)
  await expect(room.message(/^number 20/).element).toBeInViewport()
  await expect(alice.page.getByRole("button", { name: /new message/ })).toHaveCount(0)
})

/** Runs in the page: how long keys took until what they did was painted, and how often messages came between them. */
function observeTyping() {
  const keys: number[] = []
  const tasks: number[] = []
  const newest = new Set<string>()
  const observe = (type: string, take: (entry: PerformanceEntry) => void, options: object = {}) =>
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, ...options })
  observe("longtask", ({ duration }) => void tasks.push(duration))
  observe("event", ({ name, duration }) => void (name === "keydown" && keys.push(duration)), {
    durationThreshold: 16,
  })
  document.addEventListener("input", () => {
    const drawn = [...document.querySelectorAll("[data-message]")]
    newest.add(drawn.at(-1)?.getAttribute("data-message") ?? "")
  })
  return () => ({
    turns: newest.size,
    // Those that took no longer than a frame aren't listed.
    slowKeys: keys.length,
    slowestKeyMs: Math.round(Math.max(0, ...keys)),
    longTasks: tasks.length,
    longestTaskMs: Math.round(Math.max(0, ...tasks)),
  })
}

test("one goes on writing while fifty messages a second arrive", async ({ people, chat }, testInfo) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Stadium")
  await alice.openRoom(room.url)
  await using speaker = createSpeaker(chat, room)

  const total = 200
  const speaking = (async () => {
    for (let number = 1; number <= total; number += 1) {
      await speaker.say(number)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })()
  const typing = await alice.page.evaluateHandle(observeTyping)
  const text = "What I type stays whole, whatever comes in meanwhile. ".repeat(2).trim()
  await room.composer.pressSequentially(text, { delay: 15 })
  await expect(room.composer).toHaveValue(text)
  const figures = await typing.evaluate((observed) => observed())
  record(testInfo, {
    table: "typing while 50 messages a second arrive",
    row: `${text.length} keys`,
    cells: { ...figures, heapMB: await heapMBOf(alice.page) },
  })
  await speaking
  await expect(room.message(new RegExp(`^number ${total}`)).element).toBeInViewport()
  await room.composer.press("Enter")
  await expect(room.message(text).element).toBeInViewport()
})

test("whoever scrolls fast through ten thousand messages sees some in every frame", async ({
  people,
  chat,
}, testInfo) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Years")
  const first = await fill(chat, room, 10_000)
  await alice.openRoom(new URL(messagePath(roomIdOf(room), first), chat.url).href)
  await expect(room.message("number 1 and another line").element).toBeInViewport()

  // As with a fast wheel.
  const figures = await scrollThrough(alice.page, room, 3)
  record(testInfo, { table: "scrolling through 10,000 messages", row: "top to end", cells: figures })
  expect(figures.frames).toBeGreaterThan(200)
  expect(figures.blankFrames).toBe(0)
})
