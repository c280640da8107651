import { createMessageFeed } from "../../client/message-feed.ts"
import type { RealtimeMessage } from "../../message.ts"
import { waitFor } from "../wait-for.ts"
import { alice, bob, expect, settle, suite, textsOf } from "./check.ts"

export const reconnectChecks = suite("reconnect", {
  async "comes back by itself, joins again and says both"(stage) {
    const room = stage.room()
    const transport = await stage.connect(alice)
    const probe = await stage.probe(transport, room)
    const states: string[] = []
    transport.onStatus(({ state }) => states.push(state))
    await stage.backend.dropConnections()
    await waitFor(() => probe.attachments === 2)
    expect("the state while away", states[0], "reconnecting")
    expect("the state", transport.status.state, "connected")
    expect("detachments", probe.detachments, 1)
    expect("texts", (await settle(stage, probe, room)).length, 0)
  },

  async "survives being cut again and again"(stage) {
    const room = stage.room()
    const probe = await stage.probe(await stage.connect(alice), room)
    for (const times of [2, 3, 4]) {
      await stage.backend.dropConnections()
      await waitFor(() => probe.attachments >= times)
    }
    await settle(stage, probe, room)
  },

  async "catches up on what was missed where the provider can, from the cursor on"(stage) {
    const room = stage.room()
    const transport = await stage.connect(alice)
    const probe = await stage.probe(transport, room)
    if (!transport.capabilities.catchesUpOnSubscribe) return
    await stage.backend.realtime.publish(room, "said", { text: "seen" })
    const [seen] = await waitFor(() => probe.messages.length === 1 && probe.messages)
    probe.cursor = seen ? { epoch: seen.epoch, seq: seen.seq } : null
    const end = await stage.backend.startOutage()
    await waitFor(() => probe.detachments === 1)
    await stage.backend.realtime.publish(room, "said", { text: "missed" })
    await end()
    const page = await waitFor(() => probe.pages.at(-1), "the page")
    expect("what the page brings", textsOf(page.messages), ["missed"])
    expect("the head", page.head.seq, 2)
  },

  async "leaves no gap and repeats nothing through the client, whatever happens in between"(stage) {
    const room = stage.room()
    const client = stage.openClient(alice)
    const received: RealtimeMessage[] = []
    const caughtUp: { count: number; recovered: boolean }[] = []
    const subscription = client.channel(room).subscribe({
      onMessages: (messages) => void received.push(...messages),
      onCaughtUp: (result) => void caughtUp.push(result),
    })
    await subscription.ready
    const publish = (text: string) => stage.backend.realtime.publish(room, "said", { text })
    await publish("before")
    await waitFor(() => received.length === 1)
    const end = await stage.backend.startOutage()
    await waitFor(() => client.connection.status.state !== "connected")
    // Where the publisher shares the outage, a third failure would have it leave
    // the provider alone for a while.
    for (const text of ["away 1", "away 2"]) await publish(text)
    await end()
    await waitFor(() => received.length === 3)
    await waitFor(() => caughtUp.length > 0)
    expect("the report", caughtUp[0], { count: 2, recovered: true })
    await publish("after")
    await waitFor(() => received.length === 4)
    expect("texts", textsOf(received), ["before", "away 1", "away 2", "after"])
  },

  async "starts over when the log was put back to an earlier state, and has gone on past what was seen"(
    stage,
  ) {
    const room = stage.room()
    const client = stage.openClient(alice)
    const { realtime } = stage.backend
    const say = (text: string) => realtime.publish(room, "said", { text })
    await say("one")
    const feed = createMessageFeed(client.channel(room), await realtime.history(room))
    const stop = feed.start()
    await say("lost")
    await waitFor(() => feed.state.messages.length === 2)
    const end = await stage.backend.startOutage()
    await waitFor(() => client.connection.status.state !== "connected")
    realtime.putBack(room, 1)
    for (const text of ["two", "three"]) await say(text)
    await end()
    await waitFor(() => feed.state.wasReset && feed.state.messages.length === 3, "the reset")
    expect("texts", textsOf(feed.state.messages), ["one", "two", "three"])
    await say("four")
    await waitFor(() => feed.state.messages.length === 4)
    expect("texts", textsOf(feed.state.messages), ["one", "two", "three", "four"])
    stop()
  },

  async "sends what is written without a connection over HTTP, in order, once"(stage) {
    const room = stage.room()
    const client = stage.openClient(alice)
    const channel = client.channel(room)
    const received: RealtimeMessage[] = []
    await channel.subscribe({ onMessages: (messages) => void received.push(...messages) }).ready
    const end = await stage.backend.startOutage()
    await waitFor(() => client.connection.status.state !== "connected")
    const sending = ["one", "two", "three"].map((text) => channel.publish("said", { text }))
    await Promise.all(sending)
    await end()
    await waitFor(() => client.connection.status.state === "connected")
    await channel.publish("said", { text: "four" })
    await waitFor(() => received.length === 4)
    expect("texts", textsOf(received), ["one", "two", "three", "four"])
    expect("the log's head", (await stage.backend.realtime.head(room)).seq, 4)
  },

  async "joins live messages to a page of history without gap or repeat"(stage) {
    const room = stage.room()
    const publish = (text: string) => stage.backend.realtime.publish(room, "said", { text }, { from: bob })
    for (const text of ["1", "2", "3"]) await publish(text)
    const page = await stage.backend.realtime.history(room, { limit: 2 })
    expect("the page", textsOf(page.messages), ["2", "3"])
    await publish("4")
    const received: RealtimeMessage[] = []
    const handlers = { onMessages: (messages: RealtimeMessage[]) => void received.push(...messages) }
    await stage.openClient(alice).channel(room).subscribe(handlers, { since: page.head }).ready
    await publish("5")
    await waitFor(() => received.length === 2)
    expect("texts", textsOf(received), ["4", "5"])
  },

  async "gives each listener of one channel its own place"(stage) {
    const room = stage.room()
    const publish = (text: string) => stage.backend.realtime.publish(room, "said", { text })
    for (const text of ["1", "2"]) await publish(text)
    const { head } = await stage.backend.realtime.history(room)
    const channel = stage.openClient(alice).channel(room)
    const [fromStart, fromNow]: RealtimeMessage[][] = [[], []]
    const early = channel.subscribe(
      { onMessages: (messages) => void fromStart?.push(...messages) },
      { since: { epoch: head.epoch, seq: 0 } },
    )
    const late = channel.subscribe({ onMessages: (messages) => void fromNow?.push(...messages) })
    await Promise.all([early.ready, late.ready])
    await publish("3")
    await waitFor(() => fromStart?.length === 3 && fromNow?.length === 1)
    early.unsubscribe()
    await publish("4")
    await waitFor(() => fromNow?.length === 2)
    expect("from the start", textsOf(fromStart ?? []), ["1", "2", "3"])
    expect("from now", textsOf(fromNow ?? []), ["3", "4"])
  },
})
