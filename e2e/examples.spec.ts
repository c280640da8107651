import { type Browser, type BrowserContextOptions, expect, type Page, test } from "@playwright/test"
import { expectAccessible, expectNothingSticksOut } from "./axe.ts"
import { buildExample, startExample } from "./examples.ts"
import { providers } from "./stranger-people.ts"

/** Two people, each with a browser of their own: one of English on a desk, one of Japanese on a small phone. */
async function openTwo(browser: Browser, url: string) {
  await using opened = new AsyncDisposableStack()
  const open = async (options: BrowserContextOptions) => {
    const context = await browser.newContext(options)
    opened.defer(() => context.close())
    const page = await context.newPage()
    await page.goto(url)
    return page
  }
  const wide = await open({ locale: "en-US", colorScheme: "light", viewport: { width: 1280, height: 720 } })
  const small = await open({
    ...{ locale: "ja-JP", colorScheme: "dark", viewport: { width: 320, height: 640 } },
    reducedMotion: "reduce",
  })
  const stack = opened.move()
  return { wide, small, both: [wide, small], [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

test.describe("live prices", () => {
  test.beforeAll(() => buildExample("prices"))

  const symbols = ["BAD", "BAG", "BAK", "BAL", "BAM", "BAN", "BAP", "BAR"]
  const cells = (page: Page, column: number, rows: readonly string[]) =>
    page.evaluate(
      ([column, rows]) =>
        rows.map(
          (symbol) => document.getElementById(symbol)?.querySelectorAll("td")[column]?.textContent ?? "",
        ),
      [column, rows] as const,
    )
  const pricesOn = (page: Page, rows: readonly string[] = symbols) => cells(page, 0, rows)
  /** In seconds; of an unknown one, NaN. */
  const agesOn = async (page: Page, rows: readonly string[] = symbols) =>
    (await cells(page, 3, rows)).map((age) => Number.parseFloat(age) * (age.endsWith("min") ? 60 : 1))

  const areFresh = (page: Page, rows?: readonly string[]) =>
    expect.poll(async () => (await agesOn(page, rows)).every((age) => age < 2)).toBe(true)
  const areOlderThan = (seconds: number, page: Page) =>
    expect.poll(async () => (await agesOn(page)).every((age) => age > seconds)).toBe(true)
  async function move(page: Page): Promise<void> {
    const before = await pricesOn(page)
    expect(before).not.toContain("")
    await expect.poll(() => pricesOn(page)).not.toEqual(before)
  }

  /** What the log has, as anybody's page reads it. */
  const keptPrices = (page: Page): Promise<string[]> =>
    page.evaluate(async (symbols) => {
      const keys = symbols.map((symbol) => `quote:${symbol}`)
      const answer = await fetch("/api/realtime/state", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ channel: "market:tokyo", keys }),
      })
      const { entries }: { entries: { key: string; value: { price: number } }[] } = await answer.json()
      const { format } = new Intl.NumberFormat("en", { minimumFractionDigits: 1 })
      return keys.map((key) => format(entries.find((entry) => entry.key === key)?.value.price ?? Number.NaN))
    }, symbols)

  for (const provider of providers)
    test(`move on two pages, are of the rows in view, age honestly and outlive a killed server, over ${provider}`, async ({
      browser,
    }) => {
      await using example = await startExample("prices", provider)
      await using people = await openTwo(browser, example.url)
      const { wide, small, both } = people
      const isLive = () =>
        Promise.all([
          expect(wide.getByRole("status")).toHaveText(`● Live · ${provider}`),
          expect(small.getByRole("status")).toHaveText(`● 配信中 · ${provider}`),
        ])
      await isLive()
      await Promise.all(both.map((page) => areFresh(page)))
      await Promise.all(both.map(move))
      const html = await (await wide.request.get(example.url)).text()
      expect(html).toMatch(/<tr[^>]*id="BAD">.*?[\d.]+\.\d<.*?<tr[^>]*id="BAG">/)
      await expect(wide.getByRole("columnheader")).toHaveText(["Symbol", "Price", "Change", "Trend", "Age"])
      await expect(small.getByRole("columnheader")).toHaveText(["銘柄", "価格", "騰落率", "推移", "経過"])
      await expect(small.locator("html")).toHaveAttribute("lang", "ja")

      await expect.poll(() => wide.evaluate(() => document.getAnimations().length)).toBeGreaterThan(0)
      expect(await small.evaluate(() => document.getAnimations().length)).toBe(0)
      // A flash is a colour on its way to another, and one follows the next.
      await wide.emulateMedia({ reducedMotion: "reduce" })
      for (const page of both) {
        await expectNothingSticksOut(page)
        await expectAccessible(page)
      }

      const last = ["TUR", "TUT", "TUX"]
      await small.locator("#TUX").scrollIntoViewIfNeeded()
      await areFresh(small, last)
      expect(await pricesOn(small)).toEqual(symbols.map(() => ""))
      await small.locator("#BAD").scrollIntoViewIfNeeded()
      await areFresh(small)

      await example.kill()
      await Promise.all(both.map((page) => areOlderThan(3, page)))
      await expectAccessible(wide)

      // Without its feed the last values stand still, and are the log's on every page.
      await example.start({ FEED: "elsewhere" })
      for (const page of both) await page.evaluate(() => window.dispatchEvent(new Event("online")))
      await isLive()
      const kept = await keptPrices(wide)
      for (const page of both) await expect.poll(() => pricesOn(page)).toEqual(kept)
      await Promise.all(both.map((page) => areOlderThan(3, page)))

      await example.kill()
      await example.start()
      await isLive()
      await Promise.all(both.map((page) => areFresh(page)))
      await Promise.all(both.map(move))
    })
})
