import type { JsonValue } from "../../json.ts"
import type { RealtimeMessage } from "../../message.ts"
import { waitFor } from "../wait-for.ts"
import { contractChannels } from "./backend.ts"
import {
  alice,
  bob,
  carol,
  expect,
  freshName,
  type RoomRef,
  type Stage,
  settle,
  suite,
  textsOf,
} from "./check.ts"

const texts = (count: number) => Array.from({ length: count }, (_, index) => `text ${index}`)

async function publishAll(stage: Stage, room: RoomRef, all: readonly string[]): Promise<void> {
  await Promise.all(
    all.map((text) => stage.backend.realtime.publish(room, "said", { text }, { from: alice })),
  )
}

export const deliveryChecks = suite("delivery", {
  async "hands over each message that is published after attaching, once"(stage) {
    const room = stage.room()
    const probe = await stage.probe(await stage.connect(alice), room)
    await publishAll(stage, room, texts(100))
    expect("texts", (await settle(stage, probe, room)).sort(), texts(100).sort())
  },

  async "hands over the envelope unchanged"(stage) {
    const room = stage.room()
    const probe = await stage.probe(await stage.connect(alice), room)
    const receipt = await stage.backend.realtime.publish(room, "said", { text: "hello" }, { from: bob })
    const [message] = await waitFor(() => probe.messages.length === 1 && probe.messages)
    expect("the message", message, {
      ...receipt,
      channel: room.name,
      event: "said",
      payload: { text: "hello" },
      from: bob,
    })
  },

  async "reaches every subscriber, wherever they came from"(stage) {
    const room = stage.room()
    const people = await Promise.all([alice, bob, carol, alice].map((user) => stage.connect(user)))
    const probes = await Promise.all(people.map((transport) => stage.probe(transport, room)))
    await stage.backend.realtime.publish(room, "said", { text: "to all" })
    await waitFor(() => probes.every(({ messages }) => messages.length === 1))
  },

  async "keeps channels apart"(stage) {
    const [here, there] = [stage.room(), stage.room()]
    const transport = await stage.connect(alice)
    const [one, other] = await Promise.all([stage.probe(transport, here), stage.probe(transport, there)])
    await Promise.all([publishAll(stage, here, ["here"]), publishAll(stage, there, ["there"])])
    expect("here", await settle(stage, one, here), ["here"])
    expect("there", await settle(stage, other, there), ["there"])
  },

  async "brings every shape of JSON back as it was"(stage) {
    const room = stage.room()
    const probe = await stage.probe(await stage.connect(alice), room)
    const payloads: JsonValue[] = [
      null,
      false,
      0,
      -1.5e300,
      "",
      "日本語 👩‍👩‍👧 \u0000 \u2028 </script>",
      [],
      [[1, [2]], {}],
      { "": 1, __proto: [null], ключ: { a: { b: { c: "d" } } } },
    ]
    for (const payload of payloads) await stage.backend.realtime.publish(room, "anything", payload)
    await waitFor(() => probe.messages.length === payloads.length)
    const ordered = [...probe.messages].sort((a, b) => a.seq - b.seq)
    expect(
      "the payloads",
      ordered.map(({ payload }) => payload),
      payloads,
    )
  },

  async "works in a channel of any name"(stage) {
    const transport = await stage.connect(alice)
    const names = [
      "日本語の部屋",
      "a/b:c",
      "👩‍👩‍👧",
      "x".repeat(200),
      "UPPER lower",
      "100%;=@,._-",
      "%2f",
      "a?b#c&d",
    ]
    for (const name of names) {
      const room = contractChannels.room({ room: freshName(name) })
      const probe = await stage.probe(transport, room)
      await stage.backend.realtime.publish(room, "said", { text: name })
      const [message] = await waitFor(() => probe.messages.length === 1 && probe.messages, name)
      expect("the channel", message?.channel, room.name)
    }
  },

  async "says that a body is missing rather than bringing a part of it"(stage) {
    const room = stage.room()
    const probe = await stage.probe(await stage.connect(alice), room)
    const text = "長い".repeat(5_000)
    await stage.backend.realtime.publish(room, "said", { text })
    const [message] = await waitFor(() => probe.messages.length === 1 && probe.messages)
    if (!message?.bodyless) expect("the payload", message?.payload, { text })
  },

  async "stops when the subscription ends, and starts again with the next"(stage) {
    const [room, other] = [stage.room(), stage.room()]
    const transport = await stage.connect(alice)
    const ended = await stage.probe(transport, room)
    const witness = await stage.probe(transport, other)
    ended.subscription.unsubscribe()
    ended.subscription.unsubscribe()
    await publishAll(stage, room, ["unheard"])
    await settle(stage, witness, other)
    expect("texts after the end", textsOf(ended.messages), [])
    const again = await stage.probe(transport, room)
    await publishAll(stage, room, ["heard"])
    expect("texts of the next", await settle(stage, again, room), ["heard"])
    expect("texts of the first", textsOf(ended.messages), [])
  },

  async "carries a sender's messages to the log and back where it publishes itself"(stage) {
    const room = stage.room()
    const transport = await stage.connect(alice)
    if (!transport.publish) {
      expect("the capability", transport.capabilities.publishesOverConnection, false)
      return
    }
    expect("the capability", transport.capabilities.publishesOverConnection, true)
    const probe = await stage.probe(transport, room)
    const id = crypto.randomUUID()
    const message = { id, event: "said", payload: { text: "mine" } }
    const [first] = await transport.publish(room.name, [message])
    const [second] = await transport.publish(room.name, [message])
    expect("the second answer", second, first)
    expect("texts", await settle(stage, probe, room), ["mine"])
    expect("the sender", probe.messages[0]?.from, alice)
  },
})

export const orderChecks = suite("order", {
  async "keeps one publisher's order while the connection holds"(stage) {
    const room = stage.room()
    const probe = await stage.probe(await stage.connect(alice), room)
    for (const text of texts(40)) await stage.backend.realtime.publish(room, "said", { text })
    expect("texts", await settle(stage, probe, room), texts(40))
    expect(
      "positions",
      probe.messages.map(({ seq }) => seq),
      texts(41).map((_, index) => index + 1),
    )
  },

  async "keeps the order of the log through the client, however many publish at once"(stage) {
    const room = stage.room()
    const received: RealtimeMessage[] = []
    const subscription = stage
      .openClient(alice)
      .channel(room)
      .subscribe({ onMessages: (messages) => void received.push(...messages) })
    await subscription.ready
    const senders = [bob, carol].map((user) => stage.openClient(user).channel(room))
    await Promise.all(
      senders.flatMap((sender, s) =>
        texts(30).map((text) => sender.publish("said", { text: `${s} ${text}` })),
      ),
    )
    await waitFor(() => received.length === 60)
    expect(
      "positions",
      received.map(({ seq }) => seq),
      texts(60).map((_, index) => index + 1),
    )
    for (const s of [0, 1]) {
      expect(
        `the order of sender ${s}`,
        textsOf(received).filter((text) => text.startsWith(`${s} `)),
        texts(30).map((text) => `${s} ${text}`),
      )
    }
  },
})
