import { messagePath } from "../lib/chat/message-link.ts"
import { expect, test } from "./fixtures.ts"
import { fill, roomIdOf } from "./publish.ts"
import { scrollThrough } from "./scroll-through.ts"

test("ten thousand messages leave a small page", async ({ people, chat }) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Years")
  const first = await fill(chat, room, 10_000)
  await alice.openRoom(new URL(messagePath(roomIdOf(room), first), chat.url).href)
  await expect(room.message("number 1 and another line").element).toBeInViewport()

  const { frames, mostNodes } = await scrollThrough(alice.page, room, 30)
  await expect(room.message(/^number 10000/).element).toBeInViewport()
  expect(frames).toBeGreaterThan(20)
  // What is drawn doesn't grow with the room.
  expect(mostNodes).toBeLessThan(2_000)
})
