import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { RealtimeError } from "../errors.ts"
import type { Cursor, LogPage, RealtimeMessage } from "../message.ts"
import { createStream, type Stream } from "./stream.ts"

const epoch = "epoch-1"
const message = (seq: number): RealtimeMessage => ({
  ...{ id: String(seq), channel: "room:1", seq, epoch, event: "said", payload: {}, from: null, at: seq },
})
const upTo = (seq: number, ...messages: RealtimeMessage[]): LogPage => ({
  head: { epoch, seq, first: 1 },
  messages,
})
const failing = (retryAfterMs?: number) =>
  new RealtimeError("log-unavailable", { message: "unable to read", retryAfterMs })

/** A listener, and a log that answers as the test says. */
function setup(answer: (after: Cursor | null) => LogPage | RealtimeError) {
  const reads: number[] = []
  const told: string[] = []
  const stream = createStream({
    since: { epoch, seq: 0 },
    handlers: {
      onMessages: (messages) => void told.push(...messages.map(({ seq }) => `got ${seq}`)),
      onGap: ({ from, to }) => void told.push(`gap ${from}-${to}`),
      onReset: ({ cursor }) => void told.push(`reset to ${cursor.seq}`),
    },
    async read(after) {
      reads.push(performance.now())
      const answered = answer(after)
      if (answered instanceof RealtimeError) throw answered
      return answered
    },
    onDenied: ({ code }) => void told.push(`denied: ${code}`),
    onError: (error) => void told.push(`error: ${(error as RealtimeError).code}`),
  })
  /** How long after the one before each read came. */
  const pauses = () => reads.slice(1).map((at, index) => Math.round(at - (reads[index] as number)))
  return { stream, reads, told, pauses }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] })
  // The longest that chance lets a pause be.
  vi.spyOn(Math, "random").mockReturnValue(1)
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

describe("a stream", () => {
  it("asks a log that fails again, with pauses that grow to ten seconds, until it answers", async () => {
    let isUp = false
    const { stream, told, pauses } = setup(() => (isUp ? upTo(1, message(1)) : failing()))
    stream.attached(undefined, null)
    await vi.advanceTimersByTimeAsync(30_000)
    expect(pauses()).toEqual([300, 600, 1_200, 2_400, 4_800, 9_600, 10_000])
    isUp = true
    await vi.advanceTimersByTimeAsync(10_000)
    expect(told.filter((line) => !line.startsWith("error"))).toEqual(["got 1"])
    expect(new Set(told)).toEqual(new Set(["error: log-unavailable", "got 1"]))
  })

  it("comes back with jitter, never earlier than after half the pause", async () => {
    vi.mocked(Math.random).mockReturnValue(0)
    const { stream, pauses } = setup(() => failing())
    stream.attached(undefined, null)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(pauses()).toEqual([150, 300])
  })

  it("begins with short pauses again after an answer", async () => {
    const answers = [failing(), failing(), failing(), upTo(0), failing(), failing()]
    const { stream, pauses } = setup(() => answers.shift() ?? upTo(0))
    stream.attached(undefined, null)
    await vi.advanceTimersByTimeAsync(3_000)
    stream.check()
    await vi.advanceTimersByTimeAsync(3_000)
    expect(pauses().filter((ms) => ms < 3_000)).toEqual([300, 600, 1_200, 900, 300, 600])
  })

  it("waits as long as the server asks", async () => {
    const answers = [failing(7_000)]
    const { stream, pauses } = setup(() => answers.shift() ?? upTo(0))
    stream.attached(undefined, null)
    await vi.advanceTimersByTimeAsync(20_000)
    expect(pauses()).toEqual([7_000])
  })

  it("doesn't wait any longer when there is a reason to look now", async () => {
    const { stream, reads } = setup(() => failing())
    stream.attached(undefined, null)
    await vi.advanceTimersByTimeAsync(0)
    stream.check()
    expect(reads).toHaveLength(2)
  })

  it("gives what is known to exist time to appear, and then says that it doesn't", async () => {
    const { stream, told, pauses } = setup(() => upTo(3, message(3)))
    stream.attached(upTo(0), { epoch, seq: 0 })
    stream.receive([message(3)])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(pauses()).toEqual([300, 600, 1_200, 2_400, 4_800])
    expect(told).toEqual(["gap 1-2", "got 3"])
    await stream.ready
  })

  it("takes what appears late for what it is: nothing is missing", async () => {
    let isThere = false
    const { stream, told } = setup(() => upTo(2, ...(isThere ? [message(1), message(2)] : [])))
    stream.attached(upTo(0), { epoch, seq: 0 })
    stream.receive([message(2)])
    await vi.advanceTimersByTimeAsync(2_000)
    isThere = true
    await vi.advanceTimersByTimeAsync(5_000)
    expect(told).toEqual(["got 1", "got 2"])
  })

  it("takes a log that lags behind what was delivered for no earlier one", async () => {
    let seen = 0
    const { stream, told } = setup(() => upTo(seen))
    stream.attached(upTo(0), { epoch, seq: 0 })
    stream.receive([message(1), message(2)])
    stream.check()
    await vi.advanceTimersByTimeAsync(1_000)
    seen = 1
    await vi.advanceTimersByTimeAsync(1_000)
    seen = 2
    await vi.advanceTimersByTimeAsync(60_000)
    expect(told).toEqual(["got 1", "got 2"])
    // One that stays so is an earlier one.
    seen = 1
    stream.check()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(told.slice(2)).toEqual(["reset to 1"])
  })

  it.each([
    ["looks", (stream: Stream) => stream.check()],
    ["is attached", (stream: Stream) => stream.attached(undefined, null)],
    ["is attached with what the log holds", (stream: Stream) => stream.attached(upTo(0), { epoch, seq: 0 })],
  ])(
    "takes nothing of a log that lags behind for missing, however often it %s meanwhile",
    async (_, look) => {
      let isThere = false
      const { stream, told } = setup(() => (isThere ? upTo(2, message(1), message(2)) : upTo(0)))
      stream.attached(upTo(0), { epoch, seq: 0 })
      stream.receive([message(2)])
      for (let times = 0; times < 20; times += 1) {
        await vi.advanceTimersByTimeAsync(100)
        look(stream)
      }
      isThere = true
      await vi.advanceTimersByTimeAsync(10_000)
      expect(told).toEqual(["got 1", "got 2"])
    },
  )

  it.each([
    ["none, where the other one comes within 50 ms", 49, 0],
    ["one each, where it comes later than after 250 ms", 251, 1_000],
  ])("asks for two deliveries that changed places: %s", async (_, lateMs, asked) => {
    let draws = 0
    vi.mocked(Math.random).mockImplementation(() => {
      draws += 1
      return (draws % 1_000) / 1_000
    })
    const many = Array.from({ length: 1_000 }, () => setup(() => upTo(2, message(1), message(2))))
    for (const { stream } of many) {
      stream.attached(upTo(0), { epoch, seq: 0 })
      stream.receive([message(2)])
    }
    await vi.advanceTimersByTimeAsync(lateMs)
    for (const { stream } of many) stream.receive([message(1)])
    await vi.advanceTimersByTimeAsync(1_000)
    expect(many.reduce((sum, { reads }) => sum + reads.length, 0)).toBe(asked)
    expect(new Set(many.map(({ told }) => told.join()))).toEqual(new Set(["got 1,got 2"]))
    // Not all at once.
    const times = new Set(many.flatMap(({ reads }) => reads))
    if (asked > 0) expect(times.size).toBeGreaterThan(100)
  })

  it("waits for a late delivery no longer than for the log to be looked at", async () => {
    const { stream, told, reads } = setup(() => upTo(2, message(1), message(2)))
    stream.attached(upTo(0), { epoch, seq: 0 })
    stream.receive([message(2)])
    expect(reads).toHaveLength(0)
    stream.check()
    await vi.advanceTimersByTimeAsync(0)
    expect(told).toEqual(["got 1", "got 2"])
    await vi.advanceTimersByTimeAsync(1_000)
    expect(reads).toHaveLength(1)
  })

  it("waits anew for each message that is late", async () => {
    vi.mocked(Math.random).mockReturnValue(0)
    const { stream, reads } = setup(() => upTo(4))
    stream.attached(upTo(0), { epoch, seq: 0 })
    stream.receive([message(2)])
    await vi.advanceTimersByTimeAsync(40)
    stream.receive([message(1)])
    stream.receive([message(4)])
    await vi.advanceTimersByTimeAsync(40)
    stream.receive([message(3)])
    expect(reads).toHaveLength(0)
  })

  it("ends with a refusal, and asks no more", async () => {
    const { stream, told, reads } = setup(() => new RealtimeError("channel-denied", { message: "no" }))
    stream.attached(undefined, null)
    await expect(stream.ready).rejects.toMatchObject({ code: "channel-denied" })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(told).toEqual(["denied: channel-denied"])
    expect(reads).toHaveLength(1)
  })

  it("takes what isn't the server's refusal of this reader for an accident, and asks again", async () => {
    const accidents = ["internal", "message-too-large", "invalid-request", "unsupported"] as const
    const answers = accidents.map((code) => new RealtimeError(code, { message: "a proxy's page" }))
    const { stream, told, reads } = setup(() => answers.shift() ?? upTo(2, message(1), message(2)))
    stream.attached(upTo(0), { epoch, seq: 0 })
    stream.receive([message(2)])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(told).toEqual([...accidents.map((code) => `error: ${code}`), "got 1", "got 2"])
    expect(reads).toHaveLength(5)
  })

  it("that was refused reads again when it is let in again", async () => {
    let isOpen = false
    const { stream, told } = setup(() =>
      isOpen ? upTo(2, message(1), message(2)) : new RealtimeError("channel-denied", { message: "no" }),
    )
    stream.attached(undefined, null)
    await vi.advanceTimersByTimeAsync(1_000)
    isOpen = true
    stream.attached(upTo(0), { epoch, seq: 0 })
    stream.receive([message(2)])
    await vi.advanceTimersByTimeAsync(1_000)
    expect(told).toEqual(["denied: channel-denied", "got 1", "got 2"])
  })

  it("asks nothing after it was closed, and tells nothing of what comes then", async () => {
    const { stream, told, reads } = setup(() => failing())
    stream.attached(undefined, null)
    await vi.advanceTimersByTimeAsync(0)
    stream.close()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(reads).toHaveLength(1)
    expect(told).toEqual(["error: log-unavailable"])
    await expect(stream.ready).rejects.toMatchObject({ code: "not-connected" })
  })
})
