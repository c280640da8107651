import { AxeBuilder } from "@axe-core/playwright"
import type { Page } from "@playwright/test"
import { expect } from "./fixtures.ts"

/** Axe finds nothing at all, in words that say where if it does. */
export async function expectAccessible(page: Page): Promise<void> {
  let found = await violationsOn(page)
  // What came while it looked may have been on its way still: what is wrong with it for good is wrong the second time.
  if (found.length > 0) found = await violationsOn(page)
  expect(found).toEqual([])
}

/** Nothing that moves or changes its colour is on its way any more. */
export async function settle(page: Page): Promise<void> {
  // What opens begins to move a frame later.
  await page.evaluate(async () => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve))
    const moving = () =>
      document.getAnimations().filter(({ effect, playState }) => {
        return playState === "running" && effect?.getTiming().iterations !== Number.POSITIVE_INFINITY
      })
    do {
      await frame()
      await frame()
      await Promise.all(moving().map(({ finished }) => finished.catch(() => null)))
    } while (moving().length > 0)
  })
}

async function violationsOn(page: Page): Promise<string[]> {
  // A colour on its way to another is no colour to judge.
  await settle(page)
  // A menu stands at the end of the page, in no part of it, for as long as it is open; everything else has to be in one.
  const reports = [
    await new AxeBuilder({ page }).disableRules("region").analyze(),
    await new AxeBuilder({ page }).withRules("region").exclude("[role=menu]").analyze(),
  ]
  const violations = reports.flatMap((report) => report.violations)
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
  )
}

export async function expectNothingSticksOut(page: Page): Promise<void> {
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  expect(overflow).toBeLessThanOrEqual(0)
}
