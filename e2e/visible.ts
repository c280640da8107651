import type { Page } from "@playwright/test"

/** What tells a page that it can be seen, or that its tab is behind another. */
export async function setVisible(page: Page, isVisible: boolean): Promise<void> {
  await page.evaluate(
    (value) => {
      Object.defineProperty(document, "visibilityState", { configurable: true, value })
      document.dispatchEvent(new Event("visibilitychange"))
    },
    isVisible ? "visible" : "hidden",
  )
}
