import { contractChannels } from "throughline/testing"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import * as z from "zod/mini"
import { defineChannel } from "../channel.ts"
import { RealtimeError } from "../errors.ts"
import type { TransportSubscription } from "../transport.ts"
import { createChannelPresence } from "./channel-presence.ts"

const member = (id: string, mood: unknown) => ({ user: { id }, data: { mood } })
const of = (...members: ReturnType<typeof member>[]) => ({ count: members.length, members })

/** A provider that writes down what the page says of itself. */
function setup(definition = () => contractChannels.room as never) {
  const said: unknown[] = []
  const errors: unknown[] = []
  let isRefused = false
  const joined = {
    watchPresence: () => void said.push("watch"),
    async enterPresence(data) {
      if (isRefused) throw new RealtimeError("channel-denied", { message: "not here" })
      said.push(data)
    },
    leavePresence: async () => void said.push("leave"),
  } satisfies Partial<TransportSubscription>
  const subscription = {
    joined: null as TransportSubscription | null,
    use: (end?: () => void) => () => end?.(),
  }
  const presence = createChannelPresence(
    { presenceGraceMs: 0, onError: (error) => void errors.push(error) },
    subscription,
    definition,
  )
  return {
    ...{ presence, said, errors },
    join() {
      subscription.joined = joined as unknown as TransportSubscription
      presence.joined()
    },
    refuse() {
      isRefused = true
    },
  }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe("a channel's presence", () => {
  it("says the data that was given last, whichever component gave it, and leaves with the last of them", async () => {
    const { presence, said, join } = setup()
    const [first, second] = [presence.enter({ mood: "a" }), presence.enter({ mood: "b" })]
    expect(said).toEqual([])
    join()
    first.update({ mood: "c" })
    second.leave()
    await vi.runAllTimersAsync()
    first.leave()
    first.leave()
    await vi.runAllTimersAsync()
    expect(said).toEqual([{ mood: "b" }, { mood: "c" }, "leave"])
  })

  it("doesn't leave and enter again for a component that takes another's place in one task", async () => {
    const { presence, said, join } = setup()
    join()
    presence.enter({ mood: "a" }).leave()
    presence.enter({ mood: "b" })
    await vi.runAllTimersAsync()
    expect(said).toEqual([{ mood: "a" }, { mood: "b" }])
  })

  it("leaves once, with however many components go in one task, and only what it has entered", async () => {
    const { presence, said, join } = setup()
    join()
    const both = [presence.enter({ mood: "a" }), presence.enter({ mood: "b" })]
    for (const entry of both) entry.leave()
    await vi.runAllTimersAsync()
    join()
    expect(said).toEqual([{ mood: "a" }, { mood: "b" }, "leave"])
  })

  it("is watched from its first listener on, and again each time that the channel is joined", () => {
    const { presence, said, join } = setup()
    join()
    for (let times = 0; times < 2; times += 1) presence.subscribe(() => {})
    join()
    expect(said.filter((what) => what === "watch")).toHaveLength(2)
  })

  it("tells a refusal to whom no caller's waiting is left", async () => {
    const { presence, errors, join, refuse } = setup()
    join()
    refuse()
    presence.enter({ mood: "a" })
    await vi.runAllTimersAsync()
    expect(errors).toEqual([expect.objectContaining({ code: "channel-denied" })])
  })

  it("shows nobody whose data has another shape, and what was told last, however long its check takes", async () => {
    const slow = Promise.withResolvers<boolean>()
    const isKnown = (text: string) => (text === "slow" ? slow.promise : Promise.resolve(true))
    const mood = z.object({ mood: z.string().check(z.refine(isKnown)) })
    const definition = defineChannel("room:{room}", { messages: {}, presence: mood })
    const { presence } = setup(() => definition as never)
    const early = presence.receive(of(member("a", "slow")))
    await presence.receive(of(member("b", "quick"), member("c", 7)))
    slow.resolve(true)
    await early
    expect(presence.snapshot).toEqual(of(member("b", "quick")))
    const last = presence.receive(of(member("d", "quick")))
    presence.forget()
    await last
    expect(presence.snapshot).toBeNull()
  })
})
