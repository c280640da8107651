import { describe, expect, it, vi } from "vitest"
import { RealtimeError, type RealtimeErrorCode } from "../errors.ts"
import type { Signal, WireMessage } from "../message.ts"
import type { RealtimePublisher } from "../publisher.ts"
import { createDelivery } from "./delivery.ts"

const message: WireMessage = {
  ...{ id: "01900000-0000-7000-8000-000000000000", channel: "room:1", seq: 1, epoch: "e" },
  ...{ event: "said", payload: null, from: null, at: 1 },
}

const signal: Signal = {
  ...{ id: "s", channel: "room:1", event: "typing", payload: 1, from: { id: "alice" }, at: 1 },
}

/** A provider that answers its requests as listed, and the last of these from then on. */
function createProvider(provider: string, ...answers: (() => Promise<void>)[]) {
  const calls: (readonly WireMessage[])[] = []
  const signals: Signal[] = []
  const publisher = {
    provider,
    signal: async (sent: Signal) => void signals.push(sent),
    publish(messages: readonly WireMessage[]) {
      calls.push(messages)
      return (answers[calls.length - 1] ?? answers.at(-1) ?? (async () => {}))()
    },
  } as RealtimePublisher
  return { calls, signals, publisher }
}

const fail = (code: RealtimeErrorCode, retryAfterMs?: number) => () =>
  Promise.reject(new RealtimeError(code, { message: "x", retryAfterMs }))
const succeed = async () => {}
const hang = () => new Promise<never>(() => {})

function createTold(
  timeoutMs: number,
  publishers: RealtimePublisher[],
  pauseMs?: number,
  waitUntil?: (work: Promise<unknown>) => void,
) {
  const told: [string, string][] = []
  const delivery = createDelivery({
    publishers,
    timeoutMs,
    waitUntil,
    ...(pauseMs !== undefined && { pauseMs }),
    onError: (error, { stage }) =>
      void told.push([stage, error instanceof RealtimeError ? error.code : "other"]),
  })
  return {
    told,
    signal: () => delivery.signal(signal),
    deliver: (...messages: WireMessage[]) => delivery.deliver(messages.length > 0 ? messages : [message]),
  }
}

async function deliver(timeoutMs: number, ...publishers: RealtimePublisher[]) {
  const { told, deliver } = createTold(timeoutMs, publishers)
  await deliver()
  return told
}

describe("a delivery", () => {
  it("is repeated when it failed in passing, at the provider that failed", async () => {
    const failing = createProvider(
      "failing",
      fail("provider-unavailable", 1),
      fail("rate-limited", 1),
      succeed,
    )
    const working = createProvider("working")
    expect(await deliver(60_000, failing.publisher, working.publisher)).toEqual([])
    expect([failing.calls, working.calls]).toEqual([[[message], [message], [message]], [[message]]])
  })

  it.each([
    ["a refusal", fail("invalid-config"), "invalid-config"],
    ["a mistake", () => Promise.reject(new TypeError("x")), "other"],
  ])("isn't repeated after %s", async (_, answer, told) => {
    const failing = createProvider("failing", answer)
    expect(await deliver(60_000, failing.publisher)).toEqual([["publish to failing", told]])
    expect(failing.calls.length).toBe(1)
  })

  it("isn't repeated when its provider asks for more patience than there is", async () => {
    const busy = createProvider("busy", fail("rate-limited", 3_600_000))
    expect(await deliver(60_000, busy.publisher)).toEqual([["publish to busy", "rate-limited"]])
    expect(busy.calls.length).toBe(1)
  })

  it("ends in time when a provider never answers, and says so", async () => {
    const silent = createProvider("silent", hang)
    expect(await deliver(20, silent.publisher)).toEqual([["publish to silent", "timeout"]])
  })

  it("ends in time with the last reason when there was one", async () => {
    const failing = createProvider("failing", fail("provider-unavailable", 1), hang)
    expect(await deliver(500, failing.publisher)).toEqual([["publish to failing", "provider-unavailable"]])
    expect(failing.calls.length).toBe(2)
  })

  it("that fails after its time is over troubles nobody", async () => {
    const { promise, reject } = Promise.withResolvers<void>()
    const late = createProvider("late", () => promise)
    expect(await deliver(20, late.publisher)).toEqual([["publish to late", "timeout"]])
    // Vitest fails a run in which a rejection is left alone.
    reject(new RealtimeError("invalid-config", { message: "x" }))
    await promise.catch(() => {})
  })
})

describe("a provider that keeps failing", () => {
  const refuse = fail("provider-unavailable", 3_600_000)

  it("is left alone after three deliveries, which is said once, and slows nobody", async () => {
    const dead = createProvider("dead", refuse)
    const alive = createProvider("alive")
    const { told, deliver } = createTold(60_000, [dead.publisher, alive.publisher], 3_600_000)
    for (let n = 0; n < 10; n += 1) await deliver()
    expect([dead.calls.length, alive.calls.length]).toEqual([3, 10])
    // Three failures, and that it is left alone.
    expect(told).toHaveLength(4)
  })

  it("is given by itself the newest of each channel that it missed, once it answers", async () => {
    const provider = createProvider("back", refuse, refuse, refuse, succeed)
    const { told, deliver } = createTold(60_000, [provider.publisher], 1)
    const second = { ...message, seq: 2 }
    const elsewhere = { ...message, channel: "room:2", seq: 7 }
    for (const missed of [message, second, elsewhere]) await deliver(missed)
    await vi.waitFor(() => expect(provider.calls.length).toBe(4), { timeout: 15_000 })
    expect(provider.calls[3]).toEqual([second, elsewhere])
    await deliver({ ...message, seq: 3 })
    expect(provider.calls[4]).toEqual([{ ...message, seq: 3 }])
    expect(told).toHaveLength(4)
  })

  it("is owed nothing that it refused for good", async () => {
    const refusing = createProvider("refusing", refuse, fail("message-too-large"), succeed)
    const { deliver } = createTold(60_000, [refusing.publisher], 3_600_000)
    await deliver(message)
    await deliver({ ...message, channel: "room:2" })
    await deliver({ ...message, channel: "room:3" })
    expect(refusing.calls.map((messages) => messages.map(({ channel }) => channel))).toEqual([
      ["room:1"],
      ["room:1", "room:2"],
      ["room:3"],
    ])
  })

  it("isn't left alone for refusals that no waiting helps", async () => {
    const refusing = createProvider("refusing", fail("message-too-large"))
    const { deliver } = createTold(60_000, [refusing.publisher], 3_600_000)
    for (let n = 0; n < 10; n += 1) await deliver()
    expect(refusing.calls.length).toBe(10)
  })
})

describe("a process that stands still between requests", () => {
  it("is kept running for what is on its way when the publish is answered", async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const late = createProvider("late", () => promise)
    const handed: Promise<unknown>[] = []
    await createTold(20, [late.publisher], undefined, (work) => handed.push(work)).deliver()
    expect(handed).toHaveLength(1)
    resolve()
    await handed[0]
  })

  it("is kept running for nothing where everything is done", async () => {
    const handed: Promise<unknown>[] = []
    const providers = [createProvider("well"), createProvider("refusing", fail("invalid-config"))]
    const { deliver } = createTold(
      60_000,
      providers.map(({ publisher }) => publisher),
      undefined,
      (work) => handed.push(work),
    )
    await deliver()
    expect(handed).toEqual([])
  })

  it("leaves nothing to a timer: what a provider missed goes with the next publish", async () => {
    vi.useFakeTimers()
    const provider = createProvider("back", fail("provider-unavailable", 3_600_000), succeed)
    const { deliver } = createTold(60_000, [provider.publisher], 1, () => {})
    await deliver(message)
    expect(vi.getTimerCount()).toBe(0)
    const elsewhere = { ...message, channel: "room:2" }
    await deliver(elsewhere)
    expect(provider.calls).toEqual([[message], [message, elsewhere]])
    vi.useRealTimers()
  })
})

describe("a signal", () => {
  it("goes to every provider", async () => {
    const [one, other] = [createProvider("one"), createProvider("other")]
    await createTold(60_000, [one.publisher, other.publisher]).signal()
    expect([one.signals, other.signals]).toEqual([[signal], [signal]])
  })

  it("isn't given to a provider that is left alone, and is refused when none is left", async () => {
    const dead = createProvider("dead", fail("provider-unavailable", 3_600_000))
    const alive = createProvider("alive")
    const both = createTold(60_000, [dead.publisher, alive.publisher], 3_600_000)
    for (let n = 0; n < 3; n += 1) await both.deliver()
    await both.signal()
    expect([dead.signals, alive.signals]).toEqual([[], [signal]])
    const none = createTold(60_000, [dead.publisher], 3_600_000)
    for (let n = 0; n < 3; n += 1) await none.deliver()
    await expect(none.signal()).rejects.toMatchObject({ code: "rate-limited", retryAfterMs: 1_000 })
  })

  it("makes room for the messages of a provider that limits us", async () => {
    const limiting = createProvider("limiting", fail("rate-limited", 3_600_000))
    const { deliver, signal } = createTold(60_000, [limiting.publisher])
    await signal()
    await deliver()
    await expect(signal()).rejects.toMatchObject({ code: "rate-limited" })
    expect(limiting.signals).toHaveLength(1)
  })

  it("makes room for the messages of a provider that is behind", async () => {
    const slow = createProvider("slow", hang)
    const { deliver, signal } = createTold(60_000, [slow.publisher])
    for (let n = 0; n < 99; n += 1) void deliver()
    await signal()
    void deliver()
    await expect(signal()).rejects.toMatchObject({ code: "rate-limited" })
    expect(slow.signals).toHaveLength(1)
  })

  it("is refused with the reason of the provider that failed, when no other took it", async () => {
    const failing = { ...createProvider("failing").publisher, signal: fail("provider-unavailable") }
    await expect(createTold(60_000, [failing]).signal()).rejects.toMatchObject({
      code: "provider-unavailable",
    })
    const { publisher, signals } = createProvider("working")
    await createTold(60_000, [failing, publisher]).signal()
    expect(signals).toEqual([signal])
  })
})
