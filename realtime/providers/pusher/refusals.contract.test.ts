import { describe, expect, it } from "vitest"
import type { RealtimeErrorCode } from "../../errors.ts"
import type { PresenceSnapshot } from "../../message.ts"
import { startPusherBackend } from "../../testing/pusher-backend.ts"
import { waitFor } from "../../testing/wait-for.ts"

/** The hosted service tells of a refusal on the connection, its self-hosted relatives on the channel. */
describe.each(["pusher:error", "pusher:subscription_error"] as const)(
  "a refusal of Pusher's own, by %s",
  (subscriptionErrors) => {
    it("reaches the channel that it is about, and no other", async () => {
      await using backend = await startPusherBackend({ subscriptionErrors })
      backend.emulator.faults.inject({ kind: "refuse-subscription", channel: "private-room;refused" })
      const transport = backend.createTransport({ id: "alice" })
      const told: Record<string, RealtimeErrorCode | "attached"> = {}
      for (const room of ["refused", "open"]) {
        transport.subscribe(`room:${room}`, {
          cursor: () => null,
          onAttached: () => void Object.assign(told, { [room]: "attached" }),
          onDetached() {},
          onDenied: ({ code }) => void Object.assign(told, { [room]: code }),
          onMessages() {},
          onSignal() {},
          onPresence() {},
        })
      }
      transport.connect()
      await waitFor(() => Object.keys(told).length === 2)
      expect(told).toEqual({ refused: "unauthorized", open: "attached" })
      expect(transport.status.state).toBe("connected")
    })

    it("because presence is full leaves the number, and messages go on", async () => {
      await using backend = await startPusherBackend({ subscriptionErrors, limits: { presenceMembers: 1 } })
      const seen: PresenceSnapshot[] = []
      for (const id of ["alice", "bob"]) {
        const transport = backend.createTransport({ id })
        let isAttached = false
        const subscription = transport.subscribe("room:full", {
          cursor: () => null,
          onAttached() {
            isAttached = true
          },
          onDetached() {},
          onDenied() {},
          onMessages() {},
          onSignal() {},
          onPresence: (snapshot) => void seen.push(snapshot),
        })
        transport.connect()
        await waitFor(() => isAttached)
        await subscription.enterPresence({ mood: "x" })
        await waitFor(() => seen.length === (id === "alice" ? 1 : 2))
      }
      expect(seen.map(({ members }) => members?.length ?? null)).toEqual([1, null])
    })
  },
)

it("a socket that breaks while a channel is being joined refuses it to nobody", async () => {
  await using backend = await startPusherBackend()
  const lost = backend.emulator.faults.inject({
    kind: "drop",
    event: "pusher_internal:subscription_succeeded",
    times: 1,
  })
  const transport = backend.createTransport({ id: "alice" })
  const told: string[] = []
  transport.subscribe("room:1", {
    cursor: () => null,
    onAttached: () => void told.push("attached"),
    onDetached() {},
    onDenied: ({ message }) => void told.push(message),
    onMessages() {},
    onSignal() {},
    onPresence() {},
  })
  transport.connect()
  await waitFor(() => lost.hits === 1)
  backend.dropConnections()
  await waitFor(() => told.length > 0)
  expect(told).toEqual(["attached"])
})
