import { contractChannels } from "throughline/testing"
import { describe, expect, it } from "vitest"
import { RealtimeError } from "../errors.ts"
import type { Cursor, LogPage, RealtimeMessage } from "../message.ts"
import { createChannelStreams } from "./channel-streams.ts"

const ref = contractChannels.room({ room: "1" })
const epoch = "e"
const at = (seq: number): Cursor => ({ epoch, seq })
const message = (seq: number, channel = ref.name): RealtimeMessage => ({
  ...{ id: `${channel} ${seq}`, channel, seq, epoch, event: "said", payload: {}, from: null, at: seq },
})

/** A log that gives what the test says, and listeners that note what they get. */
function setup(page: LogPage = { head: { epoch, seq: 0, first: 0 }, messages: [] }) {
  const told: string[] = []
  const streams = createChannelStreams(
    {
      ref,
      http: { history: async () => page } as never,
      follower: undefined,
      onError: (error) => void told.push(`error: ${(error as RealtimeError).code}`),
    },
    {
      status: { state: "attaching" },
      use: () => () => void told.push("ended"),
      shutOut: ({ code }) => void told.push(`shut out: ${code}`),
    },
  )
  const listen = (name: string, since?: Cursor) =>
    streams.subscribe(
      {
        onMessages: (messages) => void told.push(`${name} got ${messages.map(({ seq }) => seq)}`),
        onCaughtUp: ({ count }) => void told.push(`${name} caught up with ${count}`),
      },
      { since },
    )
  return { streams, told, listen }
}

describe("a channel's streams", () => {
  it("ask the provider to go on from the earliest place of all", () => {
    const { streams, listen } = setup()
    expect(streams.cursor()).toBeNull()
    for (const since of [at(7), at(3), undefined, at(5)]) listen("one", since)
    expect(streams.cursor()).toEqual(at(3))
  })

  it("hand out each message from each one's place, and nothing of another channel", () => {
    const { streams, told, listen } = setup()
    listen("early", at(1))
    listen("late", at(2))
    expect(streams.cursor()).toEqual(at(1))
    const messages = [message(2), message(3)]
    streams.attached({ head: { epoch, seq: 3, first: 1 }, messages: [message(2, "room:2"), ...messages] })
    streams.receive([message(4, "room:2"), message(4)])
    expect(told).toEqual(["early got 2,3", "late got 3", "early got 4", "late got 4"])
  })

  it("go on after a closing of the client from where each stood, and count what they catch up with", async () => {
    const { streams, told, listen } = setup()
    const subscription = listen("one", at(1))
    streams.attached(undefined)
    streams.receive([message(2)])
    const { ready } = subscription
    streams.renew()
    expect(subscription.ready).not.toBe(ready)
    expect(subscription.cursor).toMatchObject(at(2))
    streams.attached({ head: { epoch, seq: 3, first: 1 }, messages: [message(3)] })
    await subscription.ready
    expect(told).toEqual(["one got 2", "one got 3", "one caught up with 1"])
  })

  it("compare themselves with the log's head where one has a place, unless it has ended since", () => {
    const { streams, told, listen } = setup()
    const denial = new RealtimeError("channel-denied", { message: "no" })
    listen("without a place")
    expect(streams.startComparison()).toBeNull()
    const { unsubscribe } = listen("one", at(1))
    const [first, second, third] = [1, 2, 3].map(() => streams.startComparison())
    first?.(new RealtimeError("log-unavailable", { message: "away" }))
    second?.(denial)
    unsubscribe()
    third?.(denial)
    expect(told).toEqual(["error: log-unavailable", "shut out: channel-denied", "ended"])
  })
})
