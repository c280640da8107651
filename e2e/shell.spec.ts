import { AxeBuilder } from "@axe-core/playwright"
import type { Page } from "@playwright/test"
import { expect, test } from "./fixtures.ts"
import { textsOf } from "./texts.ts"

/** What axe calls serious or critical, in words that say where. */
async function seriousFindings(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`))
}

const widthOf = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth)

for (const locale of ["en-US", "ja-JP"]) {
  test(`the whole way from the door to a message, in ${locale}`, async ({ people }) => {
    const texts = textsOf(locale)
    const aki = await people.signIn("秋", { locale })
    await expect(aki.page.locator("html")).toHaveAttribute("lang", locale.slice(0, 2))
    const room = await aki.createRoom("港 / 8:30 🚢")
    await expect(room.log).toContainText(texts.messages.created.replace("{name}", ""))
    await room.send("こんにちは、世界")
    await room.expectWritten(["こんにちは、世界"])
    await room.expectAllSent()
  })
}

test("the other language is one click away, and stays", async ({ page }) => {
  await page.goto("/")
  await page.getByRole("button", { name: "日本語" }).click()
  const { welcome } = textsOf("ja")
  await expect(page.getByRole("heading", { name: welcome.title })).toBeVisible()
  await page.reload()
  await expect(page.getByRole("heading", { name: welcome.title })).toBeVisible()
  await expect(page.locator("html")).toHaveAttribute("lang", "ja")
})

test("at 320 px everything is in reach, and nothing sticks out", async ({ people }) => {
  const alice = await people.signIn("Alice", { viewport: { width: 320, height: 568 } })
  const room = await alice.createRoom("A room with a name that is much longer than a narrow screen")
  await room.send(
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft".repeat(3),
  )
  await expect(room.written).toHaveCount(1)
  await expect(room.composer).toBeInViewport({ ratio: 1 })
  expect(await widthOf(alice.page)).toBeLessThanOrEqual(320)
})

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing serious, in ${colorScheme}`, async ({ people, browser, chat }) => {
    const context = await browser.newContext({ baseURL: chat.url, colorScheme })
    const door = await context.newPage()
    await door.goto("/")
    expect(await seriousFindings(door)).toEqual([])
    await context.close()

    const alice = await people.signIn("Alice", { colorScheme })
    const bob = await people.signIn("Bob", { colorScheme })
    const hers = await alice.createRoom("Accessible")
    const his = await bob.joinRoom(hers.url)
    await hers.send("from Alice")
    await his.send("from Bob")
    await hers.expectWritten(["from Alice", "from Bob"])
    await hers.expectPresent(["Alice", "Bob"])
    expect(await seriousFindings(alice.page)).toEqual([])
  })
}
