import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { RealtimeError, type RealtimeErrorCode } from "../errors.ts"
import { createOutboxEntries, newEntry } from "./outbox-entries.ts"
import type { KeptMessages } from "./outbox-kept.ts"
import type { Attempt, SendAll } from "./outbox-send-all.ts"
import { createOutboxSender } from "./outbox-sender.ts"

const room = "room:1"
const error = (code: RealtimeErrorCode) => new RealtimeError(code, { message: code })

const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

interface Attempted {
  attempt: Attempt
  end(reason: RealtimeError | null): Promise<void>
  fail(): Promise<void>
}

/** A sender of one message that is kept, whose attempts end as the test says. */
function setup() {
  const attempts: Attempted[] = []
  const entries = createOutboxEntries(() => {})
  entries.add({ ...newEntry(room, { id: "a", event: "said", payload: 1 }), isReady: true })
  const send: SendAll = (_channel, _next, attempt) =>
    new Promise((resolve, reject) => {
      attempts.push({
        attempt,
        async end(reason) {
          if (!reason) entries.forget("a")
          resolve(reason)
          await settle()
        },
        async fail() {
          entries.change("a", { state: "sending" })
          reject(new Error("a bug"))
          await settle()
        },
      })
    })
  const sender = createOutboxSender(room, {
    ...{ entries, send, isOpen: () => true, onError: () => {} },
    kept: { read() {} } as unknown as KeptMessages,
    exclusively: (_, task) => task(),
  })
  async function wake(): Promise<void> {
    sender.wake()
    await settle()
  }
  return { sender, attempts, entries, wake }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
  vi.spyOn(Math, "random").mockReturnValue(0.5)
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

it("makes one attempt at a time, and none with nothing to send", async () => {
  const { sender, attempts, wake } = setup()
  await wake()
  await wake()
  expect(attempts).toHaveLength(1)
  await attempts[0]?.end(null)
  await wake()
  expect([attempts.length, sender.isWaiting, sender.reason]).toEqual([1, false, undefined])
})

it("pauses for longer after each attempt by which nothing got away, until it is woken", async () => {
  const { sender, attempts, wake } = setup()
  await wake()
  const reason = error("timeout")
  const pauses: number[] = []
  for (const hasProgress of [false, false, true, false]) {
    const { attempt, end } = attempts.at(-1) as Attempted
    attempt.hasProgress = hasProgress
    await end(reason)
    expect([sender.isWaiting, sender.reason]).toEqual([true, reason])
    const begun = attempts.length
    let waited = 0
    for (; attempts.length === begun; waited += 125) await vi.advanceTimersByTimeAsync(125)
    pauses.push(waited)
  }
  expect(pauses).toEqual([375, 750, 375, 750])
  await attempts.at(-1)?.end(reason)
  await wake()
  expect([attempts.length, sender.isWaiting, vi.getTimerCount()]).toEqual([6, false, 0])
})

it("waits without a pause for the writer of what was refused to another", async () => {
  const { sender, attempts, wake } = setup()
  await wake()
  await attempts[0]?.end(error("session-changed"))
  expect([sender.isWaiting, sender.reason?.code, vi.getTimerCount()]).toEqual([false, "session-changed", 0])
})

it("hears nothing of an attempt from before it was stopped, and begins another", async () => {
  const { sender, attempts, entries, wake } = setup()
  await wake()
  entries.change("a", { state: "sending" })
  sender.stop()
  expect([attempts[0]?.attempt.isOver, entries.get("a")?.state]).toEqual([true, "queued"])
  await wake()
  await attempts[0]?.end(error("rate-limited"))
  expect([attempts.length, sender.isWaiting, sender.reason]).toEqual([2, false, undefined])
})

it("shows as failed, and tries again, what the client failed at", async () => {
  const { sender, attempts, entries, wake } = setup()
  await wake()
  await attempts[0]?.fail()
  expect(entries.get("a")).toMatchObject({ state: "failed", error: { code: "internal" } })
  expect(sender.isWaiting).toBe(true)
})
