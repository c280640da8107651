import { describe, expect, it } from "vitest"
import { startAblyEmulator } from "#realtime/emulators/ably"
import { describeProviderFaults, type RestFault } from "../../testing/describe-provider-faults.ts"
import { createFaultStage } from "../../testing/fault-stage.ts"
import { waitFor } from "../../testing/wait-for.ts"
import { createAblyTransport } from "./client.ts"
import { type AblyPublisherOptions, createAblyPublisher } from "./server.ts"

/** Ably on the emulator; `change` is what is wrong with the environment, given the right key. */
async function startAbly(change: (apiKey: string) => Partial<AblyPublisherOptions> = () => ({})) {
  const emulator = await startAblyEmulator()
  const { endpoint, port, tls } = emulator.clientOptions
  const stage = createFaultStage({
    publisher: createAblyPublisher({
      ...{ apiKey: emulator.key, endpoint, port, tls, timeoutMs: 300 },
      ...change(emulator.key),
    }),
    createTransport: (options) => createAblyTransport({ ...options, retryMs: 20 }),
    deliveryTimeoutMs: 1_000,
  })
  return {
    ...stage,
    emulator,
    async [Symbol.asyncDispose]() {
      await stage[Symbol.asyncDispose]()
      await emulator.close()
    },
  }
}

const faults = {
  unavailable: { fault: "refuse", code: 50000, statusCode: 503 },
  "rate-limited": { fault: "refuse", code: 42910, statusCode: 429 },
  "too-large": { fault: "refuse", code: 40009, statusCode: 413 },
  hang: { fault: "slow", delayMs: 3_600_000 },
  lost: { fault: "abort", when: "after" },
  malformed: { fault: "malformed", when: "after" },
} as const satisfies Record<RestFault, unknown>

describeProviderFaults({
  name: "ably",
  async start() {
    const ably = await startAbly()
    return {
      ...ably,
      dropConnections: () => ably.emulator.dropConnections(),
      breakRest(fault, times) {
        const match = { method: "POST", path: "/messages" }
        const { id, remove } = ably.emulator.faults.add({ ...faults[fault], match, ...(times && { times }) })
        const hits = () => ably.emulator.faults.list().find((active) => active.id === id)?.struck ?? 0
        return { hits, remove }
      },
    }
  },
})

const otherSecret = (apiKey: string) => ({ apiKey: `${apiKey.split(":")[0]}:wrong-secret` })

describe("Ably with the wrong", () => {
  it.each([
    ["app id", (key: string) => ({ apiKey: `other.${key.split(".")[1]}` }), "invalid-config", "ABLY_API_KEY"],
    [
      "key id",
      (key: string) => ({ apiKey: key.replace(/\..*:/, ".other:") }),
      "invalid-config",
      "ABLY_API_KEY",
    ],
    ["secret", otherSecret, "invalid-config", "ABLY_API_KEY"],
    ["endpoint", () => ({ endpoint: "nowhere.invalid" }), "provider-unavailable", "ABLY_ENDPOINT"],
  ] as const)("%s accepts messages and tells the operator which", async (_, change, code, variable) => {
    await using ably = await startAbly(change)
    const room = ably.room()
    expect((await ably.realtime.publish(room, "said", { text: "a" })).seq).toBe(1)
    expect(ably.told).toMatchObject([{ stage: "publish to ably", error: { code } }])
    expect(ably.told[0]?.error.message).toContain(variable)
    expect(ably.told[0]?.error.message).not.toContain("wrong-secret")
  })

  it("secret keeps the page from connecting, with the reason", async () => {
    await using ably = await startAbly(otherSecret)
    const page = ably.openPage()
    page.join(ably.room())
    const error = await waitFor(() => page.client.connection.status.error)
    expect(error).toMatchObject({ code: "invalid-config" })
    expect(error.message).toContain("ABLY_API_KEY")
    expect(page.states).not.toContain("connected")
  })
})
