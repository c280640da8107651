import { waitFor } from "../wait-for.ts"
import { alice, expect, rejection, settle, suite, textsOf } from "./check.ts"

export const lifecycleChecks = suite("lifecycle", {
  async "calls nobody back after close"(stage) {
    const room = stage.room()
    const [leaving, staying] = await Promise.all([stage.connect(alice), stage.connect(alice)])
    const [gone, witness] = await Promise.all([stage.probe(leaving, room), stage.probe(staying, room)])
    const states: string[] = []
    leaving.onStatus(({ state }) => states.push(state))
    await leaving.close()
    const { attachments, detachments } = gone
    await stage.backend.dropConnections()
    await waitFor(() => witness.attachments === 2)
    await settle(stage, witness, room)
    expect("states", states, ["closed"])
    expect("messages", textsOf(gone.messages), [])
    expect("attachments", [gone.attachments, gone.detachments], [attachments, detachments])
  },

  async "stops telling a listener that has left"(stage) {
    const transport = stage.backend.createTransport(alice)
    const states: string[] = []
    const stop = transport.onStatus(({ state }) => states.push(state))
    stop()
    stop()
    transport.connect()
    await waitFor(() => transport.status.state === "connected")
    expect("states", states, [])
    await transport.close()
  },

  async "goes on, and tells the others, when a listener throws"(stage) {
    const transport = stage.backend.createTransport(alice)
    transport.onStatus(() => {
      throw new Error("a listener's own failure")
    })
    const states: string[] = []
    transport.onStatus(({ state }) => states.push(state))
    const probe = stage.startProbe(transport, stage.room())
    transport.connect()
    await waitFor(() => probe.attachments > 0, "the attachment")
    expect("the state that was told", states.at(-1), "connected")
    await transport.close()
    expect("the last state that was told", states.at(-1), "closed")
  },

  async "shares one subscription among all listeners of a channel, and ends it with the last"(stage) {
    const room = stage.room()
    const channel = stage.openClient(alice).channel(room)
    const heard: string[][] = [[], []]
    const subscriptions = heard.map((texts) =>
      channel.subscribe({ onMessages: (messages) => void texts.push(...textsOf(messages)) }),
    )
    await Promise.all(subscriptions.map(({ ready }) => ready))
    await stage.backend.realtime.publish(room, "said", { text: "both" })
    await waitFor(() => heard.every((texts) => texts.length === 1))
    subscriptions[0]?.unsubscribe()
    await stage.backend.realtime.publish(room, "said", { text: "one" })
    await waitFor(() => heard[1]?.length === 2)
    expect("the one that left", heard[0], ["both"])
    subscriptions[1]?.unsubscribe()
    await waitFor(() => channel.status.state === "idle")
  },

  async "survives leaving and joining in one breath, as StrictMode and hot reload do"(stage) {
    const room = stage.room()
    const channel = stage.openClient(alice).channel(room)
    const heard: string[] = []
    const listen = () =>
      channel.subscribe({ onMessages: (messages) => void heard.push(...textsOf(messages)) })
    listen().unsubscribe()
    const staying = listen()
    await staying.ready
    await stage.backend.realtime.publish(room, "said", { text: "once" })
    await waitFor(() => heard.length > 0)
    expect("what was heard", heard, ["once"])
  },

  async "goes on from where it was when the client is closed and opened again"(stage) {
    const room = stage.room()
    const client = stage.openClient(alice)
    const heard: string[] = []
    const caughtUp: unknown[] = []
    const subscription = client.channel(room).subscribe({
      onMessages: (messages) => void heard.push(...textsOf(messages)),
      onCaughtUp: (result) => void caughtUp.push(result),
    })
    const say = (text: string) => stage.backend.realtime.publish(room, "said", { text })
    await subscription.ready
    await say("before")
    await waitFor(() => heard.length === 1)
    await client.close()
    await say("meanwhile")
    client.open()
    await subscription.ready
    await waitFor(() => caughtUp.length > 0)
    expect("what it caught up with", caughtUp, [{ count: 1, recovered: true }])
    await say("after")
    await waitFor(() => heard.length >= 3)
    expect("what was heard", heard, ["before", "meanwhile", "after"])
  },

  async "rejects what waits when the client closes"(stage) {
    const end = await stage.backend.startOutage()
    const client = stage.openClient(alice)
    const channel = client.channel(stage.room())
    const { ready } = channel.subscribe({ onMessages() {} })
    await client.close()
    await client.close()
    expect("ready", (await rejection(ready)).code, "not-connected")
    expect("publish", (await rejection(channel.publish("said", { text: "x" }))).code, "not-connected")
    await end()
  },
})
