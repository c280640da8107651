import { contractChannels, createContractHttp } from "throughline/testing"
import { afterEach, describe, expect, it, vi } from "vitest"
import type { StateKey } from "../channel.ts"
import { RealtimeError } from "../errors.ts"
import { startMemoryBackend } from "../testing/memory-backend.ts"
import { waitFor } from "../testing/wait-for.ts"
import type { ChannelObserver, RealtimeTransport, TransportSubscription } from "../transport.ts"
import { createClient } from "./create-client.ts"
import type { RealtimeHttp } from "./http.ts"
import { watchState } from "./watch-state.ts"

const alice = { id: "alice" }
const room = contractChannels.room({ room: "1" })
type Room = (typeof room)["definition"]
const quote = (bid: number) => ({ bid, ask: bid + 1 })

interface Setup {
  /** What the page's questions to the server go through. */
  around?: (http: RealtimeHttp) => Partial<RealtimeHttp>
  /** As of a provider that is told which keys a page watches. */
  watchState?: TransportSubscription["watchState"]
}

/** A page on the memory provider. */
async function setup({ around = () => ({}), watchState: told }: Setup = {}) {
  let observer: ChannelObserver | undefined
  const wrap = (transport: RealtimeTransport): RealtimeTransport =>
    Object.create(transport, {
      subscribe: {
        value(channel: string, given: ChannelObserver) {
          observer = given
          return Object.assign(transport.subscribe(channel, given), told && { watchState: told })
        },
      },
    })
  const backend = await startMemoryBackend({ wrap })
  const http = createContractHttp(backend.realtime, alice)
  const client = createClient({
    transport: () => backend.createTransport(alice),
    http: { ...http, ...around(http) },
    headCheck: { connectedMs: 3_600_000, interruptedMs: 3_600_000 },
    onError: () => {},
  })
  client.open()
  return { backend, client, state: backend.realtime.state(room), observer: () => observer }
}

afterEach(() => void vi.restoreAllMocks())

/** The timers that are set from now on and that nothing has ended; those without an end are none of ours. */
function countTimers() {
  const running = new Set<unknown>()
  const { setTimeout: set, clearTimeout: clear } = globalThis
  vi.spyOn(globalThis, "setTimeout").mockImplementation(((callback: () => void, ms?: number) => {
    const timer = set(() => {
      running.delete(timer)
      callback()
    }, ms)
    running.add(timer)
    return timer
  }) as typeof setTimeout)
  vi.spyOn(globalThis, "clearTimeout").mockImplementation((timer) => {
    running.delete(timer)
    clear(timer)
  })
  return running
}

describe("watchState", () => {
  it("tells each of two watchers of its own keys, and goes on for one when the other stops", async () => {
    const { backend, client, state } = await setup()
    await using _ = backend
    const channel = client.channel(room)
    const told: string[] = []
    const one = watchState(channel, ["quote:a", "quote:b"], () => void told.push("one"))
    const other = watchState(channel, ["quote:b", "quote:c"], () => void told.push("other"))
    await waitFor(() => one.isReady && other.isReady)
    told.length = 0
    await state.set("quote:a", quote(1))
    await waitFor(() => one.values["quote:a"])
    expect(told).toEqual(["one"])
    await state.set("quote:b", quote(2))
    await waitFor(() => other.values["quote:b"]?.bid === 2)
    expect(told).toEqual(["one", "one", "other"])
    one.stop()
    await state.set("quote:b", quote(3))
    await waitFor(() => other.values["quote:b"]?.bid === 3)
    expect(told).toEqual(["one", "one", "other", "other"])
    // Known already: the page watches it.
    const third = watchState(channel, ["quote:b"], () => {})
    expect([third.values, third.isReady]).toEqual([{ "quote:b": quote(3) }, true])
    await client.close()
  })

  it("reads no key before it was heard that the page watches it", async () => {
    const heard: (() => void)[] = []
    const reads: unknown[] = []
    let answer = () => {}
    const { backend, client, state } = await setup({
      watchState: () => new Promise<void>((resolve) => heard.push(resolve)),
      around: (http) => ({
        async post(path, body) {
          reads.push((body as { keys: unknown }).keys)
          const page = await http.post(path, body)
          if (reads.length === 1)
            await new Promise<void>((resolve) => {
              answer = resolve
            })
          return page
        },
      }),
    })
    await using _ = backend
    await state.set("quote:b", quote(1))
    const watch = watchState<Room, StateKey<Room>>(client.channel(room), ["quote:a"], () => {})
    await waitFor(() => heard.length === 1)
    expect(reads).toEqual([])
    heard.shift()?.()
    await waitFor(() => reads.length === 1)
    watch.setKeys(["quote:a", "quote:b"])
    await waitFor(() => heard.length === 1)
    answer()
    await new Promise((resolve) => setImmediate(resolve))
    expect(reads).toEqual([["quote:a"]])
    heard.shift()?.()
    await waitFor(() => watch.values["quote:b"]?.bid === 1)
    expect(reads).toEqual([["quote:a"], ["quote:b"]])
    await client.close()
  })

  it("reads again once it is heard that the page watches a key, where that was refused at first", async () => {
    const answers: PromiseWithResolvers<void>[] = []
    let reads = 0
    const { backend, client } = await setup({
      watchState() {
        const answer = Promise.withResolvers<void>()
        answers.push(answer)
        return answer.promise
      },
      around: (http) => ({
        async post(...call) {
          reads += 1
          return http.post(...call)
        },
      }),
    })
    await using _ = backend
    const watch = watchState(client.channel(room), ["quote:a"], () => {})
    await waitFor(() => answers.length === 1)
    answers[0]?.reject(new RealtimeError("rate-limited", { message: "too often", retryAfterMs: 0 }))
    // Nothing is held up by it, but of what changes from now on nobody tells the page.
    await waitFor(() => watch.isReady && answers.length === 2)
    expect(reads).toBe(1)
    answers[1]?.resolve()
    await waitFor(() => reads === 2)
    await client.close()
  })

  it("refuses a key that nobody can have, or that is one too many, by name, and goes on with the others", async () => {
    const { backend, client, state } = await setup()
    await using _ = backend
    const channel = client.channel(room)
    const watch = watchState<Room, StateKey<Room>>(channel, ["quote:a"], () => {})
    const many = Array.from({ length: 501 }, (_, n) => `quote:${n}` as const)
    expect(() => watch.setKeys(many)).toThrow('unable to watch "quote:500"')
    const long = `quote:${"x".repeat(200)}` as const
    for (const key of [long, 7 as unknown as StateKey<Room>]) {
      expect(() => watch.setKeys(["quote:b", key])).toThrow(String(key).slice(0, 200))
      expect(() => watchState(channel, [key], () => {})).toThrow(String(key).slice(0, 200))
    }
    await state.set("quote:a", quote(1))
    await waitFor(() => watch.values["quote:a"]?.bid === 1)
    await client.close()
  })

  it("keeps a key for what it is, whatever objects mean by it", async () => {
    const keys = ["__proto__", "constructor"] as unknown as StateKey<Room>[]
    const { backend, client } = await setup({
      around: () => ({
        post: async () =>
          JSON.parse(
            `{"epoch":"1","version":2,"entries":[{"key":"__proto__","version":1,"value":{"polluted":true}}]}`,
          ),
      }),
    })
    await using _ = backend
    const watch = watchState(client.channel(room), keys, () => {})
    await waitFor(() => watch.isReady)
    expect(Object.entries(watch.values)).toEqual([["__proto__", { polluted: true }]])
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    expect(Object.getPrototypeOf(watch.values)).toBe(Object.prototype)
    await client.close()
  })

  it.each(["stopped", "closed"] as const)("leaves no timer behind once it is %s", async (end) => {
    const { backend, client, state, observer } = await setup()
    await using _ = backend
    const channel = client.channel(room)
    // The channel stays: what ends is the watching of its state.
    channel.onSignal("typing", () => {})
    await waitFor(() => channel.status.state === "attached")
    const timers = countTimers()
    const watch = watchState(channel, ["quote:a"], () => {})
    await waitFor(() => watch.isReady)
    // What is missing before it is waited for.
    const { epoch } = await state.set("quote:a", quote(1))
    await waitFor(() => watch.values["quote:a"])
    const lossy = [{ channel: room.name, epoch, from: 7, to: 8, entries: [] }]
    observer()?.onState?.(lossy)
    expect(timers.size).toBeGreaterThan(1)
    if (end === "stopped") watch.stop()
    else await client.close()
    await new Promise((resolve) => setImmediate(resolve))
    observer()?.onState?.([{ ...lossy[0], from: 17, to: 18 }])
    await waitFor(() => timers.size === 0)
    if (end === "stopped") await client.close()
  })

  it("goes on where the client was closed and is opened again", async () => {
    const { backend, client, state } = await setup()
    await using _ = backend
    const watch = watchState(client.channel(room), ["quote:a"], () => {})
    await waitFor(() => watch.isReady)
    await client.close()
    await state.set("quote:a", quote(1))
    client.open()
    await waitFor(() => watch.values["quote:a"]?.bid === 1)
    await state.set("quote:a", quote(2))
    await waitFor(() => watch.values["quote:a"]?.bid === 2)
    await client.close()
  })
})
