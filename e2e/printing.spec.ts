import type { Page } from "@playwright/test"
import { expect, test } from "./fixtures.ts"
import { fill } from "./publish.ts"

/** What a reader of the paper sees of a conversation, in its order. */
const printedTexts = (page: Page) => page.locator("[data-print]").getByTestId("message-text")

/** Scrolls up until the page has loaded a message. */
async function load(page: Page, text: string): Promise<void> {
  const log = page.getByRole("log")
  const wanted = log.getByText(text, { exact: true })
  await expect(async () => {
    await log.evaluate((element) => element.scrollTo(0, 0))
    await expect(wanted).toHaveCount(1, { timeout: 1_000 })
  }).toPass()
}

test("a room is printed as its conversation: all that is loaded, black on white, in as many pages as it needs", async ({
  people,
  chat,
}) => {
  const alice = await people.signIn("Alice", { colorScheme: "dark" })
  const { page, texts } = alice
  const room = await alice.createRoom("Minutes")
  await fill(chat, room, 100)
  await alice.openRoom(room.url)
  const expected = Array.from({ length: 100 }, (_, index) => `number ${index + 1}`)
  await load(page, "number 4")
  await load(page, texts.messages.start)
  // At its beginning only a part of it stands in the document.
  await expect(room.written.filter({ hasText: "number 90" })).toHaveCount(0)

  // The browser asks for the paper's version by itself.
  await page.evaluate(() => {
    window.addEventListener("beforeprint", () => {
      const printed = [...document.querySelectorAll("[data-print] [data-testid=message-text]")]
      Object.assign(window, {
        printed: printed.map(({ textContent }) => textContent?.match(/^number \d+/)?.[0]),
      })
    })
  })
  const pdf = (await page.pdf({ format: "A4" })).toString("latin1")
  expect(await page.evaluate(() => (window as unknown as { printed?: string[] }).printed)).toEqual(expected)
  // Some hundred and fifty lines, each with space around it.
  expect(pdf.match(/\/Type\s*\/Page\b/g)?.length).toBeGreaterThan(4)
  await expect(page.locator("[data-print]")).toHaveCount(0)

  // The same, to be looked at.
  await page.emulateMedia({ media: "print" })
  await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")))
  await expect(printedTexts(page)).toHaveCount(100)
  await expect(page.getByRole("heading", { name: "Minutes", level: 1 })).toHaveCount(1)
  await expect(page.locator("[data-print]").getByText(texts.messages.start)).toBeVisible()
  const visibleElsewhere = await page.evaluate(() =>
    [...document.body.querySelectorAll("body *")]
      .filter((element) => !element.closest("[data-print]") && element.checkVisibility())
      .map(({ outerHTML }) => outerHTML),
  )
  expect(visibleElsewhere).toEqual([])
  const looks = await printedTexts(page).evaluateAll((elements) =>
    elements.map((element) => {
      const { top, bottom } = element.getBoundingClientRect()
      return { top, bottom, color: getComputedStyle(element).color }
    }),
  )
  expect(new Set(looks.map(({ color }) => color))).toEqual(new Set(["rgb(0, 0, 0)"]))
  await expect(page.locator("body")).toHaveCSS("background-color", "rgb(255, 255, 255)")
  for (const [index, { top }] of looks.entries())
    if (index > 0) expect(top).toBeGreaterThanOrEqual(looks[index - 1]?.bottom ?? 0)

  await page.emulateMedia({ media: "screen" })
  await page.evaluate(() => window.dispatchEvent(new Event("afterprint")))
  await expect(page.locator("[data-print]")).toHaveCount(0)
  await expect(room.composer).toBeVisible()
})

test("a print that isn't of the whole room says so, and names who wrote, oneself too, and the day", async ({
  people,
  chat,
}) => {
  const alice = await people.signIn("Alice", { locale: "ja-JP" })
  const { page, texts } = alice
  const room = await alice.createRoom("議事録")
  await fill(chat, room, 100)
  await alice.openRoom(room.url)
  await room.send("以上です")
  await room.expectAllSent()
  await page.emulateMedia({ media: "print" })
  await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")))
  const paper = page.locator("[data-print]")
  await expect(paper.getByText(texts.messages.printedLoaded)).toBeVisible()
  await expect(paper.getByText(texts.messages.start)).toHaveCount(0)
  await expect(paper.getByText("Alice", { exact: true })).toBeVisible()
  await expect(paper.getByTestId("day").last()).toHaveText(/^\d{4}年\d+月\d+日/)
})
