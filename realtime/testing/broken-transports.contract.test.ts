import { beforeAll, describe, expect, it } from "vitest"
import type { RealtimeTransport } from "../transport.ts"
import { brokenTransports } from "./broken-transports.ts"
import { startMemoryBackend } from "./memory-backend.ts"
import { transportChecks, withStage } from "./transport-contract/index.ts"
import { waitLimit } from "./wait-for.ts"

/** The first check that a transport fails, as the contract reports it. */
async function firstFailure(
  wrap: (typeof brokenTransports)[string],
  checks = transportChecks,
): Promise<string | null> {
  for (const check of checks) {
    try {
      await withStage(() => startMemoryBackend({ wrap }), check.run)
    } catch {
      return `${check.suite}: ${check.name}`
    }
  }
  return null
}

it("the contract takes a transport whose first attempt takes long, and that says so", async () => {
  const slow = (transport: RealtimeTransport): RealtimeTransport => {
    const onStatus: RealtimeTransport["onStatus"] = (listener) =>
      transport.onStatus((status) => {
        if (status.state === "connected") listener({ state: "suspended" })
        listener(status)
      })
    return Object.create(transport, { onStatus: { value: onStatus } })
  }
  const connection = transportChecks.filter(({ suite }) => suite === "connection")
  expect(await firstFailure(slow, connection)).toBeNull()
})

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
