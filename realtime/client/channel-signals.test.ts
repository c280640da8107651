import { contractChannels } from "throughline/testing"
import { describe, expect, it } from "vitest"
import { RealtimeError } from "../errors.ts"
import type { Signal } from "../message.ts"
import { memoryCapabilities } from "../providers/memory/capabilities.ts"
import type { TransportSubscription } from "../transport.ts"
import { createChannelSignals } from "./channel-signals.ts"
import { createRateLimit } from "./rate-limit.ts"
import { createSignalAges } from "./signal-ages.ts"

const ref = contractChannels.room({ room: "1" })
const denial = new RealtimeError("channel-denied", { message: "no longer" })
const signal = (id: string, change: Partial<Signal> = {}): Signal => ({
  ...{ id, channel: ref.name, event: "typing", payload: { isTyping: true }, from: { id: "bob" }, at: 0 },
  ...change,
})

/** A page whose ways out note what they take. */
function setup(overConnection?: (take: () => void) => TransportSubscription["signal"], passes = false) {
  const sent: unknown[] = []
  const errors: unknown[] = []
  const joined: Pick<TransportSubscription, "signal"> = {}
  if (overConnection) joined.signal = overConnection(() => delete joined.signal)
  let isOpen = true
  const signals = createChannelSignals(
    {
      ...{
        ref,
        page: "own",
        isOpen: () => isOpen,
        capabilities: () => ({ ...memoryCapabilities, signalsPassServer: passes }),
        signalPace: () => ({ limit: createRateLimit(10), latestPerSecond: 10 }),
      },
      signalAges: createSignalAges({ serverNow: () => null }),
      http: { signal: async (...request: unknown[]) => void sent.push(request) } as never,
      onError: (error) => void errors.push(error),
    },
    {
      ...{ status: { state: "attached" }, use: (end) => () => end?.() },
      joined: joined as TransportSubscription,
    },
    () => contractChannels.room as never,
  )
  const close = () => {
    isOpen = false
  }
  return { signals, sent, errors, close }
}

const typing = { isTyping: true }

describe("a channel's signals", () => {
  it("go over HTTP where the connection takes none, each with its number", async () => {
    const { signals, sent } = setup()
    for (let n = 0; n < 2; n += 1) await signals.signal("typing", typing)
    const request = (n: number) => [ref.name, "typing", typing, { page: "own", n }]
    expect(sent).toEqual([request(1), request(2)])
  })

  it("go over HTTP once the connection takes none any more, because its permission is out of date", async () => {
    const { signals, sent } = setup((take) => async () => {
      take()
      throw denial
    })
    await signals.signal("typing", typing)
    expect(sent).toHaveLength(1)
  })

  it.each([
    [false, "HTTP"],
    [true, "the connection"],
  ])(
    "that server code hears go, where the connection's pass the server: %s, over %s",
    async (passes, way) => {
      const ways: string[] = []
      const { signals, sent } = setup(() => async (event) => void ways.push(event), passes)
      await signals.signal("typing", typing)
      await signals.signal("steered", { at: 1 })
      expect(ways).toEqual(way === "HTTP" ? ["typing"] : ["typing", "steered"])
      expect(sent).toHaveLength(way === "HTTP" ? 1 : 0)
    },
  )

  it.each([
    ["a refusal that stands", denial],
    ["a connection that is lost", new RealtimeError("not-connected", { message: "away" })],
  ])("are gone by %s", async (_, error) => {
    const { signals, sent } = setup(() => async () => Promise.reject(error))
    await expect(signals.signal("typing", typing)).rejects.toBe(error)
    expect(sent).toEqual([])
  })

  it("leave no client that isn't open", async () => {
    const { signals, sent, close } = setup()
    close()
    await expect(signals.signal("typing", typing)).rejects.toMatchObject({ code: "not-connected" })
    expect(sent).toEqual([])
  })

  it("are shown to who listens to their event, once, unless their shape or their channel is another", async () => {
    const { signals, errors } = setup()
    const shown: string[] = []
    const stop = signals.onSignal("typing", ({ id }) => void shown.push(id))
    await signals.receive(signal("a"))
    await signals.receive(signal("a"))
    await signals.receive(signal("b", { payload: { isTyping: "yes" } }))
    await signals.receive(signal("c", { channel: "room:2" }))
    await signals.receive(signal("d", { event: "pointed" }))
    stop()
    await signals.receive(signal("e"))
    expect(shown).toEqual(["a"])
    expect(errors).toEqual([expect.objectContaining({ code: "invalid-payload" })])
  })
})
