import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { createRateLimit, type RateLimit } from "./rate-limit.ts"
import { createSignalOutlet } from "./signal-outlet.ts"

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function setup(perSecond: number) {
  const sent: string[] = []
  const limit = createRateLimit(perSecond)
  let pace: RateLimit | null = limit
  const outlet = createSignalOutlet({
    pace: () => pace,
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
