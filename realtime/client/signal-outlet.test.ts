import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { createRateLimit } from "./rate-limit.ts"
import { createSignalOutlet, type SignalPace } from "./signal-outlet.ts"

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function setup(perSecond: number) {
  const sent: string[] = []
  const limit = createRateLimit(perSecond)
  let pace: SignalPace | null = { limit, latestPerSecond: 5 }
  const outlet = createSignalOutlet({
    pace: () => pace,
    isLatest: (event) => event === "moved",
    async deliver(event, payload) {
      sent.push(`${event} ${payload}`)
    },
  })
  const send = (event: string, payload: unknown) =>
    outlet.send(event, payload).then(
      () => "sent",
      ({ code }) => code,
    )
  return {
    sent,
    outlet,
    send,
    disconnect() {
      pace = null
    },
  }
}

it("lets pass what the provider takes, and of the rest the newest of each event when its turn comes", async () => {
  const { sent, send } = setup(2)
  const outcomes = Promise.all([
    ...[send("typing", 1), send("typing", 2), send("typing", 3), send("cursor", 1)],
    ...[send("typing", 4), send("cursor", 2), send("typing", 5)],
  ])
  expect(sent).toEqual(["typing 1", "typing 2"])
  await vi.advanceTimersByTimeAsync(500)
  expect(sent.slice(2)).toEqual(["cursor 2"])
  await vi.advanceTimersByTimeAsync(500)
  expect(sent.slice(3)).toEqual(["typing 5"])
  expect(await outcomes).toEqual([
    ...["sent", "sent", "rate-limited", "rate-limited", "rate-limited", "sent", "sent"],
  ])
  await vi.advanceTimersByTimeAsync(60_000)
  expect(sent).toHaveLength(4)
  expect(await send("typing", 6)).toBe("sent")
})

it("holds nothing back while there is no connection to overrun", async () => {
  const { sent, send, disconnect } = setup(1)
  void send("typing", 1)
  const held = send("typing", 2)
  disconnect()
  await vi.advanceTimersByTimeAsync(1_000)
  expect([await held, await send("typing", 3), await send("typing", 4)]).toEqual(["sent", "sent", "sent"])
  expect(sent).toHaveLength(4)
})

it("drops what waits when it is closed", async () => {
  const { sent, send, outlet } = setup(1)
  void send("typing", 1)
  const held = send("typing", 2)
  outlet.close()
  expect(await held).toBe("not-connected")
  await vi.advanceTimersByTimeAsync(10_000)
  expect(sent).toEqual(["typing 1"])
})

it("goes on as before with what comes after it was closed", async () => {
  const { sent, send, outlet } = setup(1)
  void send("typing", 1)
  void send("typing", 2)
  outlet.close()
  const later = send("typing", 3)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await later).toBe("sent")
  expect(sent).toEqual(["typing 1", "typing 3"])
})

describe("an event that is sent as `latest`", () => {
  it("goes at its own pace, the last of it always, and what a newer one replaced is no failure", async () => {
    const { sent, send } = setup(50)
    const outcomes = [send("moved", 0)]
    for (let frame = 1; frame <= 60; frame += 1) {
      await vi.advanceTimersByTimeAsync(10)
      outcomes.push(send("moved", frame))
    }
    await vi.advanceTimersByTimeAsync(200)
    expect(sent).toEqual(["moved 0", "moved 19", "moved 39", "moved 59", "moved 60"])
    expect(await Promise.all(outcomes)).toEqual(Array(61).fill("sent"))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(sent).toHaveLength(5)
    expect(vi.getTimerCount()).toBe(0)
  })

  it("doesn't hold up the others, nor they it longer than their pace asks", async () => {
    const { sent, send } = setup(4)
    const outcomes = [send("moved", 1), send("moved", 2), send("typing", 1), send("typing", 2)]
    expect(sent).toEqual(["moved 1", "typing 1", "typing 2"])
    await vi.advanceTimersByTimeAsync(200)
    expect(sent.slice(3)).toEqual(["moved 2"])
    outcomes.push(send("typing", 3), send("moved", 3))
    await vi.advanceTimersByTimeAsync(50)
    expect(sent.slice(4)).toEqual(["typing 3"])
    await vi.advanceTimersByTimeAsync(250)
    expect(sent.slice(5)).toEqual(["moved 3"])
    expect(await Promise.all(outcomes)).toEqual(Array(6).fill("sent"))
  })

  it("waits for nothing while there is no connection to overrun, and is dropped when it is closed", async () => {
    const { sent, send, disconnect, outlet } = setup(50)
    void send("moved", 1)
    const held = send("moved", 2)
    outlet.close()
    expect(await held).toBe("not-connected")
    disconnect()
    expect([await send("moved", 3), await send("moved", 4)]).toEqual(["sent", "sent"])
    expect(sent).toEqual(["moved 1", "moved 3", "moved 4"])
  })
})
