import type { RealtimeError } from "../../errors.ts"
import type { LogHead } from "../../message.ts"
import { waitFor } from "../wait-for.ts"
import { contractChannels, createContractHttp, failAt, openTo } from "./backend.ts"
import {
  alice,
  bob,
  expect,
  freshName,
  origin,
  type Probe,
  rejection,
  settle,
  suite,
  textsOf,
} from "./check.ts"

const keeper = { id: "keeper" }
const vault = () => contractChannels.vault({ vault: freshName("vault") })

export const accessChecks = suite("access", {
  async "refuses a channel to whom it is closed, with the reason, and stays connected"(stage) {
    const transport = await stage.connect(alice)
    const denied = stage.startProbe(transport, vault())
    await waitFor(() => denied.denied.length === 1)
    expect("the code", denied.denied[0]?.code, "channel-denied")
    expect("attachments", denied.attachments, 0)
    const room = stage.room()
    const open = await stage.probe(transport, room)
    await settle(stage, open, room)
  },

  async "delivers nothing of a closed channel"(stage) {
    const closed = vault()
    const [outside, inside] = await Promise.all([stage.connect(alice), stage.connect(keeper)])
    const denied = stage.startProbe(outside, closed)
    const allowed = await stage.probe(inside, closed)
    await waitFor(() => denied.denied.length === 1)
    await stage.backend.realtime.publish(closed, "said", { text: "secret" })
    await waitFor(() => allowed.messages.length === 1)
    const room = stage.room()
    await settle(stage, await stage.probe(outside, room), room)
    expect("what the outsider got", textsOf(denied.messages), [])
  },

  async "is let into the others while the server fails at one, and into that one once it doesn't"(stage) {
    const [faulty, open] = [stage.room(), stage.room()]
    const transport = await stage.connect(alice)
    failAt(alice, faulty, Number.POSITIVE_INFINITY)
    const waiting = stage.startProbe(transport, faulty)
    for (const room of [open, stage.room()]) await settle(stage, await stage.probe(transport, room), room)
    expect("what became of the one", [waiting.attachments, waiting.denied], [0, []])
    const heads = await createContractHttp(stage.backend.realtime, alice).heads([faulty.name, open.name])
    expect("its head", (heads.get(faulty.name) as RealtimeError).code, "internal")
    expect("the other's", (heads.get(open.name) as LogHead).seq, 1)
    failAt(alice, faulty, 0)
    await waitFor(() => waiting.attachments === 1, "the one")
    await settle(stage, waiting, faulty)
  },

  async "keeps in whom it let in, when the server fails at that channel while they join another"(stage) {
    const [first, second] = [stage.room(), stage.room()]
    const transport = await stage.connect(alice)
    const probe = await stage.probe(transport, first)
    failAt(alice, first, 2)
    await settle(stage, await stage.probe(transport, second), second)
    await settle(stage, probe, first)
    expect("that it never left", [probe.attachments, probe.denied], [1, []])
  },

  async "refuses a channel that nothing declares"(stage) {
    const transport = await stage.connect(alice)
    const ref = { ...contractChannels.room({ room: "x" }), name: freshName("undeclared") }
    const probe = stage.startProbe(transport, ref)
    await waitFor(() => probe.denied.length === 1)
    expect("the code", probe.denied[0]?.code, "channel-unknown")
  },

  async "lets into as many channels as a connection may have, and says of each further one what to do"(
    stage,
  ) {
    const transport = await stage.connect(alice)
    const probes = Array.from({ length: 201 }, () => stage.startProbe(transport, stage.room()))
    const isAnswered = ({ attachments, denied }: Probe) => attachments + denied.length > 0
    await waitFor(() => probes.every(isAnswered), "an answer for each channel")
    const refused = probes.filter(({ attachments }) => attachments === 0)
    for (const { denied } of refused) {
      expect(
        "how it is refused",
        denied.map(({ code, retryable }) => [code, retryable]),
        [["rate-limited", false]],
      )
      expect("what to do", denied[0]?.message.includes("leave others first"), true)
    }
    const most = probes.length - refused.length
    expect("how many", most, Math.min(probes.length, transport.capabilities.maxChannels))
    expect(
      "that the first are let in",
      probes.slice(0, most).every(({ attachments }) => attachments > 0),
      true,
    )
    expect("the connection", transport.status.state, "connected")
  },

  async "refuses to publish, read and signal where the user may not"(stage) {
    const closed = vault()
    const http = createContractHttp(stage.backend.realtime, alice)
    const message = { id: crypto.randomUUID(), event: "said", payload: { text: "x" } }
    const [refused] = await http.publish(closed.name, [message])
    expect("publish", refused && "error" in refused && refused.error.code, "channel-denied")
    expect("history", (await rejection(http.history(closed.name, {}))).code, "channel-denied")
    const heads = await http.heads([closed.name])
    expect("heads", (heads.get(closed.name) as RealtimeError).code, "channel-denied")
    expect(
      "signal",
      (await rejection(http.signal(closed.name, "typing", { isTyping: true }, origin))).code,
      "channel-denied",
    )
    const head = await stage.backend.realtime.head(closed)
    expect("the log's head", head.seq, 0)
  },

  async "lets whoever may only read look on, and neither appear nor signal"(stage) {
    const gallery = contractChannels.gallery({ gallery: freshName("gallery") })
    const [outside, inside] = await Promise.all([stage.connect(alice), stage.connect(keeper)])
    const [visitor, owner] = await Promise.all([stage.probe(outside, gallery), stage.probe(inside, gallery)])
    const seenBy = ({ snapshots }: Probe) => snapshots.at(-1)?.members?.map(({ user }) => user.id)
    visitor.subscription.watchPresence()
    await owner.subscription.enterPresence({ mood: "at home" })
    await waitFor(() => seenBy(visitor)?.includes("keeper"))
    const refused = await rejection(visitor.subscription.enterPresence({ mood: "uninvited" }))
    expect("entering", refused.code, "channel-denied")
    if (visitor.subscription.signal) {
      const refused = await rejection(visitor.subscription.signal("typing", { isTyping: true }, origin))
      expect("a signal", refused.code, "channel-denied")
    }
    const http = createContractHttp(stage.backend.realtime, alice)
    const overHttp = await rejection(http.signal(gallery.name, "typing", { isTyping: true }, origin))
    expect("a signal over HTTP", overHttp.code, "channel-denied")
    await stage.backend.realtime.signal(gallery, "typing", { isTyping: true }, { from: keeper })
    await owner.subscription.enterPresence({ mood: "still at home" })
    const moodOf = ({ snapshots }: Probe) =>
      (snapshots.at(-1)?.members?.[0]?.data as { mood?: string } | undefined)?.mood
    await waitFor(() => [visitor, owner].every((probe) => moodOf(probe) === "still at home"))
    await waitFor(() => owner.signals.length > 0)
    expect("whom the owner sees", seenBy(owner), ["keeper"])
    expect("who signalled", [...new Set(owner.signals.map(({ from }) => from.id))], ["keeper"])
    expect("denials", visitor.denied, [])
  },

  async "lets in whom it was closed to, once it is open to them and they join again"(stage) {
    const ref = vault()
    const transport = await stage.connect(alice)
    const denied = stage.startProbe(transport, ref)
    await waitFor(() => denied.denied.length === 1)
    openTo(alice, ref)
    denied.subscription.unsubscribe()
    const probe = await stage.probe(transport, ref)
    await stage.backend.realtime.publish(ref, "said", { text: "welcome" })
    await waitFor(() => textsOf(probe.messages).includes("welcome"))
  },

  async "lets whoever was refused presence appear once they may, and disappear"(stage) {
    const gallery = contractChannels.gallery({ gallery: freshName("gallery") })
    const [outside, inside] = await Promise.all([stage.connect(alice), stage.connect(keeper)])
    const [visitor, owner] = await Promise.all([stage.probe(outside, gallery), stage.probe(inside, gallery)])
    const seen = () => owner.snapshots.at(-1)?.members?.map(({ user }) => user.id)
    owner.subscription.watchPresence()
    for (const mood of ["uninvited", "still uninvited"]) {
      expect(mood, (await rejection(visitor.subscription.enterPresence({ mood }))).code, "channel-denied")
    }
    await visitor.subscription.leavePresence()
    openTo(alice, gallery)
    await visitor.subscription.enterPresence({ mood: "invited" })
    await waitFor(() => seen()?.includes("alice"), "who was invited")
    await visitor.subscription.leavePresence()
    await waitFor(() => seen()?.length === 0, "an empty gallery")
  },

  async "lets whoever was refused a signal send one once they may"(stage) {
    const gallery = contractChannels.gallery({ gallery: freshName("gallery") })
    const [visitor, owner] = [stage.openClient(alice), stage.openClient(keeper)].map((client) =>
      client.channel(gallery),
    )
    if (!visitor || !owner) throw new Error("nobody is there")
    const heard: boolean[] = []
    owner.onSignal("typing", ({ payload }) => void heard.push(payload.isTyping))
    await Promise.all([
      visitor.subscribe({ onMessages() {} }).ready,
      owner.subscribe({ onMessages() {} }).ready,
    ])
    for (const time of ["the first", "the second"]) {
      const refused = await rejection(visitor.signal("typing", { isTyping: false }))
      expect(time, refused.code, "channel-denied")
    }
    openTo(alice, gallery)
    await visitor.signal("typing", { isTyping: true })
    await waitFor(() => heard.length > 0, "the signal")
    expect("what was heard", heard, [true])
  },

  async "puts nobody out of a channel because it refused them presence"(stage) {
    const gallery = contractChannels.gallery({ gallery: freshName("gallery") })
    const visitor = stage.startProbe(await stage.connect(alice), gallery)
    const enter = () => visitor.subscription.enterPresence({ mood: "uninvited" })
    /** Answered after whatever the transport itself asked for. */
    const isRefused = async () => {
      for (let asked = 0; asked < 3; asked += 1) {
        expect("entering", (await rejection(enter())).code, "channel-denied")
      }
    }
    // Before it is joined: some know only later that it is refused.
    await enter().catch((error: RealtimeError) => expect("entering early", error.code, "channel-denied"))
    await waitFor(() => visitor.attachments === 1)
    await isRefused()
    await stage.backend.dropConnections()
    await waitFor(() => visitor.attachments === 2)
    await isRefused()
    expect("denials", visitor.denied, [])
    await stage.backend.realtime.publish(gallery, "said", { text: "look" })
    await waitFor(() => textsOf(visitor.messages).includes("look"))
  },

  async "refuses everything to whom nobody knows"(stage) {
    const http = createContractHttp(stage.backend.realtime, null)
    expect("the code", (await rejection(http.history(stage.room().name, {}))).code, "unauthorized")
  },

  async "lets nobody forge a message past the server"(stage) {
    const room = stage.room()
    const receiver = await stage.probe(await stage.connect(bob), room)
    const heard: string[] = []
    const client = stage.openClient(bob).channel(room)
    await client.subscribe({ onMessages: (messages) => void heard.push(...textsOf(messages)) }).ready
    const { epoch } = await stage.backend.realtime.head(room)
    const envelope = {
      channel: room.name,
      epoch,
      event: "said",
      payload: { text: "forged" },
      from: bob,
      at: Date.now(),
    }
    await stage.backend.forge(alice, { id: crypto.randomUUID(), seq: 1, ...envelope })
    expect("what the transport brought", await settle(stage, receiver, room), [])
    await waitFor(() => heard.length > 0)
    expect("forgeries that were heard", heard.includes("forged"), false)
    expect("the log's head", (await stage.backend.realtime.head(room)).seq, 1)
  },

  async "stamps the sender itself"(stage) {
    const room = stage.room()
    const probe = await stage.probe(await stage.connect(bob), room)
    const http = createContractHttp(stage.backend.realtime, alice)
    const forged = {
      id: crypto.randomUUID(),
      event: "said",
      payload: { text: "x" },
      from: bob,
      seq: 99,
      at: 1,
    }
    await http.publish(room.name, [forged])
    await waitFor(() => probe.messages.length === 1)
    expect("the sender", probe.messages[0]?.from, alice)
    expect("the position", probe.messages[0]?.seq, 1)
  },

  async "does not let one person answer for another's message id"(stage) {
    const room = stage.room()
    const message = { id: crypto.randomUUID(), event: "said", payload: { text: "first" } }
    await createContractHttp(stage.backend.realtime, alice).publish(room.name, [message])
    const [result] = await createContractHttp(stage.backend.realtime, bob).publish(room.name, [message])
    expect("the code", result && "error" in result && result.error.code, "conflict")
  },
})
