import AxeBuilder from "@axe-core/playwright"
import type { Page } from "@playwright/test"
import { expect, test } from "./fixtures.ts"

const counter = (page: Page, score: "alone" | "contract", name: "lost" | "repeated" | "outOfOrder") =>
  page.getByTestId(`score-${score}`).locator(`[data-counter=${name}]`)

test("the laboratory spoils what the SDK delivers, and nothing of what the page shows", async ({
  people,
  layout,
}) => {
  const alice = await people.signIn("Alice")
  const { page, texts } = alice
  await page.goto("/lab")
  const ben = page.getByTestId("side-right")
  const aki = page.getByTestId("side-left")
  for (const side of [aki, ben]) await expect(side.locator("[data-state=connected]")).toBeVisible()

  const fault = (side: typeof aki, name: "drop" | "duplicate" | "reorder" | "delay") =>
    side.getByRole("button", { name: texts.lab[name] })
  await fault(aki, "delay").click()
  await page.getByRole("button", { name: texts.lab.storm }).click()
  for (const name of ["drop", "duplicate", "reorder", "delay"] as const)
    for (const side of [aki, ben]) await expect(fault(side, name)).toHaveAttribute("aria-pressed", "true")
  for (const name of ["lost", "repeated", "outOfOrder"] as const)
    await expect.poll(async () => Number(await counter(page, "alone", name).textContent())).toBeGreaterThan(0)

  // A page on the SDK alone would show it.
  const alone = ben.getByRole("list", { name: texts.lab.aloneList })
  for (const kind of ["missing", "repeated", "late"])
    await expect(alone.locator(`[data-kind=${kind}]`).first()).toBeAttached()

  await aki.getByRole("button", { name: texts.lab.cut }).click()
  await expect(aki.locator("[data-state=connected]")).toHaveCount(0)
  // The gap opens in the picture.
  await expect(aki.getByTestId("gap")).toBeVisible()
  await aki.getByRole("button", { name: texts.lab.expire }).click()
  if (layout === "failover") {
    await ben.getByRole("button", { name: "Ably", exact: true }).click()
    await expect(ben.locator("[data-state=connected]")).toContainText("Ably")
    await ben.getByRole("button", { name: texts.lab.fail }).click()
    await expect(ben.locator("[data-state=connected]")).toContainText("Pusher")
  }
  await aki.getByRole("button", { name: texts.lab.cut }).click()
  await expect(aki.locator("[data-state=connected]")).toBeVisible()
  // All of it is over when the last ones have been counted.
  await page.getByRole("button", { name: texts.lab.calm }).click()
  await page.getByRole("button", { name: texts.lab.pause }).click()
  await expect(page.getByTestId("gap")).toHaveCount(0)
  for (const side of [aki, ben]) {
    const shown = side.getByRole("list", { name: texts.lab.contractList }).getByRole("listitem")
    const numbers = (await shown.allTextContents()).map(Number)
    expect(numbers.length).toBeGreaterThan(1)
    expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index))
  }
  for (const name of ["lost", "repeated", "outOfOrder"] as const)
    await expect(counter(page, "contract", name)).toHaveText("0")
})

test("the laboratory can be used by everybody, on a phone too", async ({ people }) => {
  const aiko = await people.signIn("愛子", { locale: "ja-JP", viewport: { width: 320, height: 700 } })
  const { page } = aiko
  await page.goto("/lab")
  await expect(page.getByTestId("side-left").locator("[data-state=connected]")).toBeVisible()
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  expect(overflow).toBeLessThanOrEqual(0)
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
})
