import { beforeAll, describe, expect, it } from "vitest"
import { brokenTransports } from "./broken-transports.ts"
import { startMemoryBackend } from "./memory-backend.ts"
import { transportChecks, withStage } from "./transport-contract/index.ts"
import { waitLimit } from "./wait-for.ts"

/** The first check that a transport fails, as the contract reports it. */
async function firstFailure(wrap: (typeof brokenTransports)[string]): Promise<string | null> {
  for (const check of transportChecks) {
    try {
      await withStage(() => startMemoryBackend({ wrap }), check.run)
    } catch {
      return `${check.suite}: ${check.name}`
    }
  }
  return null
}

describe("the contract catches a transport that", () => {
  beforeAll(() => {
    waitLimit.ms = 1_500
  })

  for (const [fault, wrap] of Object.entries(brokenTransports)) {
    it.concurrent(fault, async () => {
      expect(await firstFailure(wrap)).not.toBeNull()
    })
  }
})
