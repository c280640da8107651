import {
  type AblyEmulator,
  type AblyEmulatorOptions,
  createManualClock,
  startAblyEmulator,
} from "throughline-emulators/ably"
import { describe, expect, it } from "vitest"
import { describeProviderFaults, type RestFault } from "../../testing/describe-provider-faults.ts"
import { createFaultStage } from "../../testing/fault-stage.ts"
import { waitFor } from "../../testing/wait-for.ts"
import { createAblyTransport } from "./client.ts"
import { type AblyPublisherOptions, createAblyPublisher } from "./server.ts"

/** Ably on the emulator; `change` is what is wrong with the server or its environment. */
async function startAbly(
  change: (emulator: AblyEmulator) => Partial<AblyPublisherOptions> = () => ({}),
  { deliveryTimeoutMs, ...options }: AblyEmulatorOptions & { deliveryTimeoutMs?: number | undefined } = {},
) {
  const emulator = await startAblyEmulator(options)
  const { endpoint, port, tls } = emulator.clientOptions
  const stage = createFaultStage({
    publisher: createAblyPublisher({
      ...{ apiKey: emulator.key, endpoint, port, tls },
      ...change(emulator),
    }),
    createTransport: (options) => createAblyTransport({ ...options, retryMs: 20 }),
    ...(deliveryTimeoutMs !== undefined && { deliveryTimeoutMs }),
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
  cut: { fault: "abort", when: "before" },
  lost: { fault: "abort", when: "after" },
  malformed: { fault: "malformed", when: "after" },
} as const satisfies Record<RestFault, unknown>

describeProviderFaults({
  name: "ably",
  async start({ timeoutMs, deliveryTimeoutMs } = {}) {
    const ably = await startAbly(() => ({ ...(timeoutMs && { timeoutMs }) }), { deliveryTimeoutMs })
    return {
      ...ably,
      dropConnections: () => ably.emulator.dropConnections(),
      failConnections: () => ably.emulator.fail({}, 40400),
      breakRest(fault, times) {
        const match = { method: "POST", path: "/messages" }
        const { id, remove } = ably.emulator.faults.add({ ...faults[fault], match, ...(times && { times }) })
        const hits = () => ably.emulator.faults.list().find((active) => active.id === id)?.struck ?? 0
        return { hits, remove }
      },
    }
  },
})

const otherSecret = ({ key }: AblyEmulator) => ({ apiKey: `${key.split(":")[0]}:wrong-secret` })
const otherApp = ({ key }: AblyEmulator) => ({ apiKey: `other.${key.split(".")[1]}` })
const otherKeyId = ({ key }: AblyEmulator) => ({ apiKey: key.replace(/\..*:/, ".other:") })

describe("Ably with the wrong", () => {
  it.each([
    ["app id", otherApp, "invalid-config", "ABLY_API_KEY"],
    ["key id", otherKeyId, "invalid-config", "ABLY_API_KEY"],
    ["secret", otherSecret, "invalid-config", "ABLY_API_KEY"],
    ["port", () => ({ port: 1 }), "provider-unavailable", "ABLY_PORT"],
  ] as const)("%s accepts messages and tells the operator which", async (_, change, code, variable) => {
    await using ably = await startAbly(change, { deliveryTimeoutMs: 1_000 })
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

const minutes = 60_000

describe("a token of Ably's that ends in mid-conversation", () => {
  it("is renewed before, over the connection, for as long as the conversation lasts", async () => {
    const clock = createManualClock()
    await using ably = await startAbly(() => ({ now: clock.now }), { clock })
    const room = ably.room()
    const page = ably.openPage()
    const { texts, subscription, wasDetached } = page.join(room)
    await subscription.ready
    const [connection] = [...ably.emulator.service.apps.values()].flatMap((app) => [
      ...app.connections.values(),
    ])
    const isRenewed = () => (connection?.credentials.token?.expires ?? 0) > clock.now() + 30 * minutes
    const said: string[] = []
    for (let hour = 1; hour <= 3; hour += 1) {
      for (const text of [`${hour}a`, `${hour}b`]) {
        said.push(text)
        await ably.realtime.publish(room, "said", { text })
        // Together half a minute less than an hour: the service asks for the next token then.
        clock.advance(29.75 * minutes)
      }
      await waitFor(isRenewed, "the next token")
    }
    expect(ably.requests.length).toBeGreaterThanOrEqual(4)
    await waitFor(() => texts.length === said.length)
    expect(texts).toEqual(said)
    expect(page.states).toEqual(["connected"])
    expect(wasDetached()).toBe(false)
  })

  it("by surprise costs no message, while messages flow", async () => {
    await using ably = await startAbly()
    const room = ably.room()
    const page = ably.openPage()
    const { texts, subscription } = page.join(room)
    await subscription.ready
    const said = Array.from({ length: 60 }, (_, index) => String(index))
    for (const text of said) {
      if (text === "10") ably.emulator.requestReauth()
      if (text === "20") ably.emulator.expireTokens()
      if (text === "40") ably.emulator.revokeTokens()
      await ably.realtime.publish(room, "said", { text })
    }
    await waitFor(() => texts.length >= said.length)
    expect(texts).toEqual(said)
    expect(page.client.connection.status.state).toBe("connected")
    expect(ably.requests.length).toBeGreaterThanOrEqual(4)
  })

  it("and can't be had for a while is asked for again, and nothing is lost", async () => {
    await using ably = await startAbly()
    const room = ably.room()
    const { texts, subscription } = ably.openPage().join(room)
    await subscription.ready
    let failures = 0
    ably.intercept(() => (failures++ < 3 ? new Response(null, { status: 500 }) : undefined))
    ably.emulator.expireTokens()
    await ably.realtime.publish(room, "said", { text: "meanwhile" })
    await waitFor(() => texts.length === 1)
    expect(failures).toBeGreaterThan(3)
  })

  it("and is refused, since nobody is signed in any more, fails the connection, once", async () => {
    await using ably = await startAbly()
    const page = ably.openPage()
    await page.join(ably.room()).subscription.ready
    ably.requests.length = 0
    ably.intercept(() => Response.json({ error: { code: "unauthorized", message: "x" } }, { status: 401 }))
    ably.emulator.expireTokens()
    await waitFor(() => page.client.connection.status.state === "failed")
    expect(page.client.connection.status.error).toMatchObject({ code: "unauthorized", retryable: false })
    expect(ably.requests.length).toBe(1)
  })
})

describe("channels of Ably's that are joined one after another", () => {
  it("are all joined, whatever was being asked for meanwhile", async () => {
    await using ably = await startAbly()
    const rooms = [ably.room(), ably.room(), ably.room()]
    const page = ably.openPage()
    await page.join(rooms[0] as (typeof rooms)[0]).subscription.ready
    ably.intercept((body) => {
      const asked = (body.channels as string[]).length
      const next = rooms[asked]
      if (next) page.join(next)
      return undefined
    })
    page.join(rooms[1] as (typeof rooms)[0])
    await waitFor(() => rooms.every((room) => page.client.channel(room).status.state === "attached"))
  })
})

describe("a channel that Ably refuses", () => {
  it("is told so, and may be joined anew", async () => {
    await using ably = await startAbly()
    const room = ably.room()
    const page = ably.openPage()
    ably.emulator.faults.add({ fault: "channel-error", code: 40160, times: 1, match: { action: "ATTACH" } })
    const refused = page.join(room)
    await expect(refused.subscription.ready).rejects.toMatchObject({ code: "channel-denied" })
    expect(page.states).toEqual(["connected"])
    refused.subscription.unsubscribe()
    await waitFor(() => page.client.channel(room).status.state === "idle")
    await page.join(room).subscription.ready
  })
})

describe("Ably with a clock that is off", () => {
  const off = (byMinutes: number, tokenTtlMs?: number) => () => ({
    now: () => Date.now() + byMinutes * minutes,
    ...(tokenTtlMs !== undefined && { tokenTtlMs }),
  })

  it("on the server, by 20 minutes behind, goes on: a token lasts an hour", async () => {
    await using ably = await startAbly(off(-20))
    const room = ably.room()
    const { texts, subscription } = ably.openPage().join(room)
    await subscription.ready
    await ably.realtime.publish(room, "said", { text: "a" })
    await waitFor(() => texts.length === 1)
    expect(ably.told).toEqual([])
  })

  it.each([
    ["ahead", off(20), "invalid-config"],
    ["behind, with tokens of ten minutes", off(-20, 10 * minutes), "provider-unavailable"],
  ] as const)(
    "on the server, by 20 minutes %s, tells the page; the server publishes",
    async (_, change, code) => {
      await using ably = await startAbly(change)
      const page = ably.openPage()
      page.join(ably.room())
      const error = await waitFor(() => page.client.connection.status.error)
      expect(error.code).toBe(code)
      expect(error.message).toContain("the server's clock")
      expect(page.states).not.toContain("connected")
      await ably.realtime.publish(ably.room(), "said", { text: "a" })
      expect(ably.told).toEqual([])
    },
  )

  it.each([20, -20])("on the page alone, by %d minutes, changes nothing", async (byMinutes) => {
    // The others are off by as much in the other direction.
    await using ably = await startAbly(off(-byMinutes))
    ably.emulator.clock.skewMs = -byMinutes * minutes
    const room = ably.room()
    const page = ably.openPage()
    const { texts, subscription } = page.join(room)
    await subscription.ready
    await ably.realtime.publish(room, "said", { text: "a" })
    ably.emulator.requestReauth()
    await waitFor(() => ably.requests.length === 2)
    await ably.realtime.publish(room, "said", { text: "b" })
    await waitFor(() => texts.length === 2)
    expect(texts).toEqual(["a", "b"])
    expect(page.states).toEqual(["connected"])
    expect(ably.told).toEqual([])
  })
})
