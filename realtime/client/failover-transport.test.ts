import { contractChannels, createContractHttp } from "throughline/testing"
import { afterEach, describe, expect, it, vi } from "vitest"
import { RealtimeError } from "../errors.ts"
import type { User } from "../message.ts"
import { memoryCapabilities } from "../providers/memory/capabilities.ts"
import { type FailoverBackend, startFailoverBackend } from "../testing/failover-backend.ts"
import fc from "../testing/fast-check.ts"
import { waitFor } from "../testing/wait-for.ts"
import { createClient } from "./create-client.ts"
import { createFailoverTransport, type FailoverOptions } from "./failover-transport.ts"

const alice: User = { id: "alice" }
const room = contractChannels.room({ room: "1" })
/** Longer than any test: what must not happen by a timer. */
const never = 3_600_000

/** What an application has in its hands, and what it was told. */
function openClient(backend: FailoverBackend, options: Partial<FailoverOptions> = {}, user = alice) {
  const transport = backend.createTransport(user, options)
  const states: string[] = []
  transport.onStatus(({ state }) => void states.push(state))
  const http = createContractHttp(backend.realtime, user)
  const client = createClient({ transport, http, presenceGraceMs: 50, onError: () => {} })
  client.open()
  const received: string[] = []
  const faults: string[] = []
  const channel = client.channel(room)
  const subscription = channel.subscribe({
    onMessages: (messages) =>
      void received.push(...messages.map(({ payload }) => (payload as { text: string }).text)),
    onGap: () => void faults.push("gap"),
    onReset: () => void faults.push("reset"),
  })
  const isOn = (service: number) =>
    transport.provider === `memory ${service}` && transport.status.state === "connected"
  return { transport, client, channel, subscription, states, received, faults, isOn }
}

/** Notes whose code would have been downloaded. */
function countMade(candidates: FailoverOptions["candidates"], made: string[]): FailoverOptions["candidates"] {
  return candidates.map((candidate) => ({
    ...candidate,
    create() {
      made.push(candidate.provider)
      return candidate.create()
    },
  }))
}

async function publish(backend: FailoverBackend, ...texts: string[]): Promise<void> {
  for (const text of texts) await backend.realtime.publish(room, "said", { text })
}

afterEach(() => vi.unstubAllGlobals())

describe("failover", () => {
  it("uses the first provider, and doesn't even make the others", async () => {
    await using backend = await startFailoverBackend()
    const made: string[] = []
    const candidates = countMade(backend.candidatesOf(alice), made)
    const { subscription } = openClient(backend, { candidates })
    await subscription.ready
    expect(made).toEqual(["memory 1"])
  })

  it("doesn't take it for a refusal when the server no longer knows the provider", async () => {
    await using backend = await startFailoverBackend()
    const [first, ...others] = backend.candidatesOf(alice)
    if (!first) throw new Error("no candidate")
    let knows = false
    const withdrawn = {
      ...first,
      create() {
        const transport = first.create()
        const error = new RealtimeError("unsupported", { message: "unable to reach the provider" })
        const subscribe: typeof transport.subscribe = (channel, observer) =>
          transport.subscribe(channel, {
            ...observer,
            onAttached: (page) => (knows ? observer.onAttached(page) : observer.onDenied(error)),
          })
        return Object.create(transport, { subscribe: { value: subscribe } })
      },
    }
    const moving = openClient(backend, { candidates: [withdrawn, ...others], returnMs: never })
    await moving.subscription.ready
    expect([moving.isOn(2), moving.channel.status.state]).toEqual([true, "attached"])
    expect(moving.states).not.toContain("failed")

    const staying = openClient(backend, { candidates: [withdrawn], returnMs: never })
    await waitFor(() => staying.transport.status.state === "failed")
    expect(staying.channel.status.state).toBe("attaching")
    // It is listed again, or the person tries again.
    knows = true
    staying.client.connection.retry()
    await staying.subscription.ready
    expect(staying.isOn(1)).toBe(true)
  })

  it("moves to the next when the one in use stays away; nothing is lost, repeated or out of order", async () => {
    await using backend = await startFailoverBackend()
    const [first] = backend.hubs
    const { subscription, received, faults, isOn, states } = openClient(backend, { returnMs: never })
    await subscription.ready
    await publish(backend, "a")
    if (first) backend.stop(first)
    await publish(backend, "b", "c")
    await waitFor(() => isOn(2))
    // Without another message that would show the hole.
    await waitFor(() => received.length === 3)
    await publish(backend, "d")
    await waitFor(() => received.length === 4)
    expect(received).toEqual(["a", "b", "c", "d"])
    expect(faults).toEqual([])
    expect(states).not.toContain("failed")
  })

  it("goes back to the preferred one later, without an interruption", async () => {
    await using backend = await startFailoverBackend()
    const [first] = backend.hubs
    const { subscription, received, isOn, states } = openClient(backend)
    await subscription.ready
    const restart = first && backend.stop(first)
    await waitFor(() => isOn(2))
    await publish(backend, "a")
    restart?.()
    states.length = 0
    await waitFor(() => isOn(1))
    await publish(backend, "b")
    await waitFor(() => received.length === 2)
    expect(received).toEqual(["a", "b"])
    // Told that it is another one that is connected now.
    expect(states).toEqual(["connected"])
  })

  it("keeps to the rate of the provider in use", async () => {
    await using backend = await startFailoverBackend()
    const candidates = backend.candidatesOf(alice).map((candidate, index) => ({
      ...candidate,
      create: () =>
        Object.create(candidate.create(), {
          capabilities: { value: { ...memoryCapabilities, maxSignalsPerSecond: index === 0 ? 50 : 2 } },
        }),
    }))
    const { channel, transport, subscription, isOn } = openClient(backend, { candidates, returnMs: 10 })
    await subscription.ready
    const send = async () => {
      const sending = Array.from({ length: 8 }, () => channel.signal("typing", { isTyping: true }))
      return (await Promise.allSettled(sending)).filter(({ status }) => status === "fulfilled").length
    }
    expect(await send()).toBe(8)
    transport.setCandidates(candidates.toReversed())
    await waitFor(() => isOn(2))
    // Two at once, and the newest when its turn comes.
    expect(await send()).toBe(3)
  })

  it("leaves one that refuses for good at once; when all do, it says why", async () => {
    await using backend = await startFailoverBackend({ services: 3 })
    const refuse = (of: number) => backend.refuse(of)
    refuse(0)
    refuse(1)
    const moved = openClient(backend, { patienceMs: never, returnMs: never })
    await waitFor(() => moved.isOn(3))
    refuse(2)
    const failed = openClient(backend, { patienceMs: never })
    await waitFor(() => failed.transport.status.state === "failed")
    expect(failed.transport.status.error).toMatchObject({ code: "unauthorized" })
    backend.hubs[1]?.refuseConnections(null)
    failed.client.connection.retry()
    await waitFor(() => failed.isOn(2))
  })

  it("tries the others in turn, over and over, while none works", async () => {
    await using backend = await startFailoverBackend({ services: 3 })
    const restarts = backend.hubs.map(backend.stop)
    const { isOn, subscription } = openClient(backend, { patienceMs: 15, returnMs: never })
    await new Promise((resolve) => setTimeout(resolve, 100))
    restarts[2]?.()
    await waitFor(() => isOn(3))
    await subscription.ready
  })

  it("stays when the one in use comes back first", async () => {
    await using backend = await startFailoverBackend()
    const [first, second] = backend.hubs
    if (second) backend.stop(second)
    const { subscription, isOn, received } = openClient(backend, { patienceMs: 20 })
    await subscription.ready
    const restart = first && backend.stop(first)
    await waitFor(() => !isOn(1))
    await new Promise((resolve) => setTimeout(resolve, 60))
    restart?.()
    await waitFor(() => isOn(1))
    await publish(backend, "a")
    await waitFor(() => received.length === 1)
  })

  it("doesn't look elsewhere for a network that isn't there", async () => {
    await using backend = await startFailoverBackend()
    vi.stubGlobal("navigator", { onLine: false })
    const made: string[] = []
    const candidates = countMade(backend.candidatesOf(alice), made)
    const [first] = backend.hubs
    if (first) backend.stop(first)
    const { isOn } = openClient(backend, { candidates, patienceMs: 10 })
    await new Promise((resolve) => setTimeout(resolve, 80))
    expect(made).toEqual(["memory 1"])
    vi.stubGlobal("navigator", { onLine: true })
    await waitFor(() => isOn(2))
  })

  it("follows a changed list without an interruption, and without losing what only the new one carries", async () => {
    await using backend = await startFailoverBackend({ services: 3 })
    const [one, two, three] = backend.hubs
    if (!one || !two || !three) throw new Error("no services")
    const options = {
      patienceMs: never,
      returnMs: never,
      candidates: backend.candidatesOf(alice, [one, two]),
    }
    const { transport, subscription, received, faults, states, isOn } = openClient(backend, options)
    await subscription.ready
    await publish(backend, "a")
    states.length = 0
    // The server doesn't publish there any more.
    one.broadcast = () => {}
    await publish(backend, "b")
    transport.setCandidates(backend.candidatesOf(alice, [three, two]))
    await waitFor(() => isOn(3))
    await waitFor(() => received.length === 2)
    await publish(backend, "c")
    await waitFor(() => received.length === 3)
    expect(received).toEqual(["a", "b", "c"])
    expect([faults, states]).toEqual([[], ["connected"]])
    transport.setCandidates([])
    expect(transport.provider).toBe("memory 3")
  })

  it("keeps the connection when the list changes around it", async () => {
    await using backend = await startFailoverBackend({ services: 3 })
    const [one, two, three] = backend.hubs
    if (!one || !two || !three) throw new Error("no services")
    const made: string[] = []
    const { transport, subscription } = openClient(backend, {
      returnMs: never,
      candidates: countMade(backend.candidatesOf(alice, [one, two]), made),
    })
    await subscription.ready
    transport.setCandidates(countMade(backend.candidatesOf(alice, [one, three]), made))
    transport.setCandidates(countMade(backend.candidatesOf(alice, [two, one]), made))
    await subscription.ready
    expect(made).toEqual(["memory 1"])
  })

  it("takes a person along: there on the new one before gone from the old", async () => {
    await using backend = await startFailoverBackend()
    const [first, second] = backend.hubs
    if (!first || !second) throw new Error("no services")
    const { channel, isOn, subscription } = openClient(backend, { returnMs: never })
    channel.presence.subscribe(() => {})
    channel.presence.enter({ mood: "calm" })
    await subscription.ready
    await waitFor(() => first.snapshot(room.name).count === 1)
    backend.stop(first)
    await waitFor(() => isOn(2))
    await waitFor(() => channel.presence.snapshot?.members?.[0]?.data.mood === "calm")
    expect([first, second].map((hub) => hub.snapshot(room.name).count)).toEqual([0, 1])
  })

  it("tells a channel that is closed to this user so, and doesn't wait for it", async () => {
    await using backend = await startFailoverBackend()
    const { client, isOn } = openClient(backend)
    const vault = client.channel(contractChannels.vault({ vault: "1" }))
    vault.subscribe({ onMessages: () => {} })
    await waitFor(() => vault.status.state === "denied")
    const [first] = backend.hubs
    if (first) backend.stop(first)
    await waitFor(() => isOn(2))
    expect(vault.status).toMatchObject({ state: "denied", error: { code: "channel-denied" } })
  })

  it("ends everything when it is closed in the middle of a move", async () => {
    await using backend = await startFailoverBackend()
    const [first] = backend.hubs
    if (first) backend.stop(first)
    const { client, transport } = openClient(backend, { patienceMs: 5 })
    await new Promise((resolve) => setTimeout(resolve, 10))
    await client.close()
    expect(transport.status.state).toBe("closed")
    expect(() => createFailoverTransport({ candidates: [] })).toThrow(TypeError)
  })

  it("keeps the contract through any sequence of failures, returns and changes of the list", async () => {
    const service = fc.integer({ min: 0, max: 2 })
    const step = fc.oneof(
      fc.record({ kind: fc.constant("publish" as const) }),
      fc.record({ kind: fc.constant("stop" as const), service }),
      fc.record({ kind: fc.constant("restart" as const), service }),
      fc.record({ kind: fc.constant("drop" as const), service }),
      fc.record({ kind: fc.constant("lose" as const), service }),
      fc.record({ kind: fc.constant("list" as const), services: fc.uniqueArray(service, { minLength: 1 }) }),
      fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 15 }) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        await using backend = await startFailoverBackend({ services: 3 })
        const { hubs } = backend
        const broadcasts = hubs.map(({ broadcast }) => broadcast)
        const { transport, subscription, received, faults } = openClient(backend, {
          patienceMs: 8,
          returnMs: 8,
        })
        await subscription.ready
        const sent: string[] = []
        for (const step of steps) {
          const hub = "service" in step ? hubs[step.service] : undefined
          if (step.kind === "publish") {
            sent.push(String(sent.length))
            await publish(backend, sent.at(-1) ?? "")
          } else if (step.kind === "list") {
            const listed = step.services.flatMap((index) => hubs[index] ?? [])
            // Nobody publishes to a provider that isn't in the list.
            for (const [index, hub] of hubs.entries())
              hub.broadcast = listed.includes(hub) ? (broadcasts[index] ?? hub.broadcast) : () => {}
            transport.setCandidates(backend.candidatesOf(alice, listed))
          } else if (step.kind === "wait") await new Promise((resolve) => setTimeout(resolve, step.ms))
          else if (step.kind === "stop" && hub) backend.stop(hub)
          else if (step.kind === "restart") hub?.refuseConnections(null)
          else if (step.kind === "drop") hub?.dropConnections()
          else if (hub) {
            // The provider takes the next message and delivers it to nobody.
            const { broadcast } = hub
            hub.broadcast = () => {
              hub.broadcast = broadcast
            }
          }
        }
        // In the end everything works again, and one more message shows whatever hole is left.
        for (const [index, hub] of hubs.entries()) {
          hub.refuseConnections(null)
          hub.broadcast = broadcasts[index] ?? hub.broadcast
        }
        await waitFor(() => transport.status.state === "connected")
        sent.push("last")
        await publish(backend, "last")
        await waitFor(() => received.at(-1) === "last", JSON.stringify(steps))
        expect(received).toEqual(sent)
        expect(faults).toEqual([])
        await transport.close()
      }),
      { numRuns: 60 },
    )
  })
})
