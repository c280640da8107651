import { expect, test } from "./fixtures.ts"
import type { RoomPage } from "./pages/room-page.ts"
import { publish } from "./publish.ts"

test("an answer quotes what it answers, and leads there", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
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
  const bob = await people.newcomer("Bob")
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
