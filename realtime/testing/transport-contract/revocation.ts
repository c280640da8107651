import type { RealtimeMessage } from "../../message.ts"
import { waitFor } from "../wait-for.ts"
import { closeTo, openTo } from "./backend.ts"
import { alice, bob, expect, rejection, settle, suite, textsOf } from "./check.ts"

export const revocationChecks = suite("revocation", {
  async "takes a channel from whom it is closed to, and leaves them their others"(stage) {
    const [closing, other] = [stage.room(), stage.room()]
    const transport = await stage.connect(alice)
    const lost = await stage.probe(transport, closing)
    const kept = await stage.probe(transport, other)
    const witness = await stage.probe(await stage.connect(bob), closing)
    closeTo(alice, closing)
    await stage.backend.realtime.revoke(alice, closing)
    await waitFor(() => lost.denied.length > 0, "the denial")
    expect("the code", lost.denied[0]?.code, "channel-denied")
    await waitFor(() => transport.status.state === "connected")
    await stage.backend.realtime.publish(closing, "said", { text: "secret" })
    await waitFor(() => textsOf(witness.messages).includes("secret"), "the witness")
    await waitFor(() => kept.attachments > kept.detachments, "the attachment")
    await settle(stage, kept, other)
    expect("what was lost", textsOf(lost.messages).includes("secret"), false)
  },

  async "takes every channel from whom all are closed to, and nothing from others"(stage) {
    const rooms = [stage.room(), stage.room()]
    const transport = await stage.connect(alice)
    const lost = await Promise.all(rooms.map((room) => stage.probe(transport, room)))
    const another = await stage.connect(bob)
    const witnesses = await Promise.all(rooms.map((room) => stage.probe(another, room)))
    for (const room of rooms) closeTo(alice, room)
    await stage.backend.realtime.revoke(alice)
    await waitFor(() => lost.every(({ denied }) => denied.length > 0), "the denials")
    for (const room of rooms) await stage.backend.realtime.publish(room, "said", { text: "secret" })
    await waitFor(
      () => witnesses.every(({ messages }) => textsOf(messages).includes("secret")),
      "the witness",
    )
    expect("what was lost", lost.flatMap(({ messages }) => textsOf(messages)).includes("secret"), false)
    expect(
      "what others lost",
      witnesses.flatMap(({ denied }) => denied),
      [],
    )
  },

  async "tells the listeners of the client, who hear no more of it"(stage) {
    const room = stage.room()
    const heard: string[] = []
    const channel = stage.openClient(alice).channel(room)
    const subscription = channel.subscribe({
      onMessages: (messages) => void heard.push(...textsOf(messages)),
    })
    await subscription.ready
    const witness = await stage.probe(await stage.connect(bob), room)
    closeTo(alice, room)
    await stage.backend.realtime.revoke(alice, room)
    await waitFor(() => channel.status.state === "denied", "the denial")
    expect("the code", channel.status.error?.code, "channel-denied")
    await settle(stage, witness, room)
    expect("what was heard", heard, [])
  },

  async "lets the listeners go on once the channel is open again, whoever still listens"(stage) {
    const room = stage.room()
    const heard: string[] = []
    const channel = stage.openClient(alice).channel(room)
    await channel.subscribe({ onMessages: (messages) => void heard.push(...textsOf(messages)) }).ready
    const publish = (text: string) => stage.backend.realtime.publish(room, "said", { text })
    await publish("before")
    await waitFor(() => heard.length === 1, "what came before")
    closeTo(alice, room)
    await stage.backend.realtime.revoke(alice, room)
    await waitFor(() => channel.status.state === "denied", "the denial")
    const refused = await rejection(channel.subscribe({ onMessages() {} }).ready)
    expect("listening meanwhile", refused.code, "channel-denied")
    openTo(alice, room)
    await publish("meanwhile")
    await channel.subscribe({ onMessages() {} }).ready
    await publish("after")
    await waitFor(() => heard.length === 3, "the rest")
    expect("what was heard", heard, ["before", "meanwhile", "after"])
  },

  async "lets nothing be missed by whom it concerns needlessly"(stage) {
    const room = stage.room()
    const received: RealtimeMessage[] = []
    const subscription = stage
      .openClient(alice)
      .channel(room)
      .subscribe({ onMessages: (messages) => void received.push(...messages) })
    await subscription.ready
    const publish = (text: string) => stage.backend.realtime.publish(room, "said", { text })
    await publish("1")
    const revoked = stage.backend.realtime.revoke(alice, room)
    await Promise.all([publish("2"), publish("3"), revoked])
    await publish("4")
    await waitFor(() => received.length === 4, "all of them")
    expect(
      "positions",
      received.map(({ seq }) => seq),
      [1, 2, 3, 4],
    )
  },
})
