import { createFormatter } from "next-intl"
import { expect, it } from "vitest"
import { whenIn } from "./when.ts"

it.each([
  [1, "in 1 minute", "1 分後"],
  [60_000, "in 1 minute", "1 分後"],
  [60_001, "in 2 minutes", "2 分後"],
  [59 * 60_000, "in 59 minutes", "59 分後"],
  [90 * 60_000 + 1, "in 2 hours", "2 時間後"],
  [23.5 * 60 * 60_000, "in 24 hours", "24 時間後"],
])("%i ms is said in whole minutes or hours, rounded up", (ms, en, ja) => {
  const said = (["en", "ja"] as const).map((locale) => whenIn(createFormatter({ locale }), ms))
  expect(said).toEqual([en, ja])
})
