import type { Signal, User } from "../../message.ts"
import type { ChannelObserver, RealtimeTransport } from "../../transport.ts"
import { waitFor } from "../wait-for.ts"
import { closeTo, createContractHttp, heardIn, openTo } from "./backend.ts"
import { alice, bob, carol, expect, origin, rejection, suite } from "./check.ts"

/** Shows how a transport hands on signals. */
function tapped(
  transport: RealtimeTransport,
  tap: (onSignal: ChannelObserver["onSignal"]) => void,
): RealtimeTransport {
  const subscribe: RealtimeTransport["subscribe"] = (channel, observer) => {
    tap((signal) => observer.onSignal(signal))
    return transport.subscribe(channel, observer)
  }
  return Object.create(transport, { subscribe: { value: subscribe } }) as RealtimeTransport
}

export const signalChecks = suite("signals", {
  async "reach the others with the sender's verified identity, and not the log"(stage) {
    const room = stage.room()
    const [one, other] = await Promise.all([stage.connect(alice), stage.connect(bob)])
    const [a, b] = await Promise.all([stage.probe(one, room), stage.probe(other, room)])
    if (!a.subscription.signal) {
      expect("the capability", one.capabilities.signalsOverConnection, false)
      return
    }
    await a.subscription.signal("typing", { isTyping: true }, origin)
    const [signal] = await waitFor(() => b.signals.length > 0 && b.signals)
    const { id, at, clock, ...content } = signal ?? {}
    expect("the signal", content, {
      channel: room.name,
      event: "typing",
      payload: { isTyping: true },
      from: alice,
      origin,
    })
    expect(
      "what it is known and dated by",
      [typeof id, typeof at, typeof clock],
      [...["string", "number", "string"]],
    )
    expect("the log's head", (await stage.backend.realtime.head(room)).seq, 0)
    expect("what the sender's own connection heard", a.signals, [])
  },

  async "come through the client, by whichever way the provider has"(stage) {
    const room = stage.room()
    const heard: Signal[] = []
    const listening = stage.openClient(bob).channel(room)
    listening.onSignal("typing", (signal) => heard.push(signal))
    const sending = stage.openClient(alice).channel(room)
    sending.onSignal("typing", () => {})
    await waitFor(() => listening.status.state === "attached" && sending.status.state === "attached")
    await sending.signal("typing", { isTyping: true })
    await waitFor(() => heard.length > 0)
    expect("the sender", heard[0]?.from.id, "alice")
    expect("the payload", heard[0]?.payload, { isTyping: true })
  },

  async "never come back to the page that sent them, and do reach that person's other one"(stage) {
    const room = stage.room()
    const openPage = () => {
      const channel = stage.openClient(alice).channel(room)
      const heard: boolean[] = []
      channel.onSignal("typing", ({ payload }) => heard.push(payload.isTyping))
      return { channel, heard }
    }
    const [here, there] = [openPage(), openPage()]
    await waitFor(() => [here, there].every(({ channel }) => channel.status.state === "attached"))
    await here.channel.signal("typing", { isTyping: true })
    await waitFor(() => there.heard.length === 1)
    // Whatever was on its way back is here before this one.
    await there.channel.signal("typing", { isTyping: false })
    await waitFor(() => here.heard.length > 0)
    expect("what the one heard", here.heard, [false])
    expect("what the other heard", there.heard, [true])
  },

  async "are heard whatever the clocks say, and once too old not any more"(stage) {
    const room = stage.room()
    let skewMs = 0
    let deliver = (_: Signal) => {}
    const http = createContractHttp(stage.backend.realtime, bob)
    const serverNow = () => Date.now() + skewMs
    const listening = stage.openClient(
      bob,
      () =>
        tapped(stage.backend.createTransport(bob), (onSignal) => {
          deliver = onSignal
        }),
      { ...http, serverNow },
    )
    const heard: Signal[] = []
    listening.channel(room).onSignal("typing", (signal) => heard.push(signal))
    await waitFor(() => listening.channel(room).status.state === "attached")
    const { realtime } = stage.backend
    for (skewMs of [-60_000, 0, 15_000, 60_000]) {
      const before = heard.length
      await realtime.signal(room, "typing", { isTyping: true }, { from: carol })
      await waitFor(() => heard.length === before + 1)
    }
    skewMs = 0
    // What a service has kept for whoever reconnects comes as it was dated.
    const [fresh] = heard as [Signal]
    deliver({ ...fresh, id: "too old", at: fresh.at - 30_000 })
    await realtime.signal(room, "typing", { isTyping: false }, { from: carol })
    await waitFor(() => heard.length > 4)
    expect(
      "what came last",
      heard.slice(4).map(({ payload }) => payload),
      [{ isTyping: false }],
    )
  },

  async "of one page show the newest last, however many there are at once"(stage) {
    const room = stage.room()
    const heard: number[] = []
    const listening = stage.openClient(bob).channel(room)
    listening.onSignal("pointed", ({ payload }) => heard.push(payload.at))
    const sending = stage.openClient(alice).channel(room)
    sending.onSignal("pointed", () => {})
    await waitFor(() => listening.status.state === "attached" && sending.status.state === "attached")
    for (let at = 1; at <= 60; at += 1) sending.signal("pointed", { at }).catch(() => {})
    await waitFor(() => heard.at(-1) === 60)
    const inOrder = heard.toSorted((one, other) => one - other)
    expect("the order", heard, inOrder)
  },

  async "beyond the provider's rate leave the newest to wait for its turn"(stage) {
    const room = stage.room()
    const transport = await stage.connect(alice)
    const channel = stage.openClient(alice, transport).channel(room)
    const typing = () =>
      channel.signal("typing", { isTyping: true }).then(
        () => "sent",
        (error) => error,
      )
    channel.onSignal("typing", () => {})
    const rate = transport.capabilities.maxSignalsPerSecond
    // At once with the look at the status: a busy machine may take a provider for one that is down. More than
    // it could refill meanwhile.
    const outcomes = await waitFor(
      async () =>
        channel.status.state === "attached" && Promise.all(Array.from({ length: rate * 4 }, typing)),
    )
    expect("within the rate", outcomes.slice(0, rate), Array(rate).fill("sent"))
    expect("the newest", outcomes.at(-1), "sent")
    const refused = outcomes.filter((outcome) => outcome !== "sent")
    expect("that some are refused", refused.length > 0, true)
    expect("why", [...new Set(refused.map(({ code }) => code))], ["rate-limited"])
    expect("the connection", transport.status.state, "connected")
  },

  async "that the next makes worthless end with each page's last, at their own pace, and none is refused"(
    stage,
  ) {
    const room = stage.room()
    const openPage = (user: User) => {
      const channel = stage.openClient(user).channel(room)
      const heard: { from: string; at: number }[] = []
      channel.onSignal("moved", ({ from, payload }) => heard.push({ from: from.id, at: payload.at }))
      return { channel, heard }
    }
    const transport = await stage.connect(carol)
    const listening = openPage(carol)
    const senders = [openPage(alice), openPage(bob)]
    const pages = [listening, ...senders]
    await waitFor(() => pages.every(({ channel }) => channel.status.state === "attached"))
    const beganAt = performance.now()
    const last = 100
    const sent = senders.flatMap(({ channel }) =>
      Array.from({ length: last }, (_, index) => channel.signal("moved", { at: index + 1 })),
    )
    const heardOf = ({ heard }: typeof listening, user: User) =>
      heard.filter(({ from }) => from === user.id).map(({ at }) => at)
    await waitFor(() => [alice, bob].every((user) => heardOf(listening, user).at(-1) === last))
    const most = ((performance.now() - beganAt) / 1_000) * transport.capabilities.latestSignalsPerSecond + 1
    await Promise.all(sent)
    for (const user of [alice, bob]) {
      const heard = heardOf(listening, user)
      expect(
        "the order",
        heard,
        heard.toSorted((one, other) => one - other),
      )
      expect("that there are no more than its pace allows", heard.length <= most, true)
    }
    await waitFor(() => heardOf(senders[0] as typeof listening, bob).at(-1) === last)
    expect("what a page hears of itself", heardOf(senders[0] as typeof listening, alice), [])
  },

  async "can be sent by the server"(stage) {
    const room = stage.room()
    const probe = await stage.probe(await stage.connect(bob), room)
    await stage.backend.realtime.signal(room, "typing", { isTyping: false }, { from: carol })
    await waitFor(() => probe.signals.length > 0)
    expect("the sender", probe.signals[0]?.from, carol)
  },

  async "that server code hears reach it with the sender's verified identity, and the others as well"(stage) {
    const room = stage.room()
    const shown: number[] = []
    const listening = stage.openClient(bob).channel(room)
    listening.onSignal("steered", ({ payload }) => shown.push(payload.at))
    const sending = stage.openClient(alice).channel(room)
    sending.onSignal("steered", () => {})
    await waitFor(() => listening.status.state === "attached" && sending.status.state === "attached")
    for (const at of [1, -2, 3]) {
      await sending.signal("steered", { at })
      // One after another: over HTTP two requests may change places.
      await waitFor(() => shown.at(-1) === at && heardIn(room).length === shown.length)
    }
    const refused = await rejection(sending.signal("steered", { at: "3" } as never))
    expect("why another shape is refused", refused.code, "invalid-payload")
    expect(
      "what was heard, after a handler that failed, too",
      heardIn(room).map(({ channel, payload, from, origin }) => [
        channel.name,
        channel.params,
        payload.at,
        from,
        origin?.n,
      ]),
      [1, -2, 3].map((at, index) => [room.name, room.params, at, alice, index + 1]),
    )
    await stage.backend.realtime.signal(room, "steered", { at: 4 }, { from: carol })
    await waitFor(() => shown.at(-1) === 4)
    expect("what is heard of the server's own", heardIn(room).length, 3)
  },

  async "that server code hears are asked about each, whatever the provider would let pass"(stage) {
    const room = stage.room()
    const sending = stage.openClient(alice).channel(room)
    sending.onSignal("steered", () => {})
    await waitFor(() => sending.status.state === "attached")
    await sending.signal("steered", { at: 1 })
    closeTo(alice, room)
    const refused = await rejection(sending.signal("steered", { at: 2 }))
    expect("the code", refused.code, "channel-denied")
    openTo(alice, room)
    await sending.signal("steered", { at: 3 })
    await waitFor(() => heardIn(room).length === 2)
    expect(
      "what was heard",
      heardIn(room).map(({ payload }) => payload.at),
      [1, 3],
    )
  },

  async "of one moment, messages among them, all reach whoever reads"(stage) {
    const room = stage.room()
    const probe = await stage.probe(await stage.connect(bob), room)
    const { realtime } = stage.backend
    const types = (isTyping: boolean) => realtime.signal(room, "typing", { isTyping }, { from: carol })
    await Promise.all([
      realtime.publish(room, "said", { text: "Hello" }),
      types(true),
      types(false),
      realtime.publish(room, "said", { text: "there" }),
      types(true),
    ])
    await waitFor(() => probe.signals.length === 3)
    const payloads = probe.signals.map(({ payload }) => (payload as { isTyping: boolean }).isTyping)
    expect("what was heard, in whatever order", payloads.toSorted(), [false, true, true])
  },

  async "of a wrong shape are refused or go unheard"(stage) {
    const room = stage.room()
    const heard: Signal[] = []
    const listening = stage.openClient(bob).channel(room)
    listening.onSignal("typing", (signal) => heard.push(signal))
    const sending = stage.openClient(alice).channel(room)
    sending.onSignal("typing", () => {})
    await waitFor(() => listening.status.state === "attached" && sending.status.state === "attached")
    await sending.signal("typing", { isTyping: "very" } as never).catch(() => {})
    await sending.signal("typing", { isTyping: true })
    await waitFor(() => heard.length > 0)
    expect("what was heard", heard[0]?.payload, { isTyping: true })
  },

  async "are refused without a connection"(stage) {
    const room = stage.room()
    const transport = await stage.connect(alice)
    const probe = await stage.probe(transport, room)
    if (!probe.subscription.signal) return
    const end = await stage.backend.startOutage()
    await waitFor(() => transport.status.state !== "connected")
    expect(
      "the code",
      (await rejection(probe.subscription.signal("typing", { isTyping: true }, origin))).code,
      "not-connected",
    )
    await end()
  },
})
