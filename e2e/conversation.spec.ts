import { expect, test } from "./fixtures.ts"

test("two people in one room see each other's messages once, in order", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
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
