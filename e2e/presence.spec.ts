import { expect, test } from "./fixtures.ts"
import { RoomsPage } from "./pages/rooms-page.ts"

test("the list of rooms says how many people are in each", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const { url } = await alice.createRoom("Counted")
  await bob.joinRoom(url)
  const rooms = new RoomsPage(alice.page, alice.texts)
  // Of the open room it is what its own header says.
  await rooms.expectPeople("Counted", 2)
  // Of another one it is asked when she goes somewhere; who is there may be told a moment later, so she goes again.
  await expect(async () => {
    await rooms.open("Counted")
    await rooms.open(alice.texts.rooms.lobby)
    await rooms.expectPeople("Counted", 1, { timeout: 5_000 })
  }).toPass()
  await rooms.open("Counted")
  await bob.page.close()
  await rooms.expectPeople("Counted", 1)
})

test("a person is there once, however many tabs they have, and gone after the last", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
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
