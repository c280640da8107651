import { expectAccessible } from "./axe.ts"
import { expect, test } from "./fixtures.ts"

test("what waits for the network is said to wait, and can be thrown away", async ({ people }) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Second thoughts")
  const his = await bob.joinRoom(hers.url)
  const browser = alice.page.context()
  await browser.setOffline(true)
  await hers.send("wanted")
  await expect(alice.page.getByTestId("announcer")).toContainText(`${alice.texts.messages.queued}: wanted`)
  await hers.send("regretted")
  await hers.message("regretted").discard()
  await expect(hers.written).toHaveText(["wanted"])
  await expect(hers.composer).toBeFocused()
  await browser.setOffline(false)
  for (const room of [hers, his]) await room.expectWritten(["wanted"])
  // Whoever listens was told that it waits.
  await expect(alice.page.getByTestId("announcer")).toContainText(`${alice.texts.messages.sent}: wanted`)
  await hers.send("after")
  for (const room of [hers, his]) await room.expectWritten(["wanted", "after"])
})

test("what the server fails to take says so, and goes out when it is tried again", async ({
  people,
  layout,
}) => {
  test.skip(layout === "one-port" || layout === "split", "a gateway takes messages over its socket")
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Bad day")
  const his = await bob.joinRoom(hers.url)
  const { messages } = alice.texts
  const answers = "**/api/realtime/publish"
  // Asked again after a minute by itself: before that, only because somebody wants it.
  const isDown = { status: 503, headers: { "Retry-After": "60" } }
  await alice.page.route(answers, (route) => route.fulfill(isDown))
  await hers.send("again")
  await expect(hers.message("again").element).toHaveAttribute("data-state", "failed")
  await expect(alice.page.getByTestId("announcer")).toContainText(`${messages.failed}: again`)
  await expectAccessible(alice.page)
  // Only the server's own word refuses a message for good.
  const refusal = { error: { code: "invalid-payload", message: "unable to publish; the text is empty" } }
  await alice.page.route(answers, (route) => route.fulfill({ status: 400, json: refusal }))
  await hers.message("again").retry()
  await expect(hers.message("again").element).toHaveAttribute("data-state", "refused")
  await expect(alice.page.getByTestId("announcer")).toContainText(`${messages.refused}: again`)
  await expectAccessible(alice.page)
  await alice.page.unroute(answers)
  await hers.message("again").retry()
  for (const room of [hers, his]) await room.expectWritten(["again"])
})
