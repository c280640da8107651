import type { Page } from "@playwright/test"
import type { RoomPage } from "./pages/room-page.ts"

/** From the top to the end, so many screens a frame; what that costs the page. */
export async function scrollThrough(page: Page, room: RoomPage, screens: number) {
  const figures = await room.log.evaluate(async (element, screens) => {
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
      element.scrollBy(0, screens * element.clientHeight)
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
  }, screens)
  return { ...figures, heapMB: await heapMBOf(page) }
}

/** What the page's script has in memory, in MB. */
export const heapMBOf = (page: Page): Promise<number> =>
  page.evaluate(() => {
    const { memory } = performance as Performance & { memory?: { usedJSHeapSize: number } }
    return Math.round((memory?.usedJSHeapSize ?? 0) / 1e6)
  })
