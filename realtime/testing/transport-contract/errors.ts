import type { RealtimeErrorCode } from "../../errors.ts"
import type { OutgoingMessage } from "../../transport.ts"
import { waitFor } from "../wait-for.ts"
import { createContractHttp, failAt } from "./backend.ts"
import { alice, expect, rejection, type Stage, suite, textsOf } from "./check.ts"

const uuid = () => crypto.randomUUID()

/** Publishes raw messages by the provider's own way, or over HTTP where it has none. */
async function publish(stage: Stage, channel: string, messages: unknown) {
  const transport = await stage.connect(alice)
  const send = transport.publish ?? createContractHttp(stage.backend.realtime, alice).publish
  return send(channel, messages as OutgoingMessage[])
}

async function codesOf(stage: Stage, messages: unknown[]): Promise<(RealtimeErrorCode | "accepted")[]> {
  const results = await publish(stage, stage.room().name, messages)
  return results.map((result) => ("error" in result ? result.error.code : "accepted"))
}

export const errorChecks = suite("errors", {
  async "answers each bad message by itself, and accepts the good ones beside it"(stage) {
    const codes = await codesOf(stage, [
      { id: uuid(), event: "said", payload: { text: "good" } },
      { id: uuid(), event: "said", payload: { text: 7 } },
      { id: uuid(), event: "unheard-of", payload: {} },
      { id: uuid(), event: "toString", payload: {} },
      { id: "not a uuid", event: "said", payload: { text: "x" } },
      { id: uuid(), event: "said", payload: { text: "長".repeat(20_000) } },
      { id: uuid(), event: "said", payload: null },
      { id: uuid(), event: "said", payload: { text: "good too" } },
    ])
    expect("the outcomes", codes, [
      "accepted",
      "invalid-payload",
      "event-unknown",
      "event-unknown",
      "invalid-request",
      "message-too-large",
      "invalid-payload",
      "accepted",
    ])
  },

  async "refuses too many messages at once, and goes on"(stage) {
    const room = stage.room()
    const many = Array.from({ length: 101 }, () => ({ id: uuid(), event: "said", payload: { text: "x" } }))
    expect("the code", (await rejection(publish(stage, room.name, many))).code, "invalid-request")
    expect("the next", (await codesOf(stage, many.slice(0, 2))).length, 2)
  },

  async "refuses what isn't a list of messages"(stage) {
    expect("the code", (await rejection(publish(stage, stage.room().name, [null]))).code, "invalid-request")
  },

  async "refuses a payload over the limit before it is sent"(stage) {
    const channel = stage.openClient(alice).channel(stage.room())
    const error = await rejection(channel.publish("said", { text: "x".repeat(40_000) }))
    expect("the code", error.code, "message-too-large")
  },

  async "takes a thousand messages at once from one client, and loses none"(stage) {
    const room = stage.room()
    const channel = stage.openClient(alice).channel(room)
    const receipts = await Promise.all(
      Array.from({ length: 1000 }, (_, index) =>
        channel.publish("said", { text: String(index) }, { timeoutMs: 60_000 }),
      ),
    )
    expect(
      "positions",
      receipts.map(({ seq }) => seq),
      receipts.map((_, index) => index + 1),
    )
  },

  async "takes no message without a connection, for a reason that passes"(stage) {
    const transport = await stage.connect(alice)
    const end = await stage.backend.startOutage()
    await waitFor(() => transport.status.state !== "connected")
    if (transport.publish) {
      const message = { id: crypto.randomUUID(), event: "said", payload: { text: "x" } }
      const error = await rejection(transport.publish(stage.room().name, [message]))
      expect("the code", error.code, "not-connected")
      expect("can be tried again", error.retryable, true)
    }
    await end()
  },

  async "takes no failure of the server for a refusal: whoever joins is let in once it works"(stage) {
    const room = stage.room()
    const transport = await stage.connect(alice)
    failAt(alice, room, 3)
    const probe = await stage.probe(transport, room)
    expect("what it was denied", probe.denied, [])
  },

  async "takes no failure of the server for a refusal: a message goes by itself once it works"(stage) {
    const room = stage.room()
    const channel = stage.openClient(alice).channel(room)
    const heard: string[] = []
    channel.subscribe({ onMessages: (messages) => void heard.push(...textsOf(messages)) })
    await waitFor(() => channel.status.state === "attached")
    failAt(alice, room, 2)
    const states = new Set<string>()
    channel.outbox.subscribe(() => {
      for (const { state } of channel.outbox.messages) states.add(state)
    })
    channel.outbox.add("said", { text: "kept" })
    await waitFor(() => heard.length === 1)
    expect("what was said of it", [states.has("failed"), states.has("refused")], [true, false])
    failAt(alice, room, 2)
    await channel.publish("said", { text: "waited for" })
    await waitFor(() => heard.length === 2)
    expect("what was heard", heard, ["kept", "waited for"])
  },

  async "writes nothing of a request behind a message at which the server fails"(stage) {
    const room = stage.room()
    const transport = await stage.connect(alice)
    const send = transport.publish ?? createContractHttp(stage.backend.realtime, alice).publish
    const texts = ["before", "the one", "behind", "last"]
    const messages = texts.map((text) => ({ id: uuid(), event: "said", payload: { text } }))
    const outcomes = async (some: OutgoingMessage[]) =>
      (await send(room.name, some)).map((result) =>
        "error" in result ? [result.error.code, result.error.retryable] : result.receipt.seq,
      )
    failAt(alice, room, 1, 1)
    const failed = ["internal", true]
    expect("the outcomes", await outcomes(messages), [1, failed, failed, failed])
    expect("the log's head", (await stage.backend.realtime.head(room)).seq, 1)
    expect("the outcomes, once it works", await outcomes(messages), [1, 2, 3, 4])
  },

  async "keeps a sender's order past a message at which the server fails"(stage) {
    const room = stage.room()
    const channel = stage.openClient(alice).channel(room)
    const heard: string[] = []
    await channel.subscribe({ onMessages: (messages) => void heard.push(...textsOf(messages)) }).ready
    const texts = ["one", "two", "three", "four"]
    failAt(alice, room, 2, 1)
    for (const text of texts) channel.outbox.add("said", { text })
    await waitFor(() => heard.length === texts.length)
    failAt(alice, room, 2, 1)
    await Promise.all(texts.map((text) => channel.publish("said", { text })))
    await waitFor(() => heard.length === 2 * texts.length)
    expect("what was heard", heard, [...texts, ...texts])
  },

  async "survives a listener that throws, and tells of it"(stage) {
    const room = stage.room()
    const channel = stage.openClient(alice).channel(room)
    const heard: unknown[] = []
    const failing = channel.subscribe({
      onMessages() {
        throw new Error("a listener's own mistake")
      },
    })
    const sound = channel.subscribe({ onMessages: (messages) => void heard.push(...messages) })
    await Promise.all([failing.ready, sound.ready])
    await channel.publish("said", { text: "x" })
    await channel.publish("said", { text: "y" })
    await waitFor(() => heard.length === 2 && stage.errors.length === 2)
  },
})
