import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { RealtimeError } from "../errors.ts"
import { memoryCapabilities } from "../providers/memory/capabilities.ts"
import type {
  ChannelObserver,
  ConnectionState,
  RealtimeTransport,
  TransportStatus,
  TransportSubscription,
} from "../transport.ts"
import * as failover from "./failover-transport.ts"
import { createListedTransport } from "./listed-transport.ts"

const patienceMs = 1_000
const returnMs = 60_000
const lost = new RealtimeError("provider-unavailable", { message: "lost" })

/** A provider's transport that does what the test says, and notes what it is asked. */
function createLeg(provider: string) {
  const listeners = new Set<(status: TransportStatus) => void>()
  const observers = new Map<string, ChannelObserver>()
  const asked: string[] = []
  let status: TransportStatus = { state: "connecting" }
  const transport: RealtimeTransport = {
    provider,
    capabilities: { ...memoryCapabilities, signalsPassServer: true, maxPresenceMembers: provider.length },
    get status() {
      return status
    },
    onStatus(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    connect: () => void asked.push("connect"),
    subscribe(channel, observer): TransportSubscription {
      observers.set(channel, observer)
      return {
        signal: async (event) => void asked.push(`signal ${event}`),
        watchPresence: () => void asked.push(`watch ${channel}`),
        async enterPresence(data) {
          asked.push(`enter ${channel} ${data}`)
          if (leg.refusal) throw leg.refusal
        },
        leavePresence: async () => void asked.push(`leave ${channel}`),
        unsubscribe: () => void asked.push(`unsubscribe ${channel}`),
      }
    },
    publish: async () => {
      asked.push("publish")
      return []
    },
    async close() {
      asked.push("close")
      status = { state: "closed" }
    },
  }
  const leg = {
    transport,
    asked,
    /** Who enters is refused with it. */
    refusal: null as RealtimeError | null,
    observer: (channel = "a") => observers.get(channel) as ChannelObserver,
    set(state: ConnectionState, error?: RealtimeError) {
      status = { state, error }
      for (const listener of listeners) listener(status)
    },
    /** Connects, and carries these channels. */
    carry(...channels: string[]) {
      this.set("connected")
      for (const channel of channels) observers.get(channel)?.onAttached()
    },
  }
  return leg
}

type Leg = ReturnType<typeof createLeg>

/** The transport over scripted ones, and what the application above is told. */
function open(
  providers = ["one", "two", "three"],
  channels = ["a"],
  create: typeof failover.createFailoverTransport = failover.createFailoverTransport,
) {
  const made: Leg[] = []
  const toCandidates = (names: string[]) =>
    names.map((provider) => ({
      provider,
      key: provider,
      create() {
        const leg = createLeg(provider)
        made.push(leg)
        return leg.transport
      },
    }))
  const transport = create({ candidates: toCandidates(providers), patienceMs, returnMs })
  const told: string[] = []
  transport.onStatus(
    ({ state, error }) =>
      void told.push(error ? `${state}: ${error.message.slice("[realtime] ".length)}` : state),
  )
  const seen: string[] = []
  const subscriptions = channels.map((channel) =>
    transport.subscribe(channel, {
      cursor: () => ({ epoch: "e", seq: 7 }),
      onAttached: (page) => void seen.push(page ? `${channel} attached with a page` : `${channel} attached`),
      onDetached: () => void seen.push(`${channel} detached`),
      onDenied: ({ code }) => void seen.push(`${channel} ${code}`),
      onMessages: (messages) => void seen.push(`${channel} ${messages.length} messages`),
      onSignal: ({ event }) => void seen.push(`${channel} signal ${event}`),
      onPresence: ({ count }) => void seen.push(`${channel} presence ${count}`),
    }),
  )
  transport.connect()
  return {
    transport,
    made,
    told,
    seen,
    subscription: subscriptions[0] as TransportSubscription,
    leg: (index: number) => made[index] as Leg,
    names: () => made.map(({ transport: { provider } }) => provider),
    list: (...names: string[]) => transport.setCandidates(toCandidates(names)),
  }
}

/** One is away and two carries everything. */
function openOnSecond(...given: Parameters<typeof open>) {
  const page = open(...given)
  vi.advanceTimersByTime(patienceMs)
  page.leg(1).carry("a", "b")
  return page
}

const signal = (event: string) => ({ ...({} as Parameters<ChannelObserver["onSignal"]>[0]), event })

describe("a transport over several providers", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    vi.spyOn(Math, "random").mockReturnValue(0.5)
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.restoreAllMocks()
    vi.unstubAllGlobals()
  })

  it("needs a provider", () => {
    const none = { candidates: [] }
    expect(() => failover.createFailoverTransport(none)).toThrow("there is no provider")
  })

  it("passes on what the provider in use says, and asks it for the cursor", () => {
    const { leg, seen } = open()
    const observer = leg(0).observer()
    expect(observer.cursor()).toEqual({ epoch: "e", seq: 7 })
    observer.onAttached({ head: { epoch: "e", seq: 7, first: 1 }, messages: [] })
    observer.onMessages([])
    observer.onSignal(signal("typing"))
    observer.onPresence({ count: 2, members: null })
    observer.onDetached()
    observer.onDenied(new RealtimeError("channel-denied", { message: "no" }))
    expect(seen).toEqual([
      ...["a attached with a page", "a 0 messages", "a signal typing", "a presence 2"],
      ...["a detached", "a channel-denied"],
    ])
  })

  it("passes on only the messages of the one that is rising, and nothing of one that is gone", () => {
    const { leg, seen } = open(["one", "two"], ["a", "b"])
    leg(0).carry("a", "b")
    leg(0).set("reconnecting", lost)
    vi.advanceTimersByTime(patienceMs)
    seen.length = 0
    const rising = leg(1).observer()
    rising.onMessages([])
    rising.onSignal(signal("typing"))
    rising.onPresence({ count: 3, members: null })
    rising.onDetached()
    expect(seen).toEqual(["a 0 messages"])
    leg(0).set("connected")
    expect(leg(1).asked).toContain("close")
    rising.onMessages([])
    rising.onAttached()
    rising.onDetached()
    rising.onDenied(new RealtimeError("channel-denied", { message: "no" }))
    rising.onPresence({ count: 3, members: null })
    expect(seen).toEqual(["a 0 messages"])
  })

  it("passes nothing on after leaving", () => {
    const { leg, seen, subscription } = open()
    const observer = leg(0).observer()
    subscription.unsubscribe()
    subscription.unsubscribe()
    expect(leg(0).asked).toEqual(["connect", "unsubscribe a"])
    observer.onAttached()
    observer.onDetached()
    observer.onMessages([])
    observer.onSignal(signal("typing"))
    observer.onPresence({ count: 1, members: null })
    observer.onDenied(lost)
    expect(seen).toEqual([])
  })

  it("tells each change of its status once, also another reason for the same", () => {
    const { leg, told } = open()
    leg(0).set("connecting")
    leg(0).set("reconnecting", lost)
    leg(0).set("reconnecting", lost)
    leg(0).set("reconnecting", new RealtimeError("timeout", { message: "late" }))
    leg(0).set("connected")
    expect(told).toEqual(["reconnecting: lost", "reconnecting: late", "connected"])
  })

  it("calls nobody who stopped listening", () => {
    const { leg, transport } = open()
    const states: string[] = []
    transport.onStatus(({ state }) => void states.push(state))()
    leg(0).set("connected")
    expect(states).toEqual([])
  })

  it("opens the next when its patience is over, and not before", () => {
    const { names, leg, transport } = open()
    vi.advanceTimersByTime(patienceMs - 1)
    expect(names()).toEqual(["one"])
    vi.advanceTimersByTime(1)
    expect(names()).toEqual(["one", "two"])
    expect(leg(1).asked).toEqual(["connect"])
    expect(transport.provider).toBe("one")
  })

  it("is patient anew each time that the connection was there", () => {
    const { names, leg } = open()
    vi.advanceTimersByTime(patienceMs - 1)
    leg(0).set("connected")
    vi.advanceTimersByTime(10 * patienceMs)
    leg(0).set("reconnecting")
    vi.advanceTimersByTime(patienceMs - 1)
    expect(names()).toEqual(["one"])
    leg(0).set("suspended")
    vi.advanceTimersByTime(1)
    expect(names()).toEqual(["one", "two"])
  })

  it("doesn't wait for a provider that gave up, and shows no end while there are others", () => {
    const { names, leg, told } = open(["one", "two"])
    leg(0).set("failed", lost)
    expect([names(), told]).toEqual([["one", "two"], ["reconnecting: lost"]])
    leg(1).set("failed", lost)
    expect(told.at(-1)).toBe("failed: lost")
    expect(names()).toEqual(["one", "two"])
    vi.advanceTimersByTime(10 * patienceMs)
    expect(names()).toEqual(["one", "two"])
  })

  it("lets the next take over once it carries every channel, or was told that it may not", () => {
    const { transport, leg, seen } = open(["one", "two"], ["a", "b"])
    vi.advanceTimersByTime(patienceMs)
    leg(1).set("connected")
    leg(1)
      .observer("a")
      .onAttached({ head: { epoch: "e", seq: 7, first: 1 }, messages: [] })
    leg(1).observer("a").onPresence({ count: 4, members: null })
    expect([transport.provider, seen]).toEqual(["one", []])
    leg(1)
      .observer("b")
      .onDenied(new RealtimeError("channel-denied", { message: "no" }))
    expect([transport.provider, transport.status.state]).toEqual(["two", "connected"])
    expect(transport.capabilities.maxPresenceMembers).toBe("two".length)
    expect(seen).toEqual(["a attached", "a presence 4", "b channel-denied"])
    expect(leg(0).asked).toContain("close")
    expect(leg(1).asked).not.toContain("close")
  })

  it("isn't ready when its channels are there before its connection", () => {
    const { transport, leg } = open(["one", "two"])
    vi.advanceTimersByTime(patienceMs)
    leg(1).observer().onAttached()
    expect(transport.provider).toBe("one")
    leg(1).set("connected")
    expect(transport.provider).toBe("two")
  })

  it("doesn't wait for a channel that was left meanwhile", () => {
    const { transport, leg, subscription } = open(["one", "two"])
    vi.advanceTimersByTime(patienceMs)
    leg(1).set("connected")
    expect(transport.provider).toBe("one")
    subscription.unsubscribe()
    expect(transport.provider).toBe("two")
    expect(leg(1).asked).toEqual(["connect", "unsubscribe a"])
  })

  it("goes on to the one after, and round, while none works", () => {
    const { names, leg } = open()
    vi.advanceTimersByTime(patienceMs)
    leg(1).set("reconnecting")
    vi.advanceTimersByTime(patienceMs)
    expect(names()).toEqual(["one", "two", "three"])
    expect(leg(1).asked).toEqual(["connect", "close"])
    vi.advanceTimersByTime(patienceMs)
    expect(names()).toEqual(["one", "two", "three", "two"])
    leg(3).set("failed")
    expect(names().at(-1)).toBe("three")
  })

  it("gives the next ones more time in each round that none was ready in, and begins anew once one was", () => {
    const { names, leg } = open()
    const lives = (attempts: number) => {
      const found: number[] = []
      for (let attempt = 0; attempt < attempts; attempt += 1) {
        const before = names().length
        let lived = 0
        for (; names().length === before; lived += 100) vi.advanceTimersByTime(100)
        found.push(lived / patienceMs)
      }
      return found
    }
    // The first is the patience with the one in use.
    expect(lives(1)).toEqual([1])
    expect(lives(11)).toEqual([1, 1, 2, 2, 4, 4, 8, 8, 8, 8, 8])
    leg(names().length - 1).carry("a")
    leg(names().length - 1).set("reconnecting")
    expect(lives(3)).toEqual([1, 1, 1])
  })

  it("doesn't give the better one more time while the one in use works", () => {
    const { names, leg } = openOnSecond(["one", "two"])
    vi.advanceTimersByTime(returnMs)
    vi.advanceTimersByTime(patienceMs)
    expect(leg(2).asked).toContain("close")
    vi.advanceTimersByTime(2 * returnMs)
    expect(names()).toHaveLength(4)
    vi.advanceTimersByTime(patienceMs)
    expect(leg(3).asked).toContain("close")
  })

  it("drops the next when the one in use is back first", () => {
    const { names, leg } = open()
    vi.advanceTimersByTime(patienceMs)
    leg(0).set("connected")
    expect(leg(1).asked).toEqual(["connect", "close"])
    vi.advanceTimersByTime(100 * returnMs)
    expect(names()).toEqual(["one", "two"])
  })

  it("goes back to the preferred one after a while, and closes the other when it carries all", () => {
    const { names, leg, transport } = openOnSecond()
    vi.advanceTimersByTime(returnMs - 1)
    expect(names()).toEqual(["one", "two"])
    vi.advanceTimersByTime(1)
    expect(names()).toEqual(["one", "two", "one"])
    leg(2).carry("a")
    expect(transport.provider).toBe("one")
    expect(leg(1).asked).toContain("close")
    vi.advanceTimersByTime(100 * returnMs)
    expect(names()).toEqual(["one", "two", "one"])
  })

  it("goes on waiting for the better one while the one in use comes and goes", () => {
    const { leg, transport } = openOnSecond()
    vi.advanceTimersByTime(returnMs)
    leg(1).set("reconnecting")
    leg(1).set("connected")
    expect(leg(2).asked).toEqual(["connect"])
    leg(2).carry("a")
    expect(transport.provider).toBe("one")
  })

  it("waits twice as long after each attempt in vain, ten minutes at most", () => {
    const { names, leg } = openOnSecond(["one", "two"])
    const pauses: number[] = []
    for (let attempt = 0; attempt < 6; attempt += 1) {
      const before = names().length
      let waited = 0
      for (; names().length === before; waited += 1_000) vi.advanceTimersByTime(1_000)
      pauses.push(waited)
      leg(before).set("failed")
    }
    expect(pauses).toEqual([60_000, 120_000, 240_000, 480_000, 600_000, 600_000])
  })

  it("begins with short pauses anew once it was on the preferred one, not on another", () => {
    const { names, leg } = openOnSecond()
    vi.advanceTimersByTime(returnMs)
    leg(2).set("failed")
    leg(1).set("failed")
    leg(3).carry("a")
    expect(names()).toEqual(["one", "two", "one", "three"])
    vi.advanceTimersByTime(2 * returnMs - 1)
    expect(names()).toHaveLength(4)
    vi.advanceTimersByTime(1)
    leg(4).carry("a")
    leg(4).set("failed")
    leg(5).carry("a")
    vi.advanceTimersByTime(returnMs)
    expect(names()).toEqual(["one", "two", "one", "three", "one", "two", "one"])
  })

  it("doesn't go back in step with other pages", () => {
    vi.mocked(Math.random).mockReturnValue(0.25)
    const { names } = openOnSecond(["one", "two"])
    vi.advanceTimersByTime(0.75 * returnMs - 1)
    expect(names()).toHaveLength(2)
    vi.advanceTimersByTime(1)
    expect(names()).toHaveLength(3)
  })

  it("counts the time to go back from when the one in use was there last", () => {
    const { names, leg } = openOnSecond(["one", "two"])
    vi.advanceTimersByTime(returnMs / 2)
    leg(1).set("reconnecting")
    leg(1).set("connected")
    vi.advanceTimersByTime(returnMs - 1)
    expect(names()).toHaveLength(2)
    vi.advanceTimersByTime(1)
    expect(names()).toHaveLength(3)
  })

  it("counts its patience from the last loss, however soon that came", () => {
    const { names, leg } = open(["one", "two"])
    vi.advanceTimersByTime(patienceMs - 1)
    leg(0).carry("a")
    leg(0).set("reconnecting")
    vi.advanceTimersByTime(patienceMs - 1)
    expect(names()).toEqual(["one"])
    vi.advanceTimersByTime(1)
    vi.advanceTimersByTime(patienceMs - 1)
    leg(1).carry("a")
    leg(1).set("reconnecting")
    vi.advanceTimersByTime(patienceMs - 1)
    expect(names()).toEqual(["one", "two"])
  })

  it("isn't ready when a channel is gone again", () => {
    const { transport, leg } = open(["one", "two"], ["a", "b"])
    vi.advanceTimersByTime(patienceMs)
    leg(1).carry("a")
    leg(1).observer("a").onDetached()
    leg(1).observer("b").onAttached()
    expect(transport.provider).toBe("one")
    leg(1).observer("a").onAttached()
    expect(transport.provider).toBe("two")
  })

  it("gives one that gave up another chance once it has moved", () => {
    const { names, leg } = open(["one", "two"])
    leg(0).set("failed")
    leg(1).carry("a")
    leg(1).set("failed")
    expect(names()).toEqual(["one", "two", "one"])
  })

  it("gives one that gave up another chance when the list is another", () => {
    const { names, leg, list } = open(["one", "two"])
    leg(0).set("failed")
    leg(1).set("failed")
    list("two", "one")
    leg(0).set("failed")
    expect(names()).toEqual(["one", "two", "two"])
  })

  it("looks elsewhere once the network is back, also when all gave up meanwhile", () => {
    const network = { onLine: true }
    vi.stubGlobal("navigator", network)
    const { names, leg } = open()
    leg(0).set("failed")
    network.onLine = false
    leg(1).set("failed")
    // The timer of the first connect has gone off; no other is under way.
    vi.advanceTimersByTime(patienceMs)
    network.onLine = true
    vi.advanceTimersByTime(patienceMs)
    expect(names()).toEqual(["one", "two", "three"])
  })

  it("asks nothing of what was left, and doesn't join it on the next", async () => {
    const { leg, subscription, transport } = open(["one", "two"])
    subscription.unsubscribe()
    subscription.watchPresence()
    await subscription.enterPresence("here")
    await subscription.leavePresence()
    expect(subscription.signal).toBeUndefined()
    expect(leg(0).asked).toEqual(["connect", "unsubscribe a"])
    vi.advanceTimersByTime(patienceMs)
    expect(leg(1).observer()).toBeUndefined()
    expect(transport.provider).toBe("one")
  })

  it("isn't put out of a channel by the end of an earlier subscription", () => {
    const { leg, subscription, transport, seen } = open(["one"])
    subscription.unsubscribe()
    const observer = { ...leg(0).observer(), onMessages: () => void seen.push("again") }
    transport.subscribe("a", observer)
    subscription.unsubscribe()
    leg(0).observer().onMessages([])
    expect(seen).toEqual(["again"])
  })

  it("tries the second best when the best doesn't work", () => {
    const { names, leg } = open()
    vi.advanceTimersByTime(2 * patienceMs)
    leg(2).carry("a")
    vi.advanceTimersByTime(returnMs)
    expect(names()).toEqual(["one", "two", "three", "one"])
    vi.advanceTimersByTime(patienceMs)
    expect(names()).toEqual(["one", "two", "three", "one", "two"])
    leg(4).set("failed")
    expect(names()).toHaveLength(5)
    vi.advanceTimersByTime(2 * returnMs)
    expect(names()).toHaveLength(6)
  })

  it("doesn't leave for the preferred one while the one in use is away itself", () => {
    const { names, leg } = openOnSecond(["one", "two"])
    vi.advanceTimersByTime(returnMs - 10)
    leg(1).set("reconnecting")
    vi.advanceTimersByTime(10)
    expect(names()).toEqual(["one", "two"])
    leg(1).set("connected")
    vi.advanceTimersByTime(returnMs)
    expect(names()).toEqual(["one", "two", "one"])
  })

  it("looks elsewhere only when there is a network", () => {
    const network = { onLine: false }
    vi.stubGlobal("navigator", network)
    const { names, leg } = open()
    vi.advanceTimersByTime(3 * patienceMs)
    expect(names()).toEqual(["one"])
    network.onLine = true
    vi.advanceTimersByTime(patienceMs)
    expect(names()).toEqual(["one", "two"])
    network.onLine = false
    leg(1).set("failed")
    vi.advanceTimersByTime(patienceMs)
    expect(names()).toEqual(["one", "two"])
    network.onLine = true
    vi.advanceTimersByTime(patienceMs)
    expect(names()).toEqual(["one", "two", "three"])
  })

  it("works where there is no navigator", () => {
    vi.stubGlobal("navigator", undefined)
    const { names } = open()
    vi.advanceTimersByTime(patienceMs)
    expect(names()).toEqual(["one", "two"])
  })

  it("asks those that gave up again when the person does", () => {
    const { names, leg, transport } = open(["one", "two"])
    leg(0).set("failed")
    leg(1).set("failed")
    transport.connect()
    expect(leg(0).asked).toEqual(["connect", "connect"])
    vi.advanceTimersByTime(patienceMs)
    expect(names()).toEqual(["one", "two", "two"])
  })

  it("gives up a provider that the server doesn't know any more", () => {
    const { names, leg, seen, told, transport } = open(["one", "two"])
    leg(0).carry("a")
    leg(0)
      .observer()
      .onDenied(new RealtimeError("unsupported", { message: "gone" }))
    expect([names(), seen]).toEqual([
      ["one", "two"],
      ["a attached", "a detached"],
    ])
    expect(told.at(-1)).toBe("reconnecting: gone")
    leg(1).set("failed")
    expect(told.at(-1)).toBe("failed: gone")
    transport.connect()
    expect(names()).toEqual(["one", "two", "one"])
  })

  it("says nothing of a channel that wasn't there when the server doesn't know the provider", () => {
    const { leg, seen } = open(["one", "two"])
    leg(0)
      .observer()
      .onDenied(new RealtimeError("unsupported", { message: "gone" }))
    vi.advanceTimersByTime(patienceMs)
    leg(1).observer().onAttached()
    leg(1)
      .observer()
      .onDenied(new RealtimeError("unsupported", { message: "gone" }))
    expect(seen).toEqual([])
  })

  it("takes presence along, and asks for it only where it was asked for", async () => {
    const { leg, subscription, transport } = open(["one", "two"], ["a", "b"])
    subscription.watchPresence()
    await subscription.enterPresence("here")
    vi.advanceTimersByTime(patienceMs)
    expect(leg(1).asked).toEqual(["watch a", "enter a here", "connect"])
    await subscription.enterPresence("still here")
    expect(leg(0).asked).toEqual(["connect", "watch a", "enter a here", "enter a still here"])
    expect(leg(1).asked.at(-1)).toBe("enter a still here")
    await subscription.leavePresence()
    expect(leg(1).asked.at(-1)).toBe("leave a")
    leg(1).carry("a", "b")
    expect(transport.provider).toBe("two")
    await subscription.signal?.("typing", null, { page: "a page", n: 1 })
    await transport.publish?.("a", [])
    expect(leg(1).asked.slice(-2)).toEqual(["signal typing", "publish"])
    vi.advanceTimersByTime(returnMs)
    expect(leg(2).asked).toEqual(["watch a", "connect"])
  })

  it("tells whoever enters of a refusal by the one in use, and of no other's", async () => {
    const { leg, subscription, seen } = open(["one", "two", "three"])
    vi.advanceTimersByTime(patienceMs)
    const refusal = new RealtimeError("channel-denied", { message: "no" })
    leg(1).refusal = refusal
    await expect(subscription.enterPresence("here")).resolves.toBeUndefined()
    leg(0).refusal = refusal
    await expect(subscription.enterPresence("here")).rejects.toBe(refusal)
    expect(seen).toEqual([])
  })

  it("moves when the one in use is no longer listed, and not when it is", () => {
    const { names, leg, list, transport } = open(["one", "two"])
    leg(0).carry("a")
    list("one", "two")
    list("two", "one")
    expect(names()).toEqual(["one"])
    vi.advanceTimersByTime(returnMs)
    expect(names()).toEqual(["one", "two"])
    list("three", "one")
    expect(leg(1).asked).toEqual(["connect", "close"])
    expect(names()).toEqual(["one", "two"])
    list("three")
    expect(names()).toEqual(["one", "two", "three"])
    leg(2).set("failed")
    list("three", "four")
    expect(transport.provider).toBe("one")
    expect(names()).toEqual(["one", "two", "three", "three"])
    leg(3).carry("a")
    expect(transport.provider).toBe("three")
  })

  it("doesn't begin a second move while one is under way", () => {
    const { names, leg, list } = openOnSecond(["one", "two"])
    list("three")
    expect(names()).toEqual(["one", "two", "three"])
    leg(2).set("connected")
    vi.advanceTimersByTime(patienceMs - 1)
    expect(names()).toHaveLength(3)
  })

  it("asks a provider that is listed again, though it wasn't known before", () => {
    const { names, leg, list, transport } = open(["one", "two"])
    leg(0)
      .observer()
      .onDenied(new RealtimeError("unsupported", { message: "gone" }))
    transport.connect()
    expect([names(), leg(1).asked]).toEqual([
      ["one", "two", "one"],
      ["connect", "close"],
    ])
    leg(2).set("failed")
    leg(3).set("failed")
    list("one", "two")
    expect(names()).toEqual(["one", "two", "one", "two", "one"])
  })

  it("goes to the only one that is listed, also when it had to wait for it", () => {
    const { names, leg, list, transport } = open(["one"])
    list("two")
    leg(1).set("failed")
    transport.connect()
    vi.advanceTimersByTime(patienceMs)
    expect(names()).toEqual(["one", "two", "two"])
  })

  it("keeps the one that is rising when the list still names it", () => {
    const { names, leg, list } = open(["one", "two"])
    vi.advanceTimersByTime(patienceMs)
    list("two", "three")
    expect([names(), leg(1).asked]).toEqual([["one", "two"], ["connect"]])
  })

  it("goes on among the others when the one in use isn't listed and the next fails", () => {
    const { names, leg, list } = open(["one"])
    leg(0).carry("a")
    list("two", "three")
    leg(1).set("failed")
    expect(names()).toEqual(["one", "two", "three"])
  })

  it("tries what is listed when the one in use had given up, be it the same", () => {
    const { names, leg, list, told } = open(["one"])
    leg(0).set("failed", lost)
    expect(told.at(-1)).toBe("failed: lost")
    list("one", "two")
    expect(names()).toEqual(["one", "one"])
    leg(1).set("failed", lost)
    expect(names()).toEqual(["one", "one", "two"])
    leg(2).carry("a")
    expect(told.at(-1)).toBe("connected")
  })

  it("says that the only one has given up, though a second attempt at it takes long", () => {
    const { leg, list, told, names } = open(["one", "two"])
    leg(0).set("failed", lost)
    expect(told).toEqual(["reconnecting: lost"])
    list("one")
    expect(leg(1).asked).toContain("close")
    vi.advanceTimersByTime(patienceMs)
    expect(names()).toEqual(["one", "two", "one"])
    expect(told.at(-1)).toBe("failed: lost")
  })

  it("drops a second attempt at the one in use when that one is back first", () => {
    const { leg, list, names, transport } = open(["one"])
    leg(0).set("failed")
    list("one")
    transport.connect()
    leg(0).carry("a")
    expect(leg(1).asked).toEqual(["connect", "close"])
    expect(names()).toEqual(["one", "one"])
  })

  it("stays on the one in use when the list puts it before the one that is rising", () => {
    const { leg, list, transport } = openOnSecond(["one", "two"])
    vi.advanceTimersByTime(returnMs)
    list("two", "one")
    expect(leg(2).asked).toEqual(["connect", "close"])
    expect(transport.provider).toBe("two")
    list("one", "two")
    vi.advanceTimersByTime(returnMs)
    leg(3).carry("a")
    expect(transport.provider).toBe("one")
  })

  it("keeps the one that is rising when the list changes while the one in use is away", () => {
    const { leg, list, transport } = open(["one", "two"])
    leg(0).set("reconnecting")
    vi.advanceTimersByTime(patienceMs)
    list("one", "two", "three")
    expect(leg(1).asked).toEqual(["connect"])
    leg(1).carry("a")
    expect(transport.provider).toBe("two")
  })

  it("keeps the one that is rising when the one that left the list is back", () => {
    const { leg, list, transport } = open(["one"])
    leg(0).carry("a")
    list("two")
    leg(0).set("reconnecting")
    leg(0).set("connected")
    leg(1).carry("a")
    expect(transport.provider).toBe("two")
  })

  it("goes on trying to leave a provider that isn't listed, also after there was no network", () => {
    const network = { onLine: true }
    vi.stubGlobal("navigator", network)
    const { leg, list, names } = open(["one"])
    leg(0).carry("a")
    list("two")
    network.onLine = false
    vi.advanceTimersByTime(patienceMs)
    expect(leg(1).asked).toContain("close")
    network.onLine = true
    vi.advanceTimersByTime(patienceMs)
    expect(names()).toEqual(["one", "two", "two"])
  })

  it("interrupts nothing when it is the rising one that the server doesn't know", () => {
    const { leg, seen } = open(["one", "two"], ["a", "b"])
    leg(0).carry("a", "b")
    leg(0).set("reconnecting", lost)
    vi.advanceTimersByTime(patienceMs)
    leg(1).carry("a")
    seen.length = 0
    leg(1)
      .observer("a")
      .onDenied(new RealtimeError("unsupported", { message: "unknown" }))
    expect(leg(1).asked).toContain("close")
    expect(seen).toEqual([])
  })

  it("looks for nobody after its end", async () => {
    const { leg, names, transport } = open(["one", "two"])
    leg(0).carry("a")
    await transport.close()
    leg(0).set("closed")
    vi.advanceTimersByTime(100 * returnMs)
    expect(names()).toEqual(["one"])
  })

  it("doesn't follow an empty list, nor any after its end", async () => {
    const { names, leg, list, transport } = open(["one", "two"])
    leg(0).carry("a")
    list()
    vi.advanceTimersByTime(10 * returnMs)
    expect(names()).toEqual(["one"])
    leg(0).set("failed")
    expect(names()).toEqual(["one", "two"])
    await transport.close()
    list("three")
    transport.connect()
    expect([names(), leg(0).asked]).toEqual([
      ["one", "two"],
      ["connect", "close"],
    ])
  })

  it("ends both, and its timers, and says so last", async () => {
    const { leg, told, transport, names } = open()
    vi.advanceTimersByTime(patienceMs)
    await transport.close()
    expect([leg(0).asked.at(-1), leg(1).asked.at(-1)]).toEqual(["close", "close"])
    expect(vi.getTimerCount()).toBe(0)
    leg(0).set("connected")
    leg(1).set("failed")
    vi.advanceTimersByTime(100 * returnMs)
    expect([told, transport.status.state]).toEqual([["closed"], "closed"])
    expect(names()).toEqual(["one", "two"])
  })
})

describe("a transport over what the server lists", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }))
  afterEach(() => void vi.useRealTimers())

  /** The downloads of the failover do as the test says, one after the other. */
  function openListed(...providers: string[]) {
    const downloads: PromiseWithResolvers<typeof failover>[] = []
    function loadFailover() {
      const download = Promise.withResolvers<typeof failover>()
      downloads.push(download)
      return download.promise
    }
    const page = open(providers, ["a"], (options) => createListedTransport({ ...options, loadFailover }))
    const arrive = async (index = 0) => {
      downloads[index]?.resolve(failover)
      await vi.advanceTimersByTimeAsync(0)
    }
    return { ...page, downloads, arrive }
  }
  const gone = new RealtimeError("unsupported", { message: "gone" })

  it("does without failover as long as there is one provider", async () => {
    const { transport, leg, told, seen, subscription, downloads } = openListed("one")
    leg(0).set("reconnecting", lost)
    await vi.advanceTimersByTimeAsync(10 * returnMs)
    leg(0).carry("a")
    leg(0).set("failed", lost)
    transport.connect()
    await subscription.signal?.("typing", null, { page: "a page", n: 1 })
    expect(leg(0).asked).toEqual(["connect", "connect", "signal typing"])
    expect(told).toEqual(["reconnecting: lost", "connected", "failed: lost"])
    expect([seen, downloads.length, transport.provider]).toEqual([["a attached"], 0, "one"])
    await transport.close()
    expect(transport.status.state).toBe("closed")
  })

  it("connects nothing before it is told to, and then the first of the list as it is by then", async () => {
    const downloads: string[] = []
    const made: Leg[] = []
    const toCandidate = (provider: string) => ({
      ...{ provider, key: provider },
      create() {
        made.push(createLeg(provider))
        return made.at(-1)?.transport as RealtimeTransport
      },
    })
    const transport = createListedTransport({
      candidates: [toCandidate("one")],
      loadFailover: async () => {
        downloads.push("failover")
        return failover
      },
    })
    transport.setCandidates([toCandidate("two")])
    expect([made, transport.status.state]).toEqual([[], "connecting"])
    transport.connect()
    expect(made.map(({ asked, transport: { provider } }) => [provider, asked])).toEqual([
      ["two", ["connect"]],
    ])
    expect(downloads).toEqual([])
    await transport.close()
  })

  it("is on its first provider until failover is there, which is no end, and on the next soon after", async () => {
    const { transport, leg, told, names, arrive } = openListed("one", "two")
    leg(0).set("failed", lost)
    await vi.advanceTimersByTimeAsync(2 * patienceMs)
    expect([names(), told]).toEqual([["one"], ["reconnecting: lost"]])
    await arrive()
    // It may have given up for what has passed meanwhile.
    expect(names()).toEqual(["one", "one"])
    leg(1).set("failed", lost)
    leg(2).carry("a")
    expect([names(), transport.provider, told.at(-1)]).toEqual([["one", "one", "two"], "two", "connected"])
    expect(leg(0).asked.at(-1)).toBe("close")
    await transport.close()
  })

  it("hands over what is in use without an interruption, and with all that was wanted of it", async () => {
    const { transport, leg, told, seen, names, list, subscription, arrive } = openListed("one")
    subscription.watchPresence()
    await subscription.enterPresence("here")
    leg(0).carry("a")
    list("two")
    await arrive()
    const again = ["watch a", "enter a here"]
    expect(leg(0).asked).toEqual(["connect", ...again, "unsubscribe a", ...again, "connect"])
    leg(0).observer().onAttached()
    leg(0).observer().onSignal(signal("typing"))
    expect([names(), told, transport.provider]).toEqual([["one", "two"], ["connected"], "one"])
    leg(1).carry("a")
    expect([told, transport.provider]).toEqual([["connected", "connected"], "two"])
    expect(seen).toEqual(["a attached", "a attached", "a signal typing", "a attached"])
    expect(leg(0).asked.at(-1)).toBe("close")
    await transport.close()
    expect([leg(1).asked.at(-1), vi.getTimerCount()]).toEqual(["close", 0])
  })

  it("sends signals past the others' provider only where there are no others", async () => {
    const { leg, list, subscription, arrive, transport } = openListed("one", "two")
    leg(0).carry("a")
    expect(subscription.signal).toBeUndefined()
    await arrive()
    // Of this one all signals pass the server.
    expect(subscription.signal).toBeDefined()
    list("one")
    expect(subscription.signal).toBeDefined()
    await transport.close()
  })

  it("gives the first one its time from when failover is there", async () => {
    const { transport, names, arrive } = openListed("one", "two")
    await arrive()
    await vi.advanceTimersByTimeAsync(patienceMs - 1)
    expect(names()).toEqual(["one"])
    await vi.advanceTimersByTimeAsync(1)
    expect(names()).toEqual(["one", "two"])
    await transport.close()
  })

  it("downloads failover again where that failed, and not once it is closed", async () => {
    vi.spyOn(console, "error").mockReturnValue()
    const { transport, leg, names, downloads, arrive } = openListed("one", "two")
    downloads[0]?.reject(new Error("offline"))
    await vi.advanceTimersByTimeAsync(3_000)
    expect(downloads).toHaveLength(2)
    await arrive(1)
    leg(0).set("failed", lost)
    leg(1).carry("a")
    expect([names(), transport.provider]).toEqual([["one", "two"], "two"])
    await transport.close()
    const closed = openListed("one", "two")
    await closed.transport.close()
    closed.downloads[0]?.reject(new Error("offline"))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(closed.downloads).toHaveLength(1)
    const late = openListed("one", "two")
    await late.transport.close()
    await late.arrive()
    expect([late.names(), late.leg(0).asked.at(-1)]).toEqual([["one"], "close"])
  })

  it("follows the last of the lists that came before failover", async () => {
    const { transport, leg, list, names, downloads, arrive } = openListed("one")
    leg(0).carry("a")
    list("two")
    list("three", "one")
    list("three")
    list()
    expect([downloads.length, names()]).toEqual([1, ["one"]])
    await arrive()
    expect([names(), transport.provider]).toEqual([["one", "three"], "one"])
    leg(1).carry("a")
    expect(transport.provider).toBe("three")
    await transport.close()
  })

  it("takes it for no refusal when the server doesn't know its only provider any more", async () => {
    const { transport, leg, names, told, seen, arrive } = openListed("one")
    leg(0).carry("a")
    leg(0).observer().onDenied(gone)
    expect(seen).toEqual(["a attached", "a detached"])
    await arrive()
    leg(0).observer().onDenied(gone)
    expect([told.at(-1), seen.length]).toEqual(["failed: gone", 2])
    transport.connect()
    expect(names()).toEqual(["one", "one"])
    leg(1).carry("a")
    expect([told.at(-1), seen.at(-1)]).toEqual(["connected", "a attached"])
    leg(1)
      .observer()
      .onDenied(new RealtimeError("channel-denied", { message: "no" }))
    expect(seen.at(-1)).toBe("a channel-denied")
    await transport.close()
  })

  it("tells of a refusal without failover", async () => {
    const { transport, leg, seen, downloads } = openListed("one")
    leg(0)
      .observer()
      .onDenied(new RealtimeError("channel-denied", { message: "no" }))
    expect([seen, downloads.length]).toEqual([["a channel-denied"], 0])
    await transport.close()
  })
})
