import { expect, test } from "./fixtures.ts"

test("when the preferred provider fails, the next one carries on, and nothing is lost or repeated", async ({
  people,
  chat,
}) => {
  const alice = await people.signIn("Alice")
  const bob = await people.newcomer("Bob")
  const downloads: string[] = []
  alice.page.on("response", async (response) => {
    // A response of a page that has been left has no body any more.
    downloads.push(await response.text().catch(() => ""))
  })
  const ablysCode = () => downloads.filter((text) => text.toLowerCase().includes("x-ably-version")).length
  const hers = await alice.createRoom("Crossing")
  const his = await bob.joinRoom(hers.url)
  await hers.send("by Pusher")
  await his.expectWritten(["by Pusher"])
  await his.send("and back")
  await hers.expectWritten(["by Pusher", "and back"])
  await hers.expectVia("Pusher")
  expect(ablysCode()).toBe(0)

  const end = chat.startOutage?.()
  await hers.expectInterrupted()
  await hers.send("into the gap", "ギャップの中へ")
  await his.send("from the other side")
  for (const room of [hers, his]) await room.expectVia("Ably")
  expect(ablysCode()).toBeGreaterThan(0)
  await hers.send("by Ably")
  for (const room of [hers, his]) {
    await expect(room.written).toHaveCount(6)
    await room.expectAllSent()
    await room.expectPresent(["Alice", "Bob"])
  }
  const written = await hers.written.allTextContents()
  expect(await his.written.allTextContents()).toEqual(written)
  expect(written.filter((text) => text !== "from the other side")).toEqual([
    "by Pusher",
    "and back",
    "into the gap",
    "ギャップの中へ",
    "by Ably",
  ])
  end?.()
})
