import { expect, test } from "./fixtures.ts"
import { RoomsPage } from "./pages/rooms-page.ts"

test("two people in one room see each other's messages once, in order", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.signIn("Bob")
  const hers = await alice.createRoom("Harbour")
  const his = await bob.joinRoom(hers.url)

  const sent = ["Good morning!", "おはよう", "Is it <b>bold</b>? 🎣", "a line\nand one more"]
  for (const [index, text] of sent.entries()) {
    await (index % 2 ? his : hers).send(text)
    // Whoever answers has read it; the order of two who don't wait for each other is the log's to choose.
    for (const room of [hers, his]) await room.expectWritten(sent.slice(0, index + 1))
  }

  // At the same time, as fast as they can: one order, the same for both, each sender's own kept.
  const burst = (name: string) => Array.from({ length: 10 }, (_, index) => `${name} ${index}`)
  await Promise.all([hers.send(...burst("alice")), his.send(...burst("bob"))])
  await expect(hers.written).toHaveCount(sent.length + 20)
  await expect(his.written).toHaveCount(sent.length + 20)
  await hers.expectAllSent()
  await his.expectAllSent()
  const order = (await hers.written.allTextContents()).slice(sent.length)
  expect((await his.written.allTextContents()).slice(sent.length)).toEqual(order)
  expect(order.filter((text) => text.startsWith("alice"))).toEqual(burst("alice"))
  expect(order.filter((text) => text.startsWith("bob"))).toEqual(burst("bob"))
})

test("one sees who else is typing, and not oneself", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.signIn("Bob")
  const hers = await alice.createRoom("Typing")
  const his = await bob.joinRoom(hers.url)
  // A signal goes to who is there when it is sent.
  await hers.expectPresent(["Alice", "Bob"])
  await his.expectPresent(["Alice", "Bob"])

  await his.composer.pressSequentially("Let me think")
  // A connection that ended meanwhile takes a signal with it; whoever types on says so again.
  await expect(async () => {
    await his.composer.press("!")
    await expect(hers.typing("Bob")).toBeVisible({ timeout: 1_000 })
  }).toPass()
  await expect(his.typing("Bob")).toHaveCount(0)
  await his.composer.press("Enter")
  await expect(hers.typing("Bob")).toHaveCount(0)
  await hers.expectWritten([/^Let me think!+$/])
})

test("the list of rooms says how many people are in each", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.signIn("Bob")
  const { url } = await alice.createRoom("Counted")
  await bob.joinRoom(url)
  const rooms = new RoomsPage(alice.page, alice.texts)
  // Asked when she comes to a room; who is there may be told a moment later, so she comes again.
  const expectPeople = (count: number) =>
    expect(async () => {
      await rooms.open(alice.texts.rooms.lobby)
      await rooms.open("Counted")
      await rooms.expectPeople("Counted", count)
    }).toPass()
  await expectPeople(2)
  await bob.page.close()
  await expectPeople(1)
})

test("a person is there once, however many tabs they have, and gone after the last", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.signIn("Bob")
  const hers = await alice.createRoom("Company")
  await bob.joinRoom(hers.url)
  await hers.expectPresent(["Alice", "Bob"])

  const tab = await bob.openTab()
  const again = await tab.openRoom(hers.url)
  await again.expectPresent(["Alice", "Bob"])
  await hers.expectPresent(["Alice", "Bob"])

  await bob.page.close()
  await again.send("I am still here")
  await hers.expectWritten(["I am still here"])
  await hers.expectPresent(["Alice", "Bob"])

  await tab.page.close()
  await hers.expectPresent(["Alice"])
})
