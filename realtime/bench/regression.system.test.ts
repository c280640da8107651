import { describe, expect, it } from "vitest"
import { findPostgres } from "../testing/postgres.ts"
import { findRedis } from "../testing/redis.ts"
import { measure } from "./load.ts"
import { quiet, scenarios } from "./scenarios.ts"

/**
 * What a delivery may cost beside the control, in CPU time of the servers alone, which a busy machine
 * charges to nobody else. Two to three times what it is: this finds what has become several times dearer.
 * `npm run bench` holds the tight bounds.
 */
const bounds: readonly (readonly [scenario: RegExp, ratio: number])[] = [
  [/^fan-out .* saturated$/, 1],
  [/^fan-out .* messages\/s$/, 2.5],
  [/^\d+ rooms .* messages\/s$/, 2.5],
  [/^\d+ rooms .* saturated$/, 2.5],
  [/io\.emit to everyone$/, 0.9],
  [/^one to one/, 5],
  [/^two gateways, \d+ rooms/, 2],
  [/^two gateways, fan-out/, 1.2],
]

const lacking = [...(findRedis() ? [] : ["Redis"]), ...(findPostgres() ? [] : ["PostgreSQL"])]

describe("a delivery hasn't become several times dearer than its control's", () => {
  // With few subscribers and messages: it is a look, not a measurement.
  for (const scenario of [...scenarios(0.4), quiet]) {
    const isLacking = scenario.name.startsWith("two gateways") && lacking.length > 0
    const unless = isLacking ? ` (skipped: ${lacking.join(" and ")} not found)` : ""
    it.skipIf(isLacking)(`${scenario.name}${unless}`, { timeout: 120_000 }, async () => {
      const [, bound] = bounds.find(([name]) => name.test(scenario.name)) ?? []
      const short = { ...scenario, messages: Math.ceil(scenario.messages / 8) }
      const control = await measure(scenario.control, short)
      const ours = await measure(scenario.ours, short)
      expect(ours["CPU per delivery"] / control["CPU per delivery"]).toBeLessThan(bound ?? 0)
    })
  }
})
