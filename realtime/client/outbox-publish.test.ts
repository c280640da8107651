import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { RealtimeError, type RealtimeErrorCode } from "../errors.ts"
import type { OutgoingMessage, PublishResult } from "../transport.ts"
import { inThisPage } from "./create-client.ts"
import { createOutbox, type OutboxOptions } from "./outbox.ts"

const outgoing = (id: string): OutgoingMessage => ({ id, event: "said", payload: id })
const accepted = (message: OutgoingMessage, seq: number): PublishResult => ({
  receipt: { id: message.id, seq, epoch: "e", at: 0 },
})

/** What one channel of a page sends. */
function createPage({ deliver, ...options }: Pick<OutboxOptions, "deliver"> & Partial<OutboxOptions>) {
  const outbox = createOutbox({ ...inThisPage(), onError: () => {}, ...options, deliver })
  return {
    ...outbox,
    send: (message: OutgoingMessage, timeoutMs: number) => outbox.publish("room:1", message, timeoutMs),
    keep: (id: string) => outbox.add("room:1", outgoing(id)),
  }
}
const failure = (code: RealtimeErrorCode, retryAfterMs?: number) =>
  new RealtimeError(code, { message: code, retryAfterMs })

/** A server that does as it is told, request by request; afterwards it accepts. */
function createServer(...script: ((messages: readonly OutgoingMessage[]) => PublishResult[])[]) {
  const requests: string[][] = []
  let seq = 0
  return {
    requests,
    async deliver(_: string, messages: readonly OutgoingMessage[]) {
      requests.push(messages.map(({ id }) => id))
      const next = script.shift()
      if (next) return next(messages)
      return messages.map((message) => {
        seq += 1
        return accepted(message, seq)
      })
    },
  }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe("what is published", () => {
  it("sends together what is written together, and next what is written meanwhile", async () => {
    const server = createServer()
    const queue = createPage({ deliver: server.deliver })
    const ids = Array.from({ length: 60 }, (_, n) => String(n))
    const receipts = await Promise.all(ids.map((id) => queue.send(outgoing(id), 1000)))
    expect(server.requests).toEqual([ids.slice(0, 50), ids.slice(50)])
    expect(receipts.map(({ seq }) => seq)).toEqual(ids.map((_, n) => n + 1))
  })

  it("sends no more together than proxies take, and fewer where one takes less", async () => {
    const sizes: number[] = []
    const server = createServer()
    const queue = createPage({
      async deliver(_, messages) {
        const bytes = JSON.stringify(messages).length
        sizes.push(bytes)
        if (bytes > 100 * 1024) throw failure("message-too-large")
        return server.deliver("room:1", messages)
      },
    })
    const texts = Array.from({ length: 50 }, (_, n) => String(n).padEnd((n === 7 ? 120 : 24) * 1024))
    const send = (text: string) => queue.send({ id: text.trim(), event: "said", payload: text }, 1000)
    const outcomes = await Promise.allSettled(texts.map(send))
    expect(outcomes.flatMap(({ status }, n) => (status === "rejected" ? [n] : []))).toEqual([7])
    expect(server.requests.flat()).toEqual(texts.map((text) => text.trim()).filter((id) => id !== "7"))
    expect(Math.max(...sizes)).toBeLessThan(300 * 1024)
  })

  it("tries again what failed in passing, in order, under the same id", async () => {
    const server = createServer(() => {
      throw failure("not-connected")
    })
    const queue = createPage({ deliver: server.deliver })
    const sent = Promise.all(["a", "b"].map((id) => queue.send(outgoing(id), 10_000)))
    await vi.advanceTimersByTimeAsync(300)
    await sent
    expect(server.requests).toEqual([
      ["a", "b"],
      ["a", "b"],
    ])
  })

  it("waits as long as the server asks", async () => {
    const server = createServer(() => {
      throw failure("rate-limited", 3000)
    })
    const queue = createPage({ deliver: server.deliver })
    const sent = queue.send(outgoing("a"), 10_000)
    await vi.advanceTimersByTimeAsync(2999)
    expect(server.requests.length).toBe(1)
    await vi.advanceTimersByTimeAsync(1)
    expect((await sent).seq).toBe(1)
  })

  it("goes on at once when it is woken", async () => {
    const server = createServer(() => {
      throw failure("not-connected")
    })
    const queue = createPage({ deliver: server.deliver })
    const sent = queue.send(outgoing("a"), 10_000)
    await vi.advanceTimersByTimeAsync(0)
    queue.wake()
    expect((await sent).seq).toBe(1)
  })

  it("refuses one without holding up the next", async () => {
    const server = createServer((messages) =>
      messages.map((message) =>
        message.id === "bad" ? { error: failure("invalid-payload") } : accepted(message, 1),
      ),
    )
    const queue = createPage({ deliver: server.deliver })
    const [bad, good] = await Promise.allSettled([
      queue.send(outgoing("bad"), 1000),
      queue.send(outgoing("good"), 1000),
    ])
    expect(bad).toMatchObject({ status: "rejected", reason: { code: "invalid-payload" } })
    expect(good.status).toBe("fulfilled")
  })

  it("tries again in its place what the server fails at, and lets nothing pass it", async () => {
    const waits = (id: string) => ({ error: new RealtimeError("internal", { message: `${id} waits` }) })
    const fails = (messages: readonly OutgoingMessage[]) =>
      messages.map((message, n) => (n === 0 ? accepted(message, 1) : waits(message.id)))
    const server = createServer(fails, (messages) => messages.map(({ id }) => waits(id)))
    const queue = createPage({ deliver: server.deliver })
    const ids = ["a", "bad", ...Array.from({ length: 58 }, (_, n) => `behind-${n}`)]
    const sent = ids.map((id) => queue.send(outgoing(id), 10_000))
    await vi.advanceTimersByTimeAsync(2_000)
    await Promise.all(sent)
    expect(server.requests).toEqual([
      ...[ids.slice(0, 50), ids.slice(1, 51), ids.slice(1, 51)],
      ids.slice(51),
    ])
  })

  it("gives up what the server fails at when its own time is over, and goes on with the next", async () => {
    const queue = createPage({
      deliver: async (_, messages) =>
        messages[0]?.id === "bad"
          ? messages.map(({ id }) => ({ error: new RealtimeError("internal", { message: id }) }))
          : messages.map((message, n) => accepted(message, n + 1)),
    })
    const bad = expect(queue.send(outgoing("bad"), 2_000)).rejects.toMatchObject({ code: "internal" })
    const good = queue.send(outgoing("good"), 10_000)
    await vi.advanceTimersByTimeAsync(1_999)
    const settled = vi.fn()
    void good.finally(settled)
    await vi.advanceTimersByTimeAsync(0)
    expect(settled).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    await bad
    // With the pause that was begun, which the server may have asked for.
    await vi.advanceTimersByTimeAsync(5_000)
    expect((await good).seq).toBe(1)
  })

  it("rejects nobody for what another was refused for that it was never tried with", async () => {
    const queue = createPage({
      deliver: async (_, messages) =>
        messages.map(({ id }) => ({ error: new RealtimeError("internal", { message: id }) })),
    })
    const outcomes = Promise.allSettled(
      Array.from({ length: 60 }, (_, n) => queue.send(outgoing(String(n)), 1_000)),
    )
    await vi.advanceTimersByTimeAsync(1_100)
    const reasons = (await outcomes).map((outcome) => (outcome as PromiseRejectedResult).reason)
    expect(reasons.slice(0, 50).map(({ message }) => message)).toEqual(
      Array.from({ length: 50 }, (_, n) => `[realtime] ${n}`),
    )
    expect(reasons.slice(50)).toEqual(
      Array.from({ length: 10 }, () => expect.objectContaining({ code: "timeout", retryable: true })),
    )
  })

  it("refuses the whole request when the server does, and goes on", async () => {
    const server = createServer(() => {
      throw failure("channel-denied")
    })
    const queue = createPage({ deliver: server.deliver })
    await expect(queue.send(outgoing("a"), 1000)).rejects.toMatchObject({ code: "channel-denied" })
    expect((await queue.send(outgoing("b"), 1000)).seq).toBe(1)
  })

  it("gives up when the time is over, with the last reason", async () => {
    const queue = createPage({
      deliver: async () => {
        throw failure("provider-unavailable")
      },
    })
    const sent = queue.send(outgoing("a"), 1000)
    const outcome = expect(sent).rejects.toMatchObject({ code: "provider-unavailable", retryable: true })
    await vi.advanceTimersByTimeAsync(1100)
    await outcome
  })

  it("rejects what waits when it is closed, and all that comes later", async () => {
    const queue = createPage({
      deliver: async () => {
        throw failure("not-connected")
      },
    })
    const waiting = expect(queue.send(outgoing("a"), 60_000)).rejects.toMatchObject({ retryable: false })
    await vi.advanceTimersByTimeAsync(0)
    queue.close()
    await waiting
    await expect(queue.send(outgoing("b"), 1000)).rejects.toMatchObject({ code: "not-connected" })
  })

  it("has nothing of before, no request and no pause, once it is closed and opened again", async () => {
    const answer = Promise.withResolvers<never>()
    const requests: string[][] = []
    const queue = createPage({
      async deliver(_, messages) {
        requests.push(messages.map(({ id }) => id))
        if (requests.length === 1) await answer.promise
        return messages.map((message, index) => accepted(message, index + 1))
      },
    })
    const before = queue.send(outgoing("before"), 60_000)
    await vi.advanceTimersByTimeAsync(0)
    queue.close()
    await expect(before).rejects.toMatchObject({ code: "not-connected" })
    queue.open()
    await expect(queue.send(outgoing("at once"), 1_000)).resolves.toMatchObject({ id: "at once" })
    answer.reject(failure("rate-limited", 600_000))
    await vi.advanceTimersByTimeAsync(0)
    await expect(queue.send(outgoing("after"), 1_000)).resolves.toMatchObject({ id: "after" })
    expect(requests).toEqual([["before"], ["at once"], ["after"]])
  })

  it("leaves in the order of the calls among what is kept, however long the store takes with some", async () => {
    const server = createServer()
    const { store, ...place } = inThisPage()
    const add: typeof store.add = async (message) => {
      await new Promise((resolve) => setTimeout(resolve, message.id.startsWith("slow") ? 1_000 : 10))
      return store.add(message)
    }
    const page = createPage({ deliver: server.deliver, ...place, store: { ...store, add } })
    page.open()
    const sent = [page.send(outgoing("a"), 10_000)]
    page.keep("slow b")
    sent.push(page.send(outgoing("c"), 10_000), page.send(outgoing("d"), 10_000))
    page.keep("e")
    sent.push(page.send(outgoing("f"), 10_000))
    await vi.advanceTimersByTimeAsync(2_000)
    await Promise.all(sent)
    expect(server.requests.flat()).toEqual(["a", "slow b", "c", "d", "e", "f"])
    expect(page.messages("room:1")).toEqual([])
  })

  it("waits behind what is kept and doesn't get through, for as long as its time", async () => {
    const isDown = { now: true }
    const server = createServer()
    const page = createPage({
      async deliver(channel, messages) {
        if (isDown.now) throw failure("not-connected")
        return server.deliver(channel, messages)
      },
    })
    page.open()
    page.keep("a")
    const short = expect(page.send(outgoing("short"), 2_000)).rejects.toMatchObject({ code: "not-connected" })
    const long = page.send(outgoing("long"), 60_000)
    await vi.advanceTimersByTimeAsync(2_100)
    await short
    isDown.now = false
    page.wake("room:1")
    await long
    expect(server.requests.flat()).toEqual(["a", "long"])
  })

  it("says of what has left that no answer came, whatever failed before it", async () => {
    const requests: string[][] = []
    const page = createPage({
      deliver(_, messages) {
        requests.push(messages.map(({ id }) => id))
        return requests.length === 1
          ? Promise.reject(failure("log-unavailable"))
          : new Promise<never>(() => {})
      },
    })
    page.open()
    page.keep("a")
    await vi.advanceTimersByTimeAsync(10)
    expect(requests).toEqual([["a"]])
    const late = expect(page.send(outgoing("late"), 20_000)).rejects.toThrow(
      "there was no answer in its time",
    )
    await vi.advanceTimersByTimeAsync(20_000)
    expect(requests.at(-1)).toEqual(["a", "late"])
    await late
  })

  it.each([
    {
      while: "the server asks for a pause",
      deliver: () => Promise.reject(failure("rate-limited", 60_000)),
    },
    { while: "a request before it hangs", deliver: () => new Promise<never>(() => {}) },
    {
      while: "another tab has the turn",
      deliver: async () => [],
      exclusively: () => new Promise<void>(() => {}),
    },
  ])(
    "is given up in its time while $while, without another request",
    async ({ while: _, deliver, ...place }) => {
      const asked = vi.fn(deliver)
      const page = createPage({ ...place, deliver: asked })
      page.open()
      page.keep("a")
      await vi.advanceTimersByTimeAsync(100)
      const before = asked.mock.calls.length
      const late = Promise.allSettled([page.send(outgoing("late"), 2_000)])
      await vi.advanceTimersByTimeAsync(2_000)
      expect(await late).toMatchObject([{ status: "rejected", reason: { code: "timeout" } }])
      expect(asked).toHaveBeenCalledTimes(before)
    },
  )

  it("doesn't wait for what goes nowhere, while the page isn't open", async () => {
    const server = createServer()
    const page = createPage({ deliver: server.deliver })
    page.keep("kept")
    await page.send(outgoing("a"), 1_000)
    expect(server.requests).toEqual([["a"]])
    page.open()
    await vi.advanceTimersByTimeAsync(100)
    expect(server.requests).toEqual([["a"], ["kept"]])
  })

  it("is given up in its time behind what waits for its writer", async () => {
    const server = createServer()
    const page = createPage({
      async deliver() {
        server.requests.push([])
        throw failure("session-changed")
      },
    })
    page.open()
    page.keep("another's")
    await vi.advanceTimersByTimeAsync(10)
    const outcomes = Promise.allSettled(
      Array.from({ length: 60 }, (_, n) => page.send(outgoing(String(n)), 3_000)),
    )
    await vi.advanceTimersByTimeAsync(3_100)
    const codes = (await outcomes).map((outcome) => (outcome as PromiseRejectedResult).reason.code)
    expect([codes.slice(0, 49), codes.slice(49)]).toEqual([
      Array.from({ length: 49 }, () => "session-changed"),
      Array.from({ length: 11 }, () => "timeout"),
    ])
    expect(page.messages("room:1")).toMatchObject([{ id: "another's", state: "queued" }])
  })

  it("sends again what is kept and hung when the page was closed, and listens to no answer of before", async () => {
    const server = createServer()
    const before = Promise.withResolvers<never>()
    const page = createPage({
      deliver: (channel, messages) =>
        server.requests.length === 0 && server.requests.push(messages.map(({ id }) => id)) === 1
          ? before.promise
          : server.deliver(channel, messages),
    })
    page.open()
    page.keep("a")
    await vi.advanceTimersByTimeAsync(10)
    page.close()
    page.open()
    page.keep("b")
    await vi.advanceTimersByTimeAsync(10)
    before.reject(failure("rate-limited", 600_000))
    await vi.advanceTimersByTimeAsync(10)
    await page.send(outgoing("c"), 1_000)
    expect(server.requests.flat()).toEqual(["a", "a", "b", "c"])
    expect(page.messages("room:1")).toEqual([])
  })
})
