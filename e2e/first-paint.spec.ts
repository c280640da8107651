import { expect, test } from "./fixtures.ts"
import { RoomPage } from "./pages/room-page.ts"

test("the last messages are in the first HTML", async ({ people, browser, chat }) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("First paint")
  await room.send("one", "two", "three")
  await room.expectWritten(["one", "two", "three"])

  const storageState = await alice.page.context().storageState()
  const context = await browser.newContext({ baseURL: chat.url, javaScriptEnabled: false, storageState })
  const page = await context.newPage()
  await page.goto(room.url)
  const seen = new RoomPage(page, alice.texts)
  await expect(seen.written).toHaveText(["one", "two", "three"])
  await expect(seen.written.last()).toBeVisible()
  await context.close()
})
