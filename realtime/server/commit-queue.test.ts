import { AsyncLocalStorage } from "node:async_hooks"
import { afterEach, describe, expect, it, vi } from "vitest"
import { RealtimeError } from "../errors.ts"
import { createMemoryLog } from "../log/memory.ts"
import type { LogEntry } from "../log/message-log.ts"
import { createCommitQueue } from "./commit-queue.ts"

const entry = (text: string, channel = "room:1"): LogEntry => ({
  id: crypto.randomUUID(),
  channel,
  event: "said",
  payload: { text },
  from: null,
})

/** A log that counts its transactions and commits when it is told to. */
function createGatedLog() {
  const log = createMemoryLog()
  const groups: number[] = []
  let gate: Promise<void> = Promise.resolve()
  return {
    groups,
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>()
      gate = promise
      return resolve
    },
    log: {
      ...log,
      async append(entries: readonly LogEntry[]) {
        groups.push(entries.length)
        await gate
        return log.append(entries)
      },
    },
  }
}

describe("the commit queue", () => {
  it("commits alone what comes alone, and together what comes while a commit is under way", async () => {
    const { log, groups, hold } = createGatedLog()
    const queue = createCommitQueue({ log, onCommit: async () => {} })
    await queue.add([entry("alone")])
    const release = hold()
    const first = queue.add([entry("first")])
    while (groups.length < 2) await new Promise((resolve) => setImmediate(resolve))
    const others = Array.from({ length: 50 }, (_, index) => queue.add([entry(String(index))]))
    release()
    const results = await Promise.all([first, ...others])
    expect(groups).toEqual([1, 1, 50])
    expect(results.map(([result]) => result?.seq)).toEqual(results.map((_, index) => index + 2))
  })

  it("commits each group as part of what its first caller is doing, not of what began the queue", async () => {
    const doing = new AsyncLocalStorage<string>()
    const { log, groups, hold } = createGatedLog()
    const seen: unknown[] = []
    const queue = createCommitQueue({
      log,
      async onCommit(entries) {
        seen.push([doing.getStore(), entries.length])
      },
    })
    const release = hold()
    const first = doing.run("one", () => queue.add([entry("1")]))
    while (groups.length < 1) await new Promise((resolve) => setImmediate(resolve))
    const second = doing.run("two", () => queue.add([entry("2")]))
    const third = doing.run("three", () => queue.add([entry("3")]))
    release()
    await Promise.all([first, second, third])
    expect(seen).toEqual([
      ["one", 1],
      ["two", 2],
    ])
  })

  it("says once that the log is out, and once more when it is out again", async () => {
    const memory = createMemoryLog()
    let isOut = true
    const refusal = new RealtimeError("log-unavailable", { message: "unable to append; it is out" })
    const append: typeof memory.append = (entries) =>
      isOut ? Promise.reject(refusal) : memory.append(entries)
    const onOutage = vi.fn()
    const queue = createCommitQueue({ log: { ...memory, append }, onCommit: async () => {}, onOutage })
    for (const state of [true, true, false, false, true]) {
      isOut = state
      await queue.add([entry("x")]).catch(() => {})
    }
    expect(onOutage.mock.calls).toEqual([[refusal], [refusal]])
  })

  it("keeps a call whole and a group within its limit", async () => {
    const { log, groups } = createGatedLog()
    const queue = createCommitQueue({ log, maxGroup: 5, onCommit: async () => {} })
    await Promise.all([3, 3, 9, 1].map((size) => queue.add(Array.from({ length: size }, () => entry("x")))))
    expect(groups).toEqual([3, 3, 9, 1])
  })

  it("hands on each group before its callers learn of it", async () => {
    const order: string[] = []
    const queue = createCommitQueue({
      log: createMemoryLog(),
      async onCommit(entries) {
        await Promise.resolve()
        order.push(`handed on ${entries.length}`)
      },
    })
    await queue.add([entry("x")]).then(() => order.push("answered"))
    expect(order).toEqual(["handed on 1", "answered"])
  })

  it("fails those whose commit failed, and nobody else", async () => {
    const { log } = createGatedLog()
    let isFull = true
    const failing = {
      ...log,
      async append(entries: readonly LogEntry[]) {
        if (isFull)
          throw new RealtimeError("log-unavailable", { message: "unable to append; the disk is full" })
        return log.append(entries)
      },
    }
    const queue = createCommitQueue({ log: failing, onCommit: async () => {} })
    await expect(queue.add([entry("lost")])).rejects.toMatchObject({
      code: "log-unavailable",
      retryable: true,
    })
    isFull = false
    expect((await queue.add([entry("kept")]))[0]?.seq).toBe(1)
  })

  it("refuses more than may wait, and says when to come back", async () => {
    const { log, hold } = createGatedLog()
    const release = hold()
    const queue = createCommitQueue({ log, maxWaiting: 2, onCommit: async () => {} })
    const accepted = queue.add([entry("1"), entry("2")])
    await expect(queue.add([entry("3")])).rejects.toMatchObject({ code: "rate-limited", retryAfterMs: 1000 })
    release()
    await accepted
    await queue.idle()
  })

  it("is idle when everything was handed on", async () => {
    let handedOn = 0
    const queue = createCommitQueue({
      log: createMemoryLog(),
      async onCommit() {
        await new Promise((resolve) => setImmediate(resolve))
        handedOn += 1
      },
    })
    void queue.add([entry("x")])
    await queue.idle()
    expect(handedOn).toBe(1)
  })

  it("is idle when all that was added is answered, whatever is added meanwhile", async () => {
    let isOver = false
    const queue = createCommitQueue({ log: createMemoryLog(), onCommit: async () => {} })
    const publishing = (async () => {
      while (!isOver) await Promise.all([queue.add([entry("steady")]), queue.add([entry("and more")])])
    })()
    await queue.idle()
    isOver = true
    await publishing
  })
})

describe("on a disk that is faster than the messages come, the commit queue", () => {
  afterEach(() => void vi.useRealTimers())

  /** Its timers stand still until the test moves them; the event loop's own turns go on. */
  function createQueue() {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] })
    vi.advanceTimersByTime(1_000)
    const { log, groups } = createGatedLog()
    return { groups, queue: createCommitQueue({ log, gatherMs: 10, onCommit: async () => {} }) }
  }
  const turn = async () => {
    for (let n = 0; n < 20; n += 1) await new Promise((resolve) => setImmediate(resolve))
  }

  it("gathers while calls keep coming, for its time at most, once there was company", async () => {
    const { queue, groups } = createQueue()
    await Promise.all([queue.add([entry("1")]), queue.add([entry("2")])])
    const calls = [queue.add([entry("3")])]
    await turn()
    for (const ms of [3, 3, 3]) {
      vi.advanceTimersByTime(ms)
      calls.push(queue.add([entry("more")]))
      await turn()
    }
    expect(groups).toEqual([2])
    vi.advanceTimersByTime(1)
    await Promise.all(calls)
    expect(groups).toEqual([2, 4])
  })

  it("gathers no longer once nobody came for 4 ms", async () => {
    const { queue, groups } = createQueue()
    await Promise.all([queue.add([entry("1")]), queue.add([entry("2")])])
    const calls = [queue.add([entry("3")]), queue.add([entry("4")])]
    await turn()
    vi.advanceTimersByTime(3)
    await turn()
    expect(groups).toEqual([2])
    vi.advanceTimersByTime(1)
    await Promise.all(calls)
    expect(groups).toEqual([2, 2])
  })

  it("never keeps whoever is alone waiting", async () => {
    const { queue, groups } = createQueue()
    for (let n = 0; n < 5; n += 1) await queue.add([entry(String(n))])
    expect(groups).toEqual([1, 1, 1, 1, 1])
  })

  it("keeps one waiting once when the others are gone, and then no more", async () => {
    const { queue, groups } = createQueue()
    await Promise.all([queue.add([entry("1")]), queue.add([entry("2")])])
    const third = queue.add([entry("3")])
    await turn()
    vi.advanceTimersByTime(10)
    await third
    await queue.add([entry("4")])
    expect(groups).toEqual([2, 1, 1])
  })

  it("waits no longer than since the last commit, and not for more than pays", async () => {
    const { queue, groups } = createQueue()
    await Promise.all([queue.add([entry("1")]), queue.add([entry("2")])])
    vi.advanceTimersByTime(10)
    await Promise.all([queue.add([entry("3")]), queue.add([entry("4")])])
    const many = Array.from({ length: 64 }, (_, n) => entry(String(n)))
    const first = many.slice(0, 63).map((one) => queue.add([one]))
    await turn()
    expect(groups).toEqual([2, 2])
    await Promise.all([...first, ...many.slice(63).map((one) => queue.add([one]))])
    expect(groups).toEqual([2, 2, 64])
  })
})
