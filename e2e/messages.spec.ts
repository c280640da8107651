import { expect, test } from "./fixtures.ts"
import type { RoomPage } from "./pages/room-page.ts"
import { publish } from "./publish.ts"

test("a message is edited and deleted, for everyone, and says so", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.signIn("Bob")
  const hers = await alice.createRoom("Second thoughts")
  const his = await bob.joinRoom(hers.url)
  await hers.send("Helo", "Never mind")
  await his.expectWritten(["Helo", "Never mind"])

  await hers.message("Helo").edit("Hello")
  for (const room of [hers, his]) {
    await room.expectWritten(["Hello", "Never mind"])
    await expect(room.message("Hello").element).toContainText(alice.texts.messages.edited)
  }

  await hers.message("Never mind").delete()
  for (const room of [hers, his]) {
    await room.expectWritten(["Hello"])
    await expect(room.log.getByText(alice.texts.messages.deleted)).toBeVisible()
  }

  // It is all in the log: a page that is opened now shows the same.
  const later = await (await bob.openTab()).openRoom(hers.url)
  await later.expectWritten(["Hello"])
})

test("a page that never has to scroll shows all that comes in", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.signIn("Bob")
  const hers = await alice.createRoom("Short")
  const his = await bob.joinRoom(hers.url)
  const said = ["one", "two", "three", "four"]
  for (const [index, text] of said.entries()) {
    await hers.send(text)
    await his.expectWritten(said.slice(0, index + 1))
  }
})

test("one changes one's own messages only; the room's owner may delete others'", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.signIn("Bob")
  const hers = await alice.createRoom("House rules")
  const his = await bob.joinRoom(hers.url)
  await hers.send("by Alice")
  await hers.expectWritten(["by Alice"])
  await his.send("by Bob")
  await his.expectWritten(["by Alice", "by Bob"])
  const { edit, delete: remove } = alice.texts.messages

  const ofOthers = await his.message("by Alice").openMenu()
  await expect(ofOthers.getByRole("menuitem", { name: edit, exact: true })).toHaveCount(0)
  await expect(ofOthers.getByRole("menuitem", { name: remove, exact: true })).toHaveCount(0)
  await bob.page.keyboard.press("Escape")

  await hers.message("by Bob").delete()
  await his.expectWritten(["by Alice"])
})

test("reactions are counted by person, say who, and are taken back by a second click", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.signIn("Bob")
  const hers = await alice.createRoom("Applause")
  const his = await bob.joinRoom(hers.url)
  await hers.send("We did it")
  await his.expectWritten(["We did it"])

  await his.message("We did it").react("👍")
  const seen = hers.message("We did it").reaction("👍")
  await expect(seen).toHaveText(/1/)
  await expect(seen).toHaveAccessibleName(/Bob/)
  await expect(seen).toHaveAttribute("aria-pressed", "false")

  await seen.click()
  for (const room of [hers, his]) {
    await expect(room.message("We did it").reaction("👍")).toHaveText(/2/)
    await expect(room.message("We did it").reaction("👍")).toHaveAttribute("aria-pressed", "true")
  }

  // A finger can't rest on a reaction: the menu lists who it was.
  const { whoReacted, you } = alice.texts.messages
  const menu = await hers.message("We did it").openMenu()
  await menu.getByRole("menuitem", { name: whoReacted }).click()
  const listed = alice.page.getByRole("dialog", { name: whoReacted }).getByRole("listitem")
  await expect(listed).toHaveText([new RegExp(`Bob.*${you}`)])
  await alice.page.keyboard.press("Escape")
  await expect(listed).toHaveCount(0)

  await seen.click()
  await his.message("We did it").reaction("👍").click()
  for (const room of [hers, his]) await expect(room.message("We did it").reaction("👍")).toHaveCount(0)
})

test("an answer quotes what it answers, and leads there", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.signIn("Bob")
  const hers = await alice.createRoom("Questions")
  const his = await bob.joinRoom(hers.url)
  await hers.send("Tea or coffee?")
  await his.expectWritten(["Tea or coffee?"])
  await his.message("Tea or coffee?").reply()
  await expect(his.composer).toBeFocused()
  await his.send("Tea, please")

  const quote = hers.message("Tea, please").element.getByTestId("quote")
  await expect(quote).toContainText("Tea or coffee?")
  await quote.click()
  await expect(hers.message("Tea or coffee?").element).toBeInViewport()

  // The quote follows what becomes of its origin.
  await hers.message("Tea or coffee?").edit("Tea or water?")
  await expect(his.message("Tea, please").element.getByTestId("quote")).toContainText("Tea or water?")
  await hers.message("Tea or water?").delete()
  await expect(his.message("Tea, please").element.getByTestId("quote")).toContainText(
    alice.texts.messages.deleted,
  )
})

test("an answer says whom and what it quotes, however far back that was said", async ({
  people,
  browser,
}) => {
  const alice = await people.signIn("Alice")
  const bob = await people.signIn("Bob")
  const hers = await alice.createRoom("Long ago")
  const his = await bob.joinRoom(hers.url)
  await hers.send("Tea or coffee?")
  await his.expectWritten(["Tea or coffee?"])
  await his.message("Tea or coffee?").reply()
  const lines = Array.from({ length: 60 }, (_, n) => `line ${n}`)
  await publish(bob, his, lines)
  await his.send("Tea, please")
  await his.expectAllSent()

  // In the server's own HTML, before any script.
  const reader = await browser.newContext({ javaScriptEnabled: false, locale: "en-US" })
  await reader.addCookies(await alice.page.context().cookies())
  const plain = await reader.newPage()
  await plain.goto(hers.url)
  await expect(plain.getByTestId("quote")).toContainText("You Tea or coffee?")
  await reader.close()

  await alice.page.reload()
  const quote = (room: RoomPage) => room.message("Tea, please").element.getByTestId("quote")
  await expect(quote(hers)).toContainText("Tea or coffee?")
  await bob.page.reload()
  await expect(quote(his)).toContainText("Alice Tea or coffee?")

  // What becomes of it is seen where it isn't loaded, too.
  await quote(hers).click()
  await expect(hers.message("Tea or coffee?").element).toBeInViewport()
  await hers.message("Tea or coffee?").edit("Tea or water?")
  await expect(quote(his)).toContainText("Alice Tea or water?")
  await hers.message("Tea or water?").delete()
  await expect(quote(his)).toContainText(bob.texts.messages.deleted)
})

test("an answer that is being written is one after a reload, too", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.signIn("Bob")
  const hers = await alice.createRoom("Interruptions")
  const his = await bob.joinRoom(hers.url)
  await hers.send("Tea or coffee?")
  await his.expectWritten(["Tea or coffee?"])
  await his.message("Tea or coffee?").reply()
  await his.composer.fill("Tea, please")
  await bob.page.reload()
  await expect(bob.page.getByTestId("reply-preview")).toContainText("Tea or coffee?")
  await expect(his.composer).toHaveValue("Tea, please")
  await his.composer.press("Enter")
  await expect(hers.message("Tea, please").element.getByTestId("quote")).toContainText("Tea or coffee?")

  // Once it is sent, or left, nothing of it comes back.
  await his.message("Tea or coffee?").reply()
  await his.composer.press("Escape")
  await his.composer.fill("Unasked")
  await bob.page.reload()
  await expect(his.composer).toHaveValue("Unasked")
  await his.composer.press("Enter")
  await expect(hers.message("Unasked").element.getByTestId("quote")).toHaveCount(0)
})

test("what two people do to one message at once ends the same for both", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const hers = await alice.createRoom("Race")
  const second = await (await alice.openTab()).openRoom(hers.url)
  await hers.send("one", "two")
  await second.expectWritten(["one", "two"])

  // One tab opens the text; before it is saved the other deletes the message.
  const menu = await hers.message("one").openMenu()
  await menu.getByRole("menuitem", { name: alice.texts.messages.edit, exact: true }).click()
  await hers.message("one").editField.fill("one, edited")
  await second.message("one").delete()
  for (const room of [hers, second]) await room.expectWritten(["two"])
  // What was written isn't lost with it.
  await expect(
    alice.page.getByRole("status").filter({ hasText: alice.texts.messages.editLost }),
  ).toBeVisible()
  await expect(hers.composer).toHaveValue("one, edited")
  await expect(hers.composer).toBeFocused()

  // Both have the text open before either saves.
  for (const [room, text] of [
    [hers, "from the first"],
    [second, "from the second"],
  ] as const) {
    const menu = await room.message("two").openMenu()
    await menu.getByRole("menuitem", { name: alice.texts.messages.edit, exact: true }).click()
    await room.message("two").editField.fill(text)
  }
  await Promise.all([hers, second].map((room) => room.message("two").editField.press("Enter")))
  await expect(hers.written).toHaveText(/from the (first|second)/)
  await expect(hers.log.getByText(alice.texts.messages.edited)).toBeVisible()
  await expect(async () => {
    expect(await second.written.allTextContents()).toEqual(await hers.written.allTextContents())
  }).toPass()
})

test("changes made offline are shown at once and happen once", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.signIn("Bob")
  const hers = await alice.createRoom("Tunnel")
  const his = await bob.joinRoom(hers.url)
  await hers.send("draft", "keep")
  await his.expectWritten(["draft", "keep"])

  await alice.page.context().setOffline(true)
  await hers.message("draft").edit("final")
  await hers.message("keep").react("👍")
  await expect(hers.written).toHaveText(["final", "keep"])
  await expect(hers.message("keep").reaction("👍")).toHaveText(/1/)
  await his.expectWritten(["draft", "keep"])

  await alice.page.context().setOffline(false)
  await his.expectWritten(["final", "keep"])
  await expect(his.message("keep").reaction("👍")).toHaveText(/1/)
})

test("everything can be done by the keyboard alone", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const hers = await alice.createRoom("No mouse")
  await hers.send("first", "second", "third")
  const { keyboard } = alice.page
  const { messages } = alice.texts

  // From the field back to the newest message, and up to the first one.
  await hers.composer.focus()
  const third = hers.message("third").element
  await expect
    .poll(async () => {
      await keyboard.press("Shift+Tab")
      return third.evaluate((element) => element === document.activeElement)
    })
    .toBe(true)
  await keyboard.press("ArrowUp")
  await expect(hers.message("second").element).toBeFocused()
  await keyboard.press("Home")
  await expect(hers.message("first").element).toBeFocused()

  // Its tools are the next stop; the arrows go along them.
  await keyboard.press("Tab")
  await expect(hers.message("first").toolbar.getByRole("button", { name: messages.react })).toBeFocused()
  await keyboard.press("ArrowRight")
  await keyboard.press("ArrowRight")
  await keyboard.press("Enter")
  await expect(alice.page.getByRole("menuitem", { name: messages.edit, exact: true })).toBeVisible()
  await keyboard.press("Escape")

  // The last own one is edited from the empty field.
  await hers.composer.focus()
  await keyboard.press("ArrowUp")
  await expect(hers.message("third").editField).toBeFocused()
  await keyboard.press("Escape")
  await expect(hers.composer).toBeFocused()
})
