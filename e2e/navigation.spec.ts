import { expect, test } from "./fixtures.ts"

test("a refresh shows what was there, and goes on", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Refresh")
  const his = await bob.joinRoom(hers.url)
  await his.send("one")
  await hers.expectWritten(["one"])

  await alice.page.reload()
  await hers.expectWritten(["one"])
  await his.send("two")
  await his.expectWritten(["one", "two"])
  await hers.send("three")
  await hers.expectWritten(["one", "two", "three"])
  await his.expectWritten(["one", "two", "three"])
})

test("back and forward between rooms miss nothing that was said meanwhile", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const first = await alice.createRoom("First")
  const his = await bob.joinRoom(first.url)
  await his.send("before")
  await first.expectWritten(["before"])

  const second = await alice.createRoom("Second")
  await second.send("elsewhere")
  await his.send("meanwhile")

  await alice.page.goBack()
  await first.expectWritten(["before", "meanwhile"])
  await his.send("live again")
  await first.expectWritten(["before", "meanwhile", "live again"])

  await alice.page.goForward()
  await second.expectWritten(["elsewhere"])
})

test("a second tab shows the same, and both stay live", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Two tabs")
  await room.send("from the first")
  const tab = await alice.openTab()
  const other = await tab.openRoom(room.url)
  await other.expectWritten(["from the first"])

  await other.send("from the second")
  await other.expectWritten(["from the first", "from the second"])
  await room.send("from the first again")
  const all = ["from the first", "from the second", "from the first again"]
  await room.expectWritten(all)
  await other.expectWritten(all)
})

test("whoever isn't signed in is asked for a name, and is then led to the room", async ({ people, page }) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Way back")
  const { welcome } = alice.texts
  await page.goto(room.url)
  await page.getByRole("textbox", { name: welcome.name }).fill("Bob")
  await page.getByRole("button", { name: welcome.enter }).click()
  await expect(page.getByRole("heading", { name: "Way back", level: 1 })).toBeVisible()
  expect(page.url()).toBe(room.url)
})
