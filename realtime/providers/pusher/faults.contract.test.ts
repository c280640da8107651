import { startPusherEmulator, systemClock } from "throughline-emulators/pusher"
import { describe, expect, it, vi } from "vitest"
import type { RealtimePublisher } from "../../publisher.ts"
import { describeProviderFaults, type RestFault } from "../../testing/describe-provider-faults.ts"
import { createFaultStage } from "../../testing/fault-stage.ts"
import { waitFor } from "../../testing/wait-for.ts"
import { createPusherTransport, type PusherTransportOptions } from "./client.ts"
import { createPusherPublisher, type PusherPublisherOptions } from "./server.ts"

const app = { id: "1", key: "app-key", secret: "app-secret" }

/** Pusher on the emulator; `change` is what is wrong with the environment. */
async function startPusher(
  change: Partial<PusherPublisherOptions> = {},
  deliveryTimeoutMs?: number,
  patience: Pick<PusherTransportOptions, "silenceMs" | "answerMs"> = {},
) {
  const emulator = await startPusherEmulator({ apps: [app] })
  const { appId, key, secret, host, port } = emulator.serverOptions()
  const stage = createFaultStage({
    publisher: createPusherPublisher({
      ...{ appId, key, secret, cluster: "mt1", host, port: Number(port), tls: false },
      ...change,
    }),
    createTransport: (options) =>
      createPusherTransport({ ...options, ...patience, retryMs: 10, unavailableTimeoutMs: 500 }),
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

const route = "batch_events" as const
const faults = {
  unavailable: { kind: "http-refuse", route, status: 503 },
  "rate-limited": { kind: "http-refuse", route, status: 429 },
  "too-large": { kind: "http-refuse", route, status: 413 },
  hang: { kind: "http-hang", route },
  cut: { kind: "http-cut", route, at: "request" },
  lost: { kind: "http-cut", route, at: "response" },
  malformed: { kind: "http-malformed", route },
} as const satisfies Record<RestFault, unknown>

describeProviderFaults({
  name: "pusher",
  async start(limits) {
    const pusher = await startPusher(limits && { timeoutMs: limits.timeoutMs }, limits?.deliveryTimeoutMs)
    return {
      ...pusher,
      dropConnections: () => void pusher.emulator.dropConnections(),
      failConnections: () => void pusher.emulator.faults.inject({ kind: "close", code: 4001 }),
      breakRest(fault, times) {
        const active = pusher.emulator.faults.inject({ ...faults[fault], ...(times && { times }) })
        return { hits: () => active.hits, remove: () => active.remove() }
      },
    }
  },
})

describe("Pusher with the wrong", () => {
  it.each([
    ["app id", { appId: "2" }, "invalid-config", "PUSHER_APP_ID"],
    ["key", { key: "wrong-key" }, "invalid-config", "PUSHER_KEY"],
    ["secret", { secret: "wrong-secret" }, "invalid-config", "PUSHER_SECRET"],
    ["port", { port: 1 }, "provider-unavailable", "PUSHER_PORT"],
  ] as const)("%s accepts messages and tells the operator which", async (_, change, code, variable) => {
    await using pusher = await startPusher(change, 1_000)
    const room = pusher.room()
    expect((await pusher.realtime.publish(room, "said", { text: "a" })).seq).toBe(1)
    expect(pusher.told).toMatchObject([{ stage: "publish to pusher", error: { code } }])
    expect(pusher.told[0]?.error.message).toContain(variable)
    expect(pusher.told[0]?.error.message).not.toContain("wrong-secret")
  })

  it("secret refuses channel and connection, once and for all", async () => {
    await using pusher = await startPusher({ secret: "wrong-secret" })
    const page = pusher.openPage()
    await expect(page.join(pusher.room()).subscription.ready).rejects.toMatchObject({ code: "unauthorized" })
    // The user's own signature is wrong as well, for which the service ends the connection.
    await waitFor(() => page.client.connection.status.state === "failed")
    expect(page.client.connection.status.error).toMatchObject({ code: "unauthorized", retryable: false })
    expect(pusher.requests.length).toBe(1)
  })

  it("key fails the connection, with the reason", async () => {
    await using pusher = await startPusher({ key: "wrong-key" })
    const page = pusher.openPage()
    await waitFor(() => page.client.connection.status.state === "failed")
    expect(page.states).toEqual(["failed"])
    expect(page.client.connection.status.error).toMatchObject({ code: "invalid-config", retryable: false })
    expect(page.client.connection.status.error?.message).toContain("check PUSHER_KEY and PUSHER_CLUSTER")
  })
})

it("a connection to Pusher that ends without a word is noticed, and nothing is missed", async () => {
  await using pusher = await startPusher({}, undefined, { silenceMs: 300, answerMs: 1_000 })
  const room = pusher.room()
  const page = pusher.openPage()
  const { texts, subscription } = page.join(room)
  await subscription.ready
  expect(pusher.emulator.faults.inject({ kind: "half-open", times: 1 }).hits).toBe(1)
  await pusher.realtime.publish(room, "said", { text: "into the void" })
  await waitFor(() => page.states.includes("reconnecting"))
  await waitFor(() => texts.length === 1)
  await pusher.realtime.publish(room, "said", { text: "heard" })
  await waitFor(() => texts.length === 2)
  expect(texts).toEqual(["into the void", "heard"])
})

describe("Pusher with a clock that is off", () => {
  it.each([20, -20])(
    "by %d minutes tells the operator, and what was accepted comes once it is right",
    async (minutes) => {
      await using pusher = await startPusher()
      const room = pusher.room()
      const skew = pusher.emulator.faults.inject({ kind: "clock-skew", skewMs: minutes * 60_000 })
      const { texts, subscription } = pusher.openPage().join(room)
      await subscription.ready
      await pusher.realtime.publish(room, "said", { text: "accepted" })
      expect(pusher.told).toMatchObject([{ error: { code: "invalid-config", retryable: false } }])
      expect(pusher.told[0]?.error.message).toContain("this machine's clock is off")
      skew.remove()
      await pusher.realtime.publish(room, "said", { text: "next" })
      await waitFor(() => texts.length === 2)
      expect(texts).toEqual(["accepted", "next"])
    },
  )
})

/** A publisher whose requests are dated rightly while this process' clock, the page's, is off. */
function withOwnTime(publisher: RealtimePublisher, clock: { offMs: number }): RealtimePublisher {
  return {
    ...publisher,
    publish(messages) {
      const { offMs } = clock
      clock.offMs = 0
      // The library dates and signs the request before it first waits.
      const published = publisher.publish(messages)
      clock.offMs = offMs
      return published
    },
  }
}

describe("a page on Pusher whose clock is off", () => {
  it.each([20, -20])("by %d minutes misses nothing", async (minutes) => {
    const clock = { offMs: 0 }
    const realNow = Date.now
    const now = vi.spyOn(Date, "now").mockImplementation(() => realNow() + clock.offMs)
    await using emulator = await startPusherEmulator({ apps: [app], clock: { ...systemClock, now: realNow } })
    const { appId, key, secret, host, port } = emulator.serverOptions()
    await using stage = createFaultStage({
      publisher: withOwnTime(
        createPusherPublisher({ appId, key, secret, cluster: "mt1", host, port: Number(port), tls: false }),
        clock,
      ),
      createTransport: createPusherTransport,
    })
    clock.offMs = minutes * 60_000
    const room = stage.room()
    const page = stage.openPage()
    const { texts, subscription } = page.join(room)
    await subscription.ready
    await stage.realtime.publish(room, "said", { text: "a" })
    emulator.dropConnections()
    await stage.realtime.publish(room, "said", { text: "b" })
    await waitFor(() => texts.length === 2)
    expect(texts).toEqual(["a", "b"])
    expect([stage.told, page.errors]).toEqual([[], []])
    now.mockRestore()
  })
})

describe("a signal by way of the server", () => {
  it("that Pusher doesn't take is refused at once: what is typed now is nobody's business later", async () => {
    await using pusher = await startPusher()
    const down = pusher.emulator.faults.inject({ kind: "http-refuse", route, status: 503 })
    const room = pusher.room()
    const page = pusher.openPage()
    await page.join(room).subscription.ready
    await expect(page.client.channel(room).signal("typing", { isTyping: true })).rejects.toMatchObject({
      code: "provider-unavailable",
      retryable: true,
    })
    expect(down.hits).toBe(1)
  })
})

describe("Pusher's own limits", () => {
  it("of the app, over its quota of messages, are told once for each publish", async () => {
    await using pusher = await startPusher()
    const quota = pusher.emulator.faults.inject({ kind: "over-quota", quota: "messages" })
    await pusher.realtime.publish(pusher.room(), "said", { text: "a" })
    expect(pusher.told).toMatchObject([{ error: { code: "rate-limited", retryable: false } }])
    expect(quota.hits).toBe(1)
  })

  it("of connections fail the connection until it is tried again", async () => {
    await using pusher = await startPusher()
    const quota = pusher.emulator.faults.inject({ kind: "over-quota", quota: "connections" })
    const page = pusher.openPage()
    await waitFor(() => page.client.connection.status.state === "failed")
    expect(page.client.connection.status.error).toMatchObject({ code: "rate-limited" })
    quota.remove()
    page.client.connection.retry()
    await waitFor(() => page.client.connection.status.state === "connected")
    expect(page.client.connection.status.error).toBeUndefined()
  })

  it.each([
    [4100, ["reconnecting", "connected"]],
    [4200, ["reconnecting", "connected"]],
  ])("of one server, by %d, lose nothing", async (code, states) => {
    await using pusher = await startPusher()
    const room = pusher.room()
    const page = pusher.openPage()
    const { texts, subscription } = page.join(room)
    await subscription.ready
    page.statuses.length = 0
    pusher.emulator.faults.inject({ kind: "close", code })
    await waitFor(() => page.states.includes("reconnecting"))
    await pusher.realtime.publish(room, "said", { text: "meanwhile" })
    await waitFor(() => texts.length === 1)
    expect(page.states).toEqual(states)
    expect(page.statuses[0]?.error).toMatchObject({ code: "provider-unavailable", retryable: true })
  })
})
