import type { Page } from "@playwright/test"
import { messagePath } from "../lib/chat/message-link.ts"
import { record } from "./figures.ts"
import { expect, test } from "./fixtures.ts"
import type { RoomPage } from "./pages/room-page.ts"
import { fill, roomIdOf } from "./publish.ts"

test("ten thousand messages leave a small page", async ({ people, chat }, testInfo) => {
  const alice = await people.signIn("Alice")
  const room = await alice.createRoom("Years")
  const first = await fill(chat, room, 10_000)
  await alice.openRoom(new URL(messagePath(roomIdOf(room), first), chat.url).href)
  await expect(room.message("number 1 and another line").element).toBeInViewport()

  const figures = await scrollThrough(alice.page, room)
  record(testInfo, { table: "scrolling through 10,000 messages", row: "top to end", cells: figures })
  await expect(room.message(/^number 10000/).element).toBeInViewport()
  expect(figures.frames).toBeGreaterThan(200)
  // What is drawn doesn't grow with the room.
  expect(figures.mostNodes).toBeLessThan(2_000)
  expect(figures.blankFrames).toBe(0)
})

/** From the top to the end, three screens a frame, as with a fast wheel; what that costs the page. */
async function scrollThrough(page: Page, room: RoomPage) {
  const figures = await room.log.evaluate(async (element) => {
    const tasks: number[] = []
    const observer = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) tasks.push(Math.round(duration))
    })
    observer.observe({ type: "longtask" })
    let mostNodes = 0
    let frames = 0
    let blank = 0
    element.scrollTo(0, 0)
    const isAtEnd = () => element.scrollHeight - element.scrollTop - element.clientHeight < 2
    while (!isAtEnd()) {
      element.scrollBy(0, 3 * element.clientHeight)
      await new Promise((resolve) => requestAnimationFrame(resolve))
      frames += 1
      mostNodes = Math.max(mostNodes, document.querySelectorAll("*").length)
      // While it scrolls, what is drawn isn't found by the pointer.
      const { top, bottom } = element.getBoundingClientRect()
      const isSeen = (message: Element) => {
        const box = message.getBoundingClientRect()
        return box.bottom > top && box.top < bottom
      }
      if (![...element.querySelectorAll("[data-message]")].some(isSeen)) blank += 1
    }
    observer.disconnect()
    const longestTaskMs = Math.max(0, ...tasks)
    return { frames, blankFrames: blank, mostNodes, longTasks: tasks.length, longestTaskMs }
  })
  const { usedHeap } = await page.evaluate(() => ({
    usedHeap:
      (performance as Performance & { memory?: { usedJSHeapSize: number } }).memory?.usedJSHeapSize ?? 0,
  }))
  return { ...figures, heapMB: Math.round(usedHeap / 1e6) }
}
