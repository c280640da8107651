import type { StateKey } from "../../channel.ts"
import { watchState } from "../../client/watch-state.ts"
import type { ChannelObserver, RealtimeTransport } from "../../transport.ts"
import { waitFor } from "../wait-for.ts"
import { contractChannels, createContractHttp } from "./backend.ts"
import { alice, bob, expect, freshName, type RoomRef, rejection, type Stage, suite } from "./check.ts"

type Key = StateKey<RoomRef["definition"]>

/** Bob's page, which watches these keys, and all that it was told. */
function openWatch(stage: Stage, room: RoomRef, keys: readonly Key[], transport?: () => RealtimeTransport) {
  const channel = stage.openClient(bob, transport).channel(room)
  const told: Record<string, unknown>[] = []
  const watch = watchState(channel, keys, (values) => told.push(values), { perSecond: 20 })
  return { channel, told, watch }
}

/** The same, once it knows what there is. */
async function startWatch(...args: Parameters<typeof openWatch>) {
  const opened = openWatch(...args)
  await waitFor(() => opened.channel.status.state === "attached" && opened.watch.isReady, "the first values")
  return opened
}

/** Lets a page miss deliveries of its state, as a network does. */
function leaky(transport: RealtimeTransport, isLost: () => boolean): RealtimeTransport {
  const subscribe: RealtimeTransport["subscribe"] = (channel, observer) =>
    transport.subscribe(
      channel,
      new Proxy(observer, {
        get(target, name: keyof ChannelObserver) {
          const told = target[name] as (...args: unknown[]) => unknown
          return (...args: unknown[]) =>
            name === "onState" && isLost() ? undefined : told.apply(target, args)
        },
      }),
    )
  return Object.create(transport, { subscribe: { value: subscribe } }) as RealtimeTransport
}

const quote = (bid: number) => ({ bid, ask: bid + 1 })

export const stateChecks = suite("state", {
  async "begins with what there is, and goes on with what changes, is deleted, and is there again"(stage) {
    const room = stage.room()
    const state = stage.backend.realtime.state(room)
    await state.set("quote:a", quote(1))
    await state.set("quote:c", quote(7))
    const { watch } = await startWatch(stage, room, ["quote:a", "quote:b"])
    expect("the first values", watch.values, { "quote:a": quote(1) })
    await state.set("quote:b", quote(2))
    await state.set("phase", "open")
    await state.set("quote:a", quote(3))
    await waitFor(() => watch.values["quote:a"]?.bid === 3 && watch.values["quote:b"], "the changes")
    expect("the values", watch.values, { "quote:a": quote(3), "quote:b": quote(2) })
    await state.delete("quote:a")
    await waitFor(() => !watch.values["quote:a"], "the end of the key")
    await state.set("quote:a", quote(4))
    await waitFor(() => watch.values["quote:a"]?.bid === 4, "the key's next life")
  },

  async "leaves out what is between, never the last value, and goes back with none"(stage) {
    const room = stage.room()
    const state = stage.backend.realtime.state(room)
    const { watch, told } = await startWatch(stage, room, ["quote:a"])
    const begun = performance.now()
    for (let bid = 1; bid <= 100; bid += 1) await state.set("quote:a", quote(bid))
    await waitFor(() => watch.values["quote:a"]?.bid === 100, "the last value")
    const most = 5 + (20 * (performance.now() - begun)) / 1_000
    expect(`that ${told.length} deliveries are at most ${most}`, told.length <= most, true)
    const bids = told.map((values) => (values["quote:a"] as { bid: number } | undefined)?.bid ?? 0)
    expect(
      "the order",
      bids,
      bids.toSorted((one, other) => one - other),
    )
  },

  async "watches other keys without leaving"(stage) {
    const room = stage.room()
    const state = stage.backend.realtime.state(room)
    await state.set("quote:b", quote(1))
    const { channel, watch } = await startWatch(stage, room, ["quote:a"])
    const states: string[] = []
    channel.onStatus(() => states.push(channel.status.state))
    watch.setKeys(["quote:b", "quote:c"])
    await waitFor(() => watch.isReady, "the other keys")
    expect("the values", watch.values, { "quote:b": quote(1) })
    await state.set("quote:a", quote(5))
    await state.set("quote:c", quote(2))
    await waitFor(() => watch.values["quote:c"], "a change")
    expect("the values then", watch.values, { "quote:b": quote(1), "quote:c": quote(2) })
    expect("what became of the channel", states, [])
  },

  async "asks for nothing any more once nothing is watched, though others stay in the channel"(stage) {
    const room = stage.room()
    const asked: number[] = []
    const transport = () => {
      const made = stage.backend.createTransport(bob)
      const subscribe: RealtimeTransport["subscribe"] = (...call) => {
        const subscription = made.subscribe(...call)
        const { watchState: tell } = subscription
        if (!tell) return subscription
        return Object.assign(subscription, {
          watchState(wanted: Parameters<typeof tell>[0]) {
            asked.push(wanted.keys.length)
            return tell(wanted)
          },
        })
      }
      return Object.create(made, { subscribe: { value: subscribe } }) as RealtimeTransport
    }
    const { channel, watch } = await startWatch(stage, room, ["quote:a", "quote:b"], transport)
    channel.subscribe({ onMessages() {} })
    watch.stop()
    await stage.backend.realtime.state(room).set("quote:a", quote(1))
    const again = watchState(channel, ["quote:a"], () => {})
    await waitFor(() => again.values["quote:a"], "the value, watched anew")
    if (asked.length > 0) expect("how many keys were asked for", asked, [2, 0, 1])
  },

  async "has the newest values after an interruption"(stage) {
    const room = stage.room()
    const state = stage.backend.realtime.state(room)
    await state.set("quote:a", quote(1))
    await state.set("quote:b", quote(1))
    const { channel, watch } = await startWatch(stage, room, ["quote:a", "quote:b"])
    const end = await stage.backend.startOutage()
    await waitFor(() => channel.status.state !== "attached", "the interruption")
    await state.set("quote:a", quote(2))
    await state.delete("quote:b")
    await end()
    await waitFor(() => watch.values["quote:a"]?.bid === 2 && !watch.values["quote:b"], "what was missed")
    await state.set("quote:b", quote(3))
    await waitFor(() => watch.values["quote:b"]?.bid === 3, "what comes then")
  },

  async "changes the fields that are named, all of them of one moment"(stage) {
    const room = stage.room()
    const state = stage.backend.realtime.state(room)
    const { watch, told } = await startWatch(stage, room, ["quote:a"])
    await state.set("quote:a", quote(0))
    // Each waits for nobody, and all of them count.
    const changes = Array.from({ length: 20 }, (_, n) =>
      state.patch("quote:a", n % 2 ? { note: `${n}` } : quote(n)),
    )
    await Promise.all(changes)
    await waitFor(() => watch.values["quote:a"]?.note === "19", "the last change")
    expect("the value", watch.values["quote:a"], { ...quote(18), note: "19" })
    const quotes = told.flatMap((values) => (values["quote:a"] as ReturnType<typeof quote> | undefined) ?? [])
    expect(
      "torn values",
      quotes.filter(({ bid, ask }) => ask !== bid + 1),
      [],
    )
  },

  async "reads what a delivery was lost of"(stage) {
    const room = stage.room()
    const state = stage.backend.realtime.state(room)
    let isLosing = false
    let lost = 0
    const transport = () =>
      leaky(stage.backend.createTransport(bob), () => {
        if (isLosing) lost += 1
        return isLosing
      })
    const { watch } = await startWatch(stage, room, ["quote:a", "quote:b"], transport)
    await state.set("quote:a", quote(1))
    await waitFor(() => watch.values["quote:a"]?.bid === 1, "the first change")
    isLosing = true
    await state.set("quote:a", quote(2))
    await waitFor(() => lost > 0, "a delivery to lose")
    isLosing = false
    await state.set("quote:b", quote(1))
    await waitFor(() => watch.values["quote:b"] && watch.values["quote:a"]?.bid === 2, "what was lost")
  },

  async "brings a value that doesn't fit the provider"(stage) {
    const room = stage.room()
    const state = stage.backend.realtime.state(room)
    const { watch } = await startWatch(stage, room, ["anything", "quote:a"])
    const long = "長い".repeat(4_000)
    await state.set("anything", long)
    await state.set("quote:a", quote(1))
    await waitFor(() => watch.values.anything === long && watch.values["quote:a"], "both values")
  },

  async "is read anew when the server lost it"(stage) {
    const room = stage.room()
    const state = stage.backend.realtime.state(room)
    await state.set("quote:a", quote(1))
    await state.set("quote:b", quote(1))
    const { watch } = await startWatch(stage, room, ["quote:a", "quote:b"])
    stage.backend.realtime.loseState()
    await state.set("quote:b", quote(2))
    await waitFor(() => !watch.values["quote:a"] && watch.values["quote:b"]?.bid === 2, "the new life")
  },

  async "is closed to whoever may not subscribe"(stage) {
    const vault = contractChannels.vault({ vault: freshName("vault") })
    await stage.backend.realtime.state(vault).set("code", "1234")
    const http = createContractHttp(stage.backend.realtime, alice)
    expect(
      "the code over HTTP",
      (await rejection(http.post("state", { channel: vault.name, keys: ["code"] }))).code,
      "channel-denied",
    )
    const channel = stage.openClient(alice).channel(vault)
    const watch = watchState(channel, ["code"], () => {})
    await waitFor(() => channel.status.state === "denied", "the refusal")
    expect("the values", watch.values, {})
  },
})
