import { expect, test } from "./fixtures.ts"
import { fill } from "./publish.ts"

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

test("a link to a message leads there, past the door and into the room, and its menu says when it was", async ({
  people,
  chat,
}) => {
  const alice = await people.signIn("Alice")
  const { page, texts } = alice
  const room = await alice.createRoom("Archive")
  await room.send("the one that is meant")
  await room.expectWritten(["the one that is meant"])
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"])
  const menu = await room.message("the one that is meant").openMenu()
  await expect(menu).toContainText(/\b20\d\d\b/)
  await menu.getByRole("menuitem", { name: texts.messages.copyLink }).click()
  await expect(page.getByRole("status").getByText(texts.messages.linkCopied)).toBeVisible()
  const link = await page.evaluate(() => navigator.clipboard.readText())
  // So that it stands far above what is shown.
  await fill(chat, room, 150)

  const bob = await people.newcomer("Bob")
  const his = await bob.joinRoom(link)
  const meant = his.message("the one that is meant").element
  await expect(meant).toBeInViewport()
  await expect(meant).toBeFocused()

  const unknown = link.replace(/-[^-]*$/, "-0000000000ab")
  await bob.openRoom(unknown)
  await expect(bob.page.getByText(bob.texts.messages.gone)).toBeVisible()
  await expect(his.message(/^number 150/).element).toBeInViewport()
})
