import "fake-indexeddb/auto"
import { IDBFactory } from "fake-indexeddb"
import { afterEach, describe, expect, it, vi } from "vitest"
import { RealtimeError, type RealtimeErrorCode } from "../errors.ts"
import fc from "../testing/fast-check.ts"
import { waitLimit } from "../testing/wait-for.ts"
import type { OutgoingMessage, PublishResult } from "../transport.ts"
import { createOutbox, type Outbox } from "./outbox.ts"
import { createTabBus } from "./outbox-bus.ts"
import { createIndexedDbStore, createMemoryStore, type OutboxStore } from "./outbox-store.ts"
import { createTabLock } from "./tab-turns.ts"

type Deliver = (channel: string, messages: readonly OutgoingMessage[]) => Promise<PublishResult[]>

const room = "room:1"
let owners = 0
let ids = 0
const opened: Outbox[] = []

afterEach(() => {
  for (const outbox of opened.splice(0)) outbox.close()
})

/** A log that takes each id once, as the server's does. */
function createServer() {
  const log: string[] = []
  const requests: string[][] = []
  /** What answers instead, while it is set. */
  let answer: Deliver | null = null
  function answerWith(next: Deliver | null): void {
    answer = next
  }
  const deliver: Deliver = async (channel, messages) => {
    requests.push(messages.map(({ id }) => id))
    if (answer) return answer(channel, messages)
    return messages.map(({ id }) => {
      if (!log.includes(id)) log.push(id)
      return { receipt: { id, seq: log.indexOf(id) + 1, epoch: "e", at: 0 } }
    })
  }
  return { log, requests, deliver, answerWith }
}

/** A tab of this person's browser. Closing it without `close()` is a crash. */
function openTab(
  owner: string,
  deliver: Deliver,
  { store = createIndexedDbStore(owner) }: { store?: OutboxStore } = {},
) {
  const errors: string[] = []
  const causes: unknown[] = []
  const outbox = createOutbox({
    store,
    bus: createTabBus(owner),
    exclusively: createTabLock(`realtime-outbox:${owner}`),
    deliver,
    onError(cause, { stage }) {
      errors.push(stage)
      causes.push(cause)
    },
  })
  opened.push(outbox)
  outbox.open()
  return {
    outbox,
    errors,
    causes,
    say(text: string, channel = room) {
      ids += 1
      const id = `${text}-${ids}`
      outbox.add(channel, { id, event: "said", payload: { text } })
      return id
    },
    states: (channel = room) => outbox.messages(channel).map(({ state }) => state),
  }
}

function newOwner(): string {
  owners += 1
  return `owner-${owners}`
}
const fail = (code: RealtimeErrorCode) => async (): Promise<never> => {
  throw new RealtimeError(code, { message: code, retryAfterMs: 5 })
}
const never: Deliver = () => new Promise(() => {})
const eventually = (check: () => void | Promise<void>) =>
  vi.waitFor(check, { timeout: waitLimit.ms, interval: 5 })
const storedBy = async (owner: string) => (await createIndexedDbStore(owner).load()).map(({ id }) => id)

describe("an outbox", () => {
  it("stores a message before it leaves, and forgets it once the log has it", async () => {
    const owner = newOwner()
    const server = createServer()
    const storedWhenSent: string[][] = []
    const tab = openTab(owner, async (channel, messages) => {
      storedWhenSent.push(await storedBy(owner))
      return server.deliver(channel, messages)
    })
    tab.outbox.subscribe(room, () => {})
    const id = tab.say("a")
    expect(tab.states()).toEqual(["queued"])
    await eventually(() => expect(tab.states()).toEqual(["sent"]))
    expect(storedWhenSent).toEqual([[id]])
    await eventually(async () => expect(await storedBy(owner)).toEqual([]))
    tab.outbox.arrived(room, new Set([id]))
    expect(tab.states()).toEqual([])
  })

  it("lets nothing leave before it is stored, also while another is under way", async () => {
    const owner = newOwner()
    const stored = createIndexedDbStore(owner)
    const disk = Promise.withResolvers<void>()
    const store: OutboxStore = {
      ...stored,
      async add(message) {
        if (message.id.startsWith("slow")) await disk.promise
        return stored.add(message)
      },
    }
    const server = createServer()
    const answer = Promise.withResolvers<void>()
    const tab = openTab(
      owner,
      async (channel, messages) => {
        await answer.promise
        return server.deliver(channel, messages)
      },
      { store },
    )
    const [first, second] = [tab.say("a"), tab.say("slow")]
    await eventually(() => expect(tab.states()).toEqual(["sending", "queued"]))
    answer.resolve()
    await eventually(async () => expect(await storedBy(owner)).toEqual([]))
    expect([server.log, tab.states()]).toEqual([[first], ["queued"]])
    disk.resolve()
    await eventually(() => expect(server.log).toEqual([first, second]))
  })

  it("goes on after a crash with what was left, in order, before what is written then", async () => {
    const owner = newOwner()
    const crashed = openTab(owner, fail("not-connected"))
    const before = ["a", "b", "c"].map((text) => crashed.say(text))
    await eventually(async () => expect(await storedBy(owner)).toEqual(before))
    crashed.outbox.close()

    const server = createServer()
    const tab = openTab(owner, server.deliver)
    await eventually(() => expect(server.log).toEqual(before))
    const after = tab.say("d")
    await eventually(() => expect(server.log).toEqual([...before, after]))
  })

  it("sends again what the log took without the page learning it; the id makes it one", async () => {
    const owner = newOwner()
    const server = createServer()
    const crashed = openTab(owner, async (channel, messages) => {
      await server.deliver(channel, messages)
      return never(channel, messages)
    })
    const id = crashed.say("a")
    await eventually(() => expect(server.log).toEqual([id]))
    crashed.outbox.close()
    const isHeld = await navigator.locks.query()
    // The lock of a page ends with it; this one's page is the test's.
    expect(isHeld.held?.some(({ name }) => name?.includes(owner))).toBe(true)
    const tab = createOutbox({
      store: createIndexedDbStore(owner),
      bus: createTabBus(owner),
      exclusively: (_, task) => task(),
      deliver: server.deliver,
      onError: () => {},
    })
    opened.push(tab)
    tab.open()
    await eventually(async () => expect(await storedBy(owner)).toEqual([]))
    expect([server.log, server.requests.length]).toEqual([[id], 2])
  })

  it("isn't disturbed by an answer that comes after it was closed; the next page learns it by asking", async () => {
    const owner = newOwner()
    const server = createServer()
    const answer = Promise.withResolvers<void>()
    const leaving = openTab(owner, async (channel, messages) => {
      await answer.promise
      return server.deliver(channel, messages)
    })
    const sent = [leaving.say("a"), leaving.say("b")]
    await eventually(() => expect(leaving.states()).toEqual(["sending", "sending"]))
    leaving.outbox.close()
    answer.resolve()
    await eventually(() => expect(server.log).toEqual(sent))
    // Vitest fails a run in which a rejection is left alone.
    await new Promise((resolve) => setImmediate(resolve))
    expect(leaving.errors).toEqual([])
    openTab(owner, server.deliver)
    await eventually(async () => expect(await storedBy(owner)).toEqual([]))
    expect(server.log).toEqual(sent)
  })

  it("stores and sends what the page itself refused, once somebody asks for it", async () => {
    const owner = newOwner()
    const server = createServer()
    const tab = openTab(owner, server.deliver)
    const error = new RealtimeError("invalid-payload", { message: "a number is expected" })
    tab.outbox.add(room, { id: "odd", event: "said", payload: {} }, error)
    expect(tab.outbox.messages(room)).toMatchObject([{ id: "odd", state: "refused", error }])
    expect(await storedBy(owner)).toEqual([])
    const next = tab.say("next")
    await eventually(() => expect(server.log).toEqual([next]))
    tab.outbox.retry("odd")
    tab.outbox.retry("odd")
    await eventually(() => expect(server.log).toEqual([next, "odd"]))
    await eventually(async () => expect(await storedBy(owner)).toEqual([]))
  })

  it("keeps a refused message to show, and lets the next ones pass", async () => {
    const owner = newOwner()
    const server = createServer()
    let isRefusing = true
    const tab = openTab(owner, async (channel, messages) => {
      const results = await server.deliver(
        channel,
        messages.filter(({ id }) => !isRefusing || !id.startsWith("bad")),
      )
      return messages.map((message) =>
        isRefusing && message.id.startsWith("bad")
          ? { error: new RealtimeError("channel-denied", { message: "no" }) }
          : (results.shift() as PublishResult),
      )
    })
    const [first, bad, last] = ["a", "bad", "b"].map((text) => tab.say(text))
    await eventually(() => expect(server.log).toEqual([first, last]))
    await eventually(() => expect(tab.outbox.messages(room)).toMatchObject([{ id: bad, state: "refused" }]))
    tab.outbox.close()

    const next = openTab(owner, server.deliver)
    await eventually(() =>
      expect(next.outbox.messages(room)).toMatchObject([
        { id: bad, state: "refused", error: { code: "channel-denied", message: "[realtime] no" } },
      ]),
    )
    isRefusing = false
    next.outbox.retry(bad as string)
    await eventually(() => expect(server.log).toEqual([first, last, bad]))
    expect(await storedBy(owner)).toEqual([])
  })

  it("tries again in its place what the server fails at, and lets nothing pass", async () => {
    const server = createServer()
    let isFailing = true
    const tab = openTab(newOwner(), async (channel, messages) => {
      const bad = messages.findIndex(({ id }) => isFailing && id.startsWith("bad"))
      const taken = bad < 0 ? messages : messages.slice(0, bad)
      return [
        ...(await server.deliver(channel, taken)),
        ...messages.slice(taken.length).map(() => ({
          error: new RealtimeError("internal", { message: "the server failed", retryAfterMs: 3_600_000 }),
        })),
      ]
    })
    const before = Array.from({ length: 60 }, () => tab.say("before"))
    const behind = Array.from({ length: 60 }, (_, n) => tab.say(n === 0 ? "bad" : "behind"))
    await eventually(() => expect(server.log).toEqual(before))
    await eventually(() => expect(tab.states()).toContain("failed"))
    isFailing = false
    tab.outbox.wake()
    await eventually(() => expect(server.log).toEqual([...before, ...behind]))
  })

  it.each([
    ["a proxy that takes 1 MiB", 1024, 50],
    ["one that takes 100 KiB", 100, 49],
  ])("sends fifty messages of 24 KiB by %s, and refuses what is too large alone", async (_, limit, taken) => {
    const server = createServer()
    let largest = 0
    const tab = openTab(newOwner(), async (channel, messages) => {
      largest = Math.max(largest, JSON.stringify(messages).length)
      if (JSON.stringify(messages).length > limit * 1024)
        throw new RealtimeError("message-too-large", { message: "it answered 413 without a reason" })
      return server.deliver(channel, messages)
    })
    const written = Array.from({ length: 50 }, (_, n) =>
      tab.say(String(n).padEnd((n === 7 ? 120 : 24) * 1024)),
    )
    const fitting = written.filter((_, n) => taken === 50 || n !== 7)
    await eventually(() => expect(server.log.length + tab.states().length).toBe(50))
    await eventually(() => expect(tab.states()).toEqual(Array(50 - taken).fill("refused")))
    expect(server.log.map((id) => id.trim())).toEqual(fitting.map((id) => id.trim()))
    // Brackets and commas aside.
    expect(largest).toBeLessThan(257 * 1024)
  })

  it("says why a message that doesn't go through waits, and sends it when it can", async () => {
    const server = createServer()
    server.answerWith(fail("provider-unavailable"))
    const tab = openTab(newOwner(), server.deliver)
    const id = tab.say("a")
    await eventually(() =>
      expect(tab.outbox.messages(room)).toMatchObject([
        { state: "failed", error: { code: "provider-unavailable" } },
      ]),
    )
    server.answerWith(null)
    await eventually(() => expect(server.log).toEqual([id]))
  })

  it("waits without a connection, and leaves with `wake`", async () => {
    const server = createServer()
    let isOnline = false
    const tab = openTab(newOwner(), async (channel, messages) => {
      if (isOnline) return server.deliver(channel, messages)
      throw new RealtimeError("not-connected", { message: "offline", retryAfterMs: 3_600_000 })
    })
    const ids = ["a", "b"].map((text) => tab.say(text))
    await eventually(() => expect(tab.states()).toEqual(["queued", "queued"]))
    isOnline = true
    tab.outbox.wake()
    await eventually(() => expect(server.log).toEqual(ids))
  })

  it("forgets what is thrown away, in every tab", async () => {
    const owner = newOwner()
    const tabs = [openTab(owner, fail("not-connected")), openTab(owner, fail("not-connected"))] as const
    const id = tabs[0].say("a")
    await eventually(() => expect(tabs[1].states()).toEqual(["queued"]))
    await eventually(() => {
      tabs[0].outbox.discard(id)
      expect(tabs.flatMap((tab) => tab.states())).toEqual([])
    })
    await eventually(async () => expect(await storedBy(owner)).toEqual([]))
  })

  it("is one for all tabs: what one wrote another sends, once", async () => {
    const owner = newOwner()
    const server = createServer()
    const [one, two] = [openTab(owner, server.deliver), openTab(owner, server.deliver)]
    const written = Array.from({ length: 20 }, (_, index) => [
      one.say(`one-${index}`),
      two.say(`two-${index}`),
    ]).flat()
    await eventually(() => expect(server.log).toHaveLength(40))
    await eventually(async () => expect(await storedBy(owner)).toEqual([]))
    expect([...server.log].sort()).toEqual([...written].sort())
    expect(server.requests.flat()).toHaveLength(40)
    for (const name of ["one", "two"]) {
      const own = (list: string[]) => list.filter((id) => id.startsWith(name))
      expect(own(server.log)).toEqual(own(written))
    }
  })

  it("takes over what a closed tab has left, without a reload", async () => {
    const owner = newOwner()
    const server = createServer()
    const dying = openTab(owner, fail("not-connected"))
    const other = openTab(owner, server.deliver)
    const id = dying.say("a")
    await eventually(() => expect(other.outbox.messages(room).length + server.log.length).toBeGreaterThan(0))
    dying.outbox.close()
    other.outbox.wake()
    await eventually(() => expect(server.log).toEqual([id]))
  })

  it("keeps what several people of one browser wrote apart", async () => {
    const owner = newOwner()
    const mine = openTab(owner, fail("not-connected"))
    mine.say("secret")
    await eventually(async () => expect(await storedBy(owner)).toHaveLength(1))
    mine.outbox.close()
    const server = createServer()
    const theirs = openTab(newOwner(), server.deliver)
    const id = theirs.say("a")
    await eventually(() => expect(server.log).toEqual([id]))
  })

  it.each([
    ["IndexedDB is refused, as in private mode", "load add refuse remove"],
    ["the disk is full", "add"],
  ])("sends all the same when %s, and tells it once", async (_, broken) => {
    const owner = newOwner()
    const whole = createIndexedDbStore(owner)
    const refused = async () => {
      throw new DOMException("no", "QuotaExceededError")
    }
    const store = {
      ...whole,
      ...Object.fromEntries(broken.split(" ").map((name) => [name, refused])),
    } as OutboxStore
    const server = createServer()
    const tab = openTab(owner, server.deliver, { store })
    const ids = ["a", "b", "c"].map((text) => tab.say(text))
    await eventually(() => expect(server.log).toEqual(ids))
    expect(tab.errors.length).toBeGreaterThan(0)
    expect(tab.errors.length).toBeLessThanOrEqual(3)
  })

  it("keeps the order when the disk is slow with some of them", async () => {
    const whole = createIndexedDbStore(newOwner())
    const disk = Promise.withResolvers<void>()
    const store: OutboxStore = {
      ...whole,
      async add(message) {
        if (message.id.startsWith("slow")) await disk.promise
        return whole.add(message)
      },
    }
    const server = createServer()
    const tab = openTab(newOwner(), server.deliver, { store })
    const ids = ["a", "slow", "b"].map((text) => tab.say(text))
    await eventually(() => expect(server.log).toEqual(ids.slice(0, 1)))
    disk.resolve()
    await eventually(() => expect(server.log).toHaveLength(3))
    expect(server.log).toEqual(ids)
  })

  it("goes on behind what was thrown away while it was being stored", async () => {
    const owner = newOwner()
    const whole = createIndexedDbStore(owner)
    const disk = Promise.withResolvers<void>()
    const store: OutboxStore = {
      ...whole,
      async add(message) {
        await disk.promise
        return whole.add(message)
      },
    }
    const server = createServer()
    const tab = openTab(owner, server.deliver, { store })
    const [first, second] = [tab.say("a"), tab.say("b")]
    tab.outbox.discard(first)
    disk.resolve()
    await eventually(() => expect(server.log).toEqual([second]))
  })

  it("keeps the order when the disk has no room for some of them", async () => {
    const owner = newOwner()
    const earlier = openTab(owner, fail("not-connected"))
    const left = ["old", "older"].map((text) => earlier.say(text))
    await eventually(async () => expect(await storedBy(owner)).toEqual(left))
    earlier.outbox.close()
    const whole = createIndexedDbStore(owner)
    const store: OutboxStore = {
      ...whole,
      async add(message) {
        if (message.id.startsWith("large")) throw new DOMException("full", "QuotaExceededError")
        return whole.add(message)
      },
    }
    const server = createServer()
    server.answerWith(fail("not-connected"))
    const tab = openTab(owner, server.deliver, { store })
    await eventually(() => expect(tab.states()).toHaveLength(left.length))
    const ids = [...left, ...["large", "a", "large", "b", "large", "large", "c"].map((text) => tab.say(text))]
    await eventually(() => expect(server.requests.at(-1)).toEqual(ids))
    server.answerWith(null)
    tab.outbox.wake()
    await eventually(() => expect(server.log).toEqual(ids))
  })

  it("says what IndexedDB itself refuses, once, and leaves no failure that nobody handles", async () => {
    const unhandled: unknown[] = []
    const note = (error: unknown) => void unhandled.push(error)
    process.on("unhandledRejection", note)
    const { add } = IDBObjectStore.prototype
    IDBObjectStore.prototype.add = function (...request) {
      const added = add.apply(this, request)
      this.transaction.abort()
      return added
    }
    try {
      const owner = newOwner()
      const server = createServer()
      const tab = openTab(owner, server.deliver)
      const id = tab.say("a")
      await eventually(() => expect(server.log).toEqual([id]))
      await new Promise((resolve) => setImmediate(resolve))
      expect(unhandled).toEqual([])
      expect(tab.errors).toEqual(["write to the outbox"])
    } finally {
      IDBObjectStore.prototype.add = add
      process.off("unhandledRejection", note)
    }
  })

  it("doesn't wait for ever for a disk that never answers", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    try {
      const hangs = () => new Promise<never>(() => {})
      const load = vi.fn(hangs)
      const store = { load, add: hangs, refuse: hangs, remove: hangs, close() {} }
      const server = createServer()
      const tab = openTab(newOwner(), server.deliver, { store })
      const id = tab.say("a")
      await vi.advanceTimersByTimeAsync(4_000)
      expect([server.log, tab.errors]).toEqual([[], []])
      await vi.advanceTimersByTimeAsync(7_000)
      expect(server.log).toEqual([id])
      expect(tab.errors).toEqual(["read the outbox"])
      expect(tab.causes).toMatchObject([
        {
          code: "timeout",
          message: "[realtime] unable to read the outbox; there was no answer in 5000 ms",
        },
      ])
      const others = [tab.say("b"), tab.say("c")]
      await vi.advanceTimersByTimeAsync(0)
      expect(server.log).toEqual([id, ...others])
      expect(load).toHaveBeenCalledTimes(1)
    } finally {
      vi.useRealTimers()
    }
  })

  it("brings nothing back that left while the store was read", async () => {
    const owner = newOwner()
    const real = createIndexedDbStore(owner)
    const read = Promise.withResolvers<void>()
    let isHeldUp = false
    let held = 0
    const store: OutboxStore = {
      ...real,
      async load() {
        const stored = await real.load()
        if (!isHeldUp) return stored
        held += 1
        await read.promise
        return stored
      },
    }
    const server = createServer()
    server.answerWith(fail("not-connected"))
    const tab = openTab(owner, server.deliver, { store })
    const thrown = tab.say("thrown away")
    await eventually(async () => expect(await storedBy(owner)).toHaveLength(1))
    isHeldUp = true
    await eventually(() => {
      tab.outbox.wake()
      expect(held).toBe(1)
    })
    tab.outbox.discard(thrown)
    await eventually(async () => expect(await storedBy(owner)).toEqual([]))
    server.answerWith(null)
    read.resolve()
    const kept = tab.say("kept")
    await eventually(() => expect(server.log).toEqual([kept]))
  })

  it("waits for a disk that never answers once, not for each message, and takes it up when it answers", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    try {
      const owner = newOwner()
      const left = await createIndexedDbStore(owner).add({
        ...{ id: "left behind", channel: room, event: "said", payload: {}, at: 0 },
      })
      expect(left).toBeGreaterThan(0)
      // As an opening is behind that of a page that is stuck: all that is asked is done in the end, in order.
      const disk = Promise.withResolvers<void>()
      const real = createIndexedDbStore(owner)
      const store: OutboxStore = {
        load: () => disk.promise.then(() => real.load()),
        add: (message) => disk.promise.then(() => real.add(message)),
        refuse: (id, refusal) => disk.promise.then(() => real.refuse(id, refusal)),
        remove: (id) => disk.promise.then(() => real.remove(id)),
        close: () => real.close(),
      }
      const server = createServer()
      const tab = openTab(owner, server.deliver, { store })
      const first = tab.say("a")
      await vi.advanceTimersByTimeAsync(5_000)
      const others = [tab.say("b"), tab.say("c")]
      await vi.advanceTimersByTimeAsync(0)
      expect(server.log).toEqual([first, ...others])
      expect(tab.errors).toEqual(["read the outbox"])
      disk.resolve()
      vi.useRealTimers()
      await eventually(() => expect(server.log).toEqual([first, ...others, "left behind"]))
      await eventually(async () => expect(await storedBy(owner)).toEqual([]))
      const last = tab.say("d")
      await eventually(() => expect(server.log).toEqual([first, ...others, "left behind", last]))
      expect(server.requests.flat()).toEqual(server.log)
      expect(tab.errors).toEqual(["read the outbox"])
    } finally {
      vi.useRealTimers()
    }
  })

  it("doesn't wait for a tab that a phone has put to sleep for longer than its patience", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    try {
      const owner = newOwner()
      const woken = Promise.withResolvers<void>()
      const asleep = createTabLock(`realtime-outbox:${owner}`)(room, () => woken.promise)
      const server = createServer()
      const tab = openTab(owner, server.deliver, { store: createMemoryStore() })
      const id = tab.say("a")
      await vi.advanceTimersByTimeAsync(9_000)
      expect(server.log).toEqual([])
      await vi.advanceTimersByTimeAsync(1_000)
      expect(server.log).toEqual([id])
      expect(tab.causes).toMatchObject([{ code: "timeout" }])
      // Its own turn comes late, and there is nothing left to do in it.
      woken.resolve()
      await asleep
      await createTabLock(`realtime-outbox:${owner}`)(room, async () => {})
      expect(server.requests).toEqual([[id]])
    } finally {
      vi.useRealTimers()
    }
  })

  it("lets go of the database when a newer version of the page needs it", async () => {
    vi.stubGlobal("indexedDB", new IDBFactory())
    try {
      const store = createIndexedDbStore(newOwner())
      await store.load()
      const newer = Promise.withResolvers<unknown>()
      const request = indexedDB.open("realtime-outbox", 2)
      request.onsuccess = () => newer.resolve(request.result.version)
      expect(await newer.promise).toBe(2)
    } finally {
      vi.unstubAllGlobals()
    }
  })

  it.each(["constructor", "postMessage"])(
    "goes on without the other tabs where a %s throws",
    async (where) => {
      const Real = BroadcastChannel
      class Broken extends Real {
        constructor(name: string) {
          if (where === "constructor") throw new DOMException("no", "SecurityError")
          super(name)
        }
        override postMessage(): void {
          throw new DOMException("closed", "InvalidStateError")
        }
      }
      vi.stubGlobal("BroadcastChannel", Broken)
      try {
        const server = createServer()
        const tab = openTab(newOwner(), server.deliver)
        const ids = [tab.say("a"), tab.say("b")]
        await eventually(() => expect(server.log).toEqual(ids))
        await eventually(() => expect(tab.states()).toEqual([]))
        expect(tab.errors.filter((stage) => stage === "tell the other tabs")).toHaveLength(1)
      } finally {
        vi.unstubAllGlobals()
      }
    },
  )
})

describe("whatever happens to pages, answers and the network", () => {
  type Step =
    | { kind: "write"; tab: number }
    | { kind: "answer"; how: "well" | "lost" | "failed" | "offline" }
    | { kind: "reload"; tab: number }
    | { kind: "pass" }

  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant("write" as const), tab: fc.nat({ max: 1 }) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("answer" as const),
        how: fc.constantFrom("well" as const, "lost" as const, "failed" as const, "offline" as const),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("reload" as const), tab: fc.nat({ max: 1 }) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("pass" as const) }) },
  )

  it("each message is in the log once, each page's in the order it was written, and none stays behind", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const owner = newOwner()
        const server = createServer()
        const answers: Record<"lost" | "failed" | "offline", Deliver> = {
          async lost(channel, messages) {
            server.answerWith(null)
            await server.deliver(channel, messages)
            server.answerWith(answers.lost)
            throw new RealtimeError("timeout", { message: "lost", retryAfterMs: 1 })
          },
          failed: () =>
            Promise.reject(new RealtimeError("provider-unavailable", { message: "x", retryAfterMs: 1 })),
          offline: () =>
            Promise.reject(new RealtimeError("not-connected", { message: "x", retryAfterMs: 1 })),
        }
        const tabs = [openTab(owner, server.deliver), openTab(owner, server.deliver)]
        const written: string[][] = [[], []]
        for (const one of steps) {
          if (one.kind === "write") {
            written[one.tab]?.push((tabs[one.tab] as (typeof tabs)[0]).say(`t${one.tab}`))
          } else if (one.kind === "answer") server.answerWith(one.how === "well" ? null : answers[one.how])
          else if (one.kind === "reload") {
            // What was being stored when the page went is the browser's to finish.
            await eventually(async () => {
              const known = new Set([...(await storedBy(owner)), ...server.log])
              expect(written[one.tab]?.every((id) => known.has(id))).toBe(true)
            })
            tabs[one.tab]?.outbox.close()
            tabs[one.tab] = openTab(owner, server.deliver)
          } else await new Promise((resolve) => setTimeout(resolve, 1))
        }
        server.answerWith(null)
        for (const { outbox } of tabs) outbox.wake()
        const all = written.flat()
        await eventually(() => expect(server.log).toHaveLength(all.length))
        await eventually(async () => expect(await storedBy(owner)).toEqual([]))
        for (const { outbox } of tabs.splice(0)) outbox.close()
        expect([...server.log].sort()).toEqual([...all].sort())
        for (const ofTab of written) expect(server.log.filter((id) => ofTab.includes(id))).toEqual(ofTab)
      }),
      { numRuns: 300 },
    )
  })
})
