import { contractChannels, createContractHttp } from "throughline/testing"
import { describe, expect, it } from "vitest"
import * as z from "zod/mini"
import { defineChannel } from "../channel.ts"
import { RealtimeError } from "../errors.ts"
import type { RealtimeMessage } from "../message.ts"
import { startMemoryBackend } from "../testing/memory-backend.ts"
import { waitFor } from "../testing/wait-for.ts"
import type { ChannelObserver, RealtimeTransport } from "../transport.ts"
import type { ManagedChannel } from "./channel.ts"
import { createClient } from "./create-client.ts"
import { createHttp, type RealtimeHttp } from "./http.ts"

const alice = { id: "alice" }
const room = contractChannels.room({ room: "1" })
const other = contractChannels.room({ room: "2" })

/**
 * A page on the memory provider; what the test changes of the ways to it, and the
 * provider's own view of the channel.
 */
async function setup(change: (http: RealtimeHttp) => Partial<RealtimeHttp> = () => ({})) {
  const observers = new Map<string, ChannelObserver>()
  const watch = (transport: RealtimeTransport): RealtimeTransport =>
    Object.create(transport, {
      subscribe: {
        value(channel: string, observer: ChannelObserver) {
          observers.set(channel, observer)
          return transport.subscribe(channel, observer)
        },
      },
    })
  const backend = await startMemoryBackend({ wrap: watch })
  const http = createContractHttp(backend.realtime, alice)
  const errors: unknown[] = []
  const client = createClient({
    transport: backend.createTransport(alice),
    http: { ...http, ...change(http) },
    onError: (error) => void errors.push(error),
  })
  client.open()
  const say = (text: string, where = room) => backend.realtime.publish(where, "said", { text })
  return { backend, client, observers, errors, say }
}

const textsOf = (messages: readonly RealtimeMessage[]) =>
  messages.map(({ payload }) => (payload as { text: string }).text)

describe("a channel", () => {
  it("hands out nothing of another channel, whether the provider or the log brings it", async () => {
    const { backend, client, observers, say } = await setup((http) => ({
      async history(channel, options) {
        const page = await http.history(channel, options)
        const foreign = await http.history(other.name, options)
        return { ...page, messages: [...foreign.messages, ...page.messages] }
      },
    }))
    await using _ = backend
    const received: string[] = []
    const signals: unknown[] = []
    const channel = client.channel(room)
    channel.onSignal("typing", (signal) => void signals.push(signal))
    const { ready } = channel.subscribe({
      onMessages: (messages) => void received.push(...textsOf(messages)),
    })
    await ready
    for (const text of ["of the other 1", "of the other 2"]) await say(text, other)
    const foreign = (await backend.realtime.history(other)).messages
    const observer = observers.get(room.name)
    observer?.onMessages(foreign)
    observer?.onSignal({
      ...{ id: "1", channel: other.name, event: "typing", payload: { isTyping: true } },
      ...{ from: { id: "bob" }, at: Date.now() },
    })
    observer?.onDetached()
    observer?.onAttached({ head: (await backend.realtime.history(room)).head, messages: foreign })
    await say("own 1")
    observer?.onDetached()
    observer?.onAttached()
    await say("own 2")
    await waitFor(() => received.length >= 2)
    expect(received).toEqual(["own 1", "own 2"])
    expect(signals).toEqual([])
    await client.close()
  })

  it("asks again when something answers in the log's place, and takes it for no refusal", async () => {
    const garbage = [{}, { head: null }, { head: { epoch: "e", seq: 1, first: 1 }, messages: [{ id: 7 }] }]
    const answers = garbage.map((body) => Response.json(body))
    const inPlaceOfTheLog = createHttp({
      basePath: "http://app.test",
      fetch: async () => answers.shift() as Response,
    })
    const { backend, client, errors, say } = await setup((http) => ({
      history: (...request) => (answers.length > 0 ? inPlaceOfTheLog : http).history(...request),
    }))
    await using _ = backend
    const received: string[] = []
    const channel = client.channel(room)
    const { ready } = channel.subscribe({
      onMessages: (messages) => void received.push(...textsOf(messages)),
    })
    await ready
    await say("a")
    await waitFor(() => received.length === 1)
    expect(errors).toEqual(garbage.map(() => expect.objectContaining({ code: "invalid-request" })))
    expect(channel.status.state).toBe("attached")
    await client.close()
  })

  it("takes a head that can't be read in passing for no refusal, and hears on", async () => {
    const { backend, client, errors, say } = await setup()
    await using _ = backend
    const received: string[] = []
    const channel = client.channel(room)
    await channel.subscribe({ onMessages: (messages) => void received.push(...textsOf(messages)) }).ready
    const passing = new RealtimeError("log-unavailable", { message: "away" })
    ;(channel as unknown as ManagedChannel).startComparison()?.(passing)
    expect(channel.status.state).toBe("attached")
    expect(errors).toEqual([passing])
    await say("a")
    await waitFor(() => received.length === 1)
    await client.close()
  })

  it("that is entered again shows nobody of before until it is told who is there", async () => {
    const { backend, client } = await setup()
    await using _ = backend
    const channel = client.channel(room)
    const stop = channel.presence.subscribe(() => {})
    channel.presence.enter({ mood: "here" }).leave()
    const entered = channel.presence.enter({ mood: "here" })
    await waitFor(() => channel.presence.snapshot?.count === 1)
    entered.leave()
    stop()
    await waitFor(() => channel.status.state === "idle")
    expect(channel.presence.snapshot).toBeNull()
    await client.close()
  })

  it("hears no more of the provider once the log has refused it", async () => {
    let isRefused = false
    const { backend, client, observers, say } = await setup((http) => ({
      async history(...request) {
        if (isRefused) throw new RealtimeError("channel-denied", { message: "no longer" })
        return http.history(...request)
      },
    }))
    await using _ = backend
    const received: string[] = []
    const channel = client.channel(room)
    await channel.subscribe({ onMessages: (messages) => void received.push(...textsOf(messages)) }).ready
    await say("before")
    await waitFor(() => received.length === 1)
    isRefused = true
    const observer = observers.get(room.name)
    observer?.onDetached()
    observer?.onAttached()
    await waitFor(() => channel.status.state === "denied")
    const witness = createClient({
      transport: backend.createTransport({ id: "bob" }),
      http: createContractHttp(backend.realtime, { id: "bob" }),
    })
    witness.open()
    const heard: string[] = []
    await witness.channel(room).subscribe({ onMessages: (messages) => void heard.push(...textsOf(messages)) })
      .ready
    await say("afterwards")
    await waitFor(() => heard.length === 1)
    expect(received).toEqual(["before"])
    await Promise.all([client.close(), witness.close()])
  })

  it("lets nobody be refused by an answer that is older than their question", async () => {
    const denial = new RealtimeError("channel-denied", { message: "not yet" })
    const first = Promise.withResolvers<Awaited<ReturnType<RealtimeHttp["heads"]>>>()
    let asked = 0
    const { backend, client, observers } = await setup((http) => ({
      heads(channels) {
        asked += 1
        return asked === 1 ? first.promise : http.heads(channels)
      },
    }))
    await using _ = backend
    const channel = client.channel(room)
    await channel.subscribe({ onMessages() {} }).ready
    observers.get(room.name)?.onDenied(denial)
    const early = channel.subscribe({ onMessages() {} })
    const late = channel.subscribe({ onMessages() {} })
    first.resolve(new Map([[room.name, denial]]))
    await Promise.all([early.ready, late.ready])
    expect([channel.status.state, asked]).toEqual(["attached", 2])
    await client.close()
  })

  it("goes by its definition as hot reload has evaluated it last, whoever holds it", async () => {
    const { backend, client } = await setup()
    await using _ = backend
    const waved = z.object({ text: z.string() })
    const edited = defineChannel("room:{room}", {
      messages: { ...contractChannels.room.messages, waved },
      signals: { ...contractChannels.room.signals, waving: waved },
      heard: ["steered"],
    })
    const held = client.channel(room) as unknown as ManagedChannel
    await expect(held.publish("waved", { text: "x" })).rejects.toMatchObject({ code: "event-unknown" })
    backend.realtime.redefine({ channels: { ...contractChannels, room: edited } })
    expect(client.channel(edited({ room: "1" }))).toBe(held)
    const received: string[] = []
    held.subscribe({ onMessages: (messages) => void received.push(...messages.map(({ event }) => event)) })
    held.outbox.add("waved", { text: "x" })
    await waitFor(() => received.length === 1)
    expect(received).toEqual(["waved"])
    await client.close()
  })

  it("is opened and closed in turn by whoever is told of the step before", async () => {
    await using backend = await startMemoryBackend()
    const client = createClient({
      transport: () => backend.createTransport({ id: "alice" }),
      http: createContractHttp(backend.realtime, { id: "alice" }),
    })
    const channel = client.channel(room)
    const heard: string[] = []
    channel.subscribe({ onMessages: (messages) => void heard.push(...messages.map(({ event }) => event)) })
    let reopenings = 0
    client.connection.subscribe(() => {
      if (client.connection.status.state !== "closed" || reopenings > 0) return
      reopenings += 1
      client.open()
    })
    client.open()
    await waitFor(() => channel.status.state === "attached")
    await client.close()
    await waitFor(() => channel.status.state === "attached")
    await channel.publish("said", { text: "open" })
    await waitFor(() => heard.length === 1)
    await client.close()
    expect([client.connection.status.state, channel.status.state]).toEqual(["closed", "idle"])
    await expect(channel.signal("typing", { isTyping: true })).rejects.toMatchObject({
      code: "not-connected",
    })
  })

  it("is closed at once over a transport that takes its time to say so, and opened again over another", async () => {
    await using backend = await startMemoryBackend()
    const made: RealtimeTransport[] = []
    const client = createClient({
      transport() {
        const transport = backend.createTransport({ id: "alice" })
        made.push(transport)
        const close = async () => {
          await Promise.resolve()
          await transport.close()
        }
        return Object.create(transport, { close: { value: close } }) as RealtimeTransport
      },
      http: createContractHttp(backend.realtime, { id: "alice" }),
    })
    const channel = client.channel(room)
    channel.onSignal("typing", () => {})
    client.open()
    await waitFor(() => channel.status.state === "attached")
    const closed = client.close()
    expect(channel.status.state).toBe("idle")
    client.open()
    await closed
    await waitFor(() => channel.status.state === "attached")
    expect(made).toHaveLength(2)
    await client.close()
  })
})
