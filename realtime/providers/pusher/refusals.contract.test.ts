import { isDeepStrictEqual } from "node:util"
import { describe, expect, it } from "vitest"
import type { PresenceSnapshot } from "../../message.ts"
import { startPusherBackend } from "../../testing/pusher-backend.ts"
import { contractChannels, createContractHttp } from "../../testing/transport-contract/backend.ts"
import { waitFor } from "../../testing/wait-for.ts"
import { createPusherTransport } from "./client.ts"

type Backend = Awaited<ReturnType<typeof startPusherBackend>>

const room = contractChannels.room({ room: "1" })

/** The hosted service and Reverb tell of a refusal on the connection, soketi on the channel. */
describe.each(["pusher:error", "pusher:subscription_error"] as const)(
  "a refusal of Pusher's own, by %s",
  (subscriptionErrors) => {
    it("reaches the channel that it is about, and no other", async () => {
      await using backend = await startPusherBackend({ subscriptionErrors })
      backend.emulator.faults.inject({ kind: "refuse-subscription", channel: "private-room;refused" })
      const refused = start(backend, "alice", { channel: "room:refused" })
      const { transport } = refused
      const open = start(backend, "alice", { transport, channel: "room:open" })
      await waitFor(() => refused.told.length + open.told.length === 2)
      expect([refused.told, open.told]).toEqual([["unauthorized"], ["attached"]])
      expect(transport.status.state).toBe("connected")
    })

    it("of messages ends with the next time that they are joined", async () => {
      await using backend = await startPusherBackend({ subscriptionErrors })
      backend.emulator.faults.inject({ kind: "refuse-subscription", channel: "private-room;1", times: 1 })
      const { transport, told, subscription } = start(backend, "alice")
      await waitFor(() => told.length === 1)
      subscription.unsubscribe()
      const again = start(backend, "alice", { transport })
      await waitFor(() => again.told.length === 1)
      expect([told, again.told]).toEqual([["unauthorized"], ["attached"]])
    })

    it("because presence is full leaves the number, and messages go on", async () => {
      await using backend = await startPusherBackend({ subscriptionErrors, limits: { presenceMembers: 1 } })
      const [alice, bob] = await fillPresence(backend)
      expect(alice.moods()).toEqual({ alice: "x" })
      await backend.realtime.publish(room, "said", { text: "a" })
      await waitFor(() => bob.messages() === 1)
    })

    it("because presence is full is asked anew by whoever enters again", async () => {
      await using backend = await startPusherBackend({ subscriptionErrors, limits: { presenceMembers: 1 } })
      const [alice, bob] = await fillPresence(backend)
      const before = bob.snapshots.length
      await bob.subscription.enterPresence({ mood: "y" })
      expect(bob.snapshots.slice(before).map(({ members }) => members)).toEqual([null])
      await alice.subscription.leavePresence()
      await bob.subscription.enterPresence({ mood: "z" })
      expect(bob.moods()).toEqual({ bob: "z" })
      await bob.subscription.leavePresence()
      await alice.subscription.enterPresence({ mood: "back" })
      expect(alice.moods()).toEqual({ alice: "back" })
    })

    it("because presence is full leaves nothing behind when presence is left", async () => {
      await using backend = await startPusherBackend({ subscriptionErrors, limits: { presenceMembers: 1 } })
      const [alice, bob] = await fillPresence(backend)
      await bob.subscription.leavePresence()
      await alice.subscription.leavePresence()
      await bob.subscription.enterPresence({ mood: "z" })
      expect(bob.moods()).toEqual({ bob: "z" })
      bob.subscription.watchPresence()
      await bob.subscription.leavePresence()
      await waitFor(() => isDeepStrictEqual(bob.moods(), {}))
    })

    it("that comes when presence was left is none to whoever enters again", async () => {
      await using backend = await startPusherBackend({ subscriptionErrors, limits: { presenceMembers: 1 } })
      const [alice, bob] = await fillPresence(backend)
      const { faults } = backend.emulator
      const refusal = faults.inject({ kind: "delay", event: subscriptionErrors, delayMs: 100 })
      const late = bob.subscription.enterPresence({ mood: "y" })
      await waitFor(() => refusal.hits === 1)
      await bob.subscription.leavePresence()
      await Promise.all([late, alice.subscription.leavePresence()])
      await bob.subscription.enterPresence({ mood: "z" })
      expect(bob.moods()).toEqual({ bob: "z" })
    })

    it("because presence is full is asked anew after an interruption", async () => {
      await using backend = await startPusherBackend({ subscriptionErrors, limits: { presenceMembers: 1 } })
      const [alice, bob] = await fillPresence(backend)
      await alice.transport.close()
      backend.dropConnections()
      await waitFor(() => isDeepStrictEqual(bob.moods(), { bob: "x" }))
    })
  },
)

it("data that were refused keep nothing of what is entered right after them from being seen", async () => {
  await using backend = await startPusherBackend()
  const alice = await join(backend, "alice")
  const large = alice.subscription.enterPresence({ mood: "x".repeat(1_000) })
  await Promise.all([large, alice.subscription.enterPresence({ mood: "small" })])
  expect(alice.moods()).toEqual({ alice: "small" })
})

it("an answer of our server that comes after a reconnect is not shown to Pusher, which would refuse it", async () => {
  await using backend = await startPusherBackend({ subscriptionErrors: "pusher:subscription_error" })
  const http = createContractHttp(backend.realtime, { id: "alice" })
  const answers: PromiseWithResolvers<void>[] = []
  const { key, host, port } = backend.emulator.serverOptions()
  const transport = createPusherTransport({
    config: { provider: "pusher", key, cluster: "mt1", host, port: Number(port), tls: false },
    async credentials(body) {
      const signature = await http.credentials("pusher", body)
      if (body.kind !== "messages") return signature
      const answer = Promise.withResolvers<void>()
      answers.push(answer)
      await answer.promise
      return signature
    },
    onError: undefined,
    unavailableTimeoutMs: 500,
  })
  const alice = start(backend, "alice", { transport })
  await waitFor(() => answers.length === 1)
  backend.dropConnections()
  await waitFor(() => answers.length === 2)
  answers[0]?.resolve()
  // Answered after whatever was sent before it.
  alice.subscription.watchPresence()
  await waitFor(() => alice.snapshots.length === 1)
  answers[1]?.resolve()
  await waitFor(() => alice.told.length > 0)
  await transport.close()
  expect(alice.told).toEqual(["attached"])
})

it("presence data that Pusher has no room for are refused, and those of before stay", async () => {
  await using backend = await startPusherBackend()
  const [alice, bob] = [await join(backend, "alice"), await join(backend, "bob")]
  await alice.subscription.enterPresence({ mood: "first" })
  await bob.subscription.enterPresence({ mood: "there" })
  const large = { mood: "x".repeat(1_000) }
  await expect(alice.subscription.enterPresence(large)).rejects.toMatchObject({ code: "message-too-large" })
  const both = { alice: "first", bob: "there" }
  await waitFor(() => isDeepStrictEqual([alice.moods(), bob.moods()], [both, both]))
  await alice.subscription.leavePresence()
  await waitFor(() => isDeepStrictEqual(bob.moods(), { bob: both.bob }))
  await expect(alice.subscription.enterPresence(large)).rejects.toMatchObject({ code: "message-too-large" })
  await bob.subscription.enterPresence({ mood: "still there" })
  await waitFor(() => isDeepStrictEqual(bob.moods(), { bob: "still there" }))
})

it("a socket that breaks while a channel is being joined refuses it to nobody", async () => {
  await using backend = await startPusherBackend()
  const lost = backend.emulator.faults.inject({
    kind: "drop",
    event: "pusher_internal:subscription_succeeded",
    times: 1,
  })
  const alice = start(backend, "alice")
  await waitFor(() => lost.hits === 1)
  backend.dropConnections()
  await waitFor(() => alice.told.length > 0)
  expect(alice.told).toEqual(["attached"])
})

/** Somebody in a channel, and what they were told of it. */
function start(
  backend: Backend,
  id: string,
  { transport = backend.createTransport({ id }), channel = room.name } = {},
) {
  const told: string[] = []
  const snapshots: PresenceSnapshot[] = []
  let messages = 0
  const subscription = transport.subscribe(channel, {
    cursor: () => null,
    onAttached: () => void told.push("attached"),
    onDetached() {},
    onDenied: ({ code }) => void told.push(code),
    onMessages(received) {
      messages += received.length
    },
    onSignal() {},
    onPresence: (snapshot) => void snapshots.push(snapshot),
  })
  transport.connect()
  const moods = () =>
    Object.fromEntries(
      (snapshots.at(-1)?.members ?? []).map(({ user, data }) => [user.id, (data as { mood: string }).mood]),
    )
  return { transport, subscription, told, snapshots, moods, messages: () => messages }
}

async function join(backend: Backend, id: string) {
  const somebody = start(backend, id)
  await waitFor(() => somebody.told.includes("attached"))
  return somebody
}

/** Alice takes the one place that there is, and Bob comes too late. */
async function fillPresence(backend: Backend) {
  const [alice, bob] = [await join(backend, "alice"), await join(backend, "bob")]
  await alice.subscription.enterPresence({ mood: "x" })
  await bob.subscription.enterPresence({ mood: "x" })
  expect(bob.snapshots.map(({ members }) => members)).toEqual([null])
  return [alice, bob] as const
}
