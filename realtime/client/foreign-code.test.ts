import { contractChannels, createContractHttp } from "throughline/testing"
import { afterEach, describe, expect, it, vi } from "vitest"
import { startMemoryBackend } from "../testing/memory-backend.ts"
import { waitFor } from "../testing/wait-for.ts"
import type { Tracing } from "../tracing.ts"
import { createClient, type OutboxPlace } from "./create-client.ts"
import { followMessages } from "./follow-messages.ts"
import { createMessageFeed } from "./message-feed.ts"
import type { ChannelHandlers } from "./types.ts"

const alice = { id: "alice" }
const bob = { id: "bob" }
const room = contractChannels.room({ room: "1" })

afterEach(() => vi.restoreAllMocks())

const fail = () => {
  throw new Error("not ours")
}

/** What an application may put in the place of ours, and all of it fails whenever it is called. */
const failing = {
  place: {
    store: { load: fail, add: fail, refuse: fail, remove: fail, close: fail },
    bus: { post: fail, listen: fail, close: fail },
    exclusively: (_, task) => task(),
  } satisfies OutboxPlace,
  handlers: { onMessages: fail, onGap: fail, onReset: fail, onCaughtUp: fail } satisfies ChannelHandlers,
  tracing: { start: fail } satisfies Tracing,
}

async function setup({ outbox }: { outbox?: OutboxPlace } = {}) {
  const unhandled: unknown[] = []
  const note = (error: unknown) => void unhandled.push(error)
  process.on("unhandledRejection", note)
  process.on("uncaughtException", note)
  const logged = vi.spyOn(console, "error").mockReturnValue()
  const backend = await startMemoryBackend()
  const stages = new Set<string>()
  const client = createClient({
    transport: backend.createTransport(alice),
    http: createContractHttp(backend.realtime, alice),
    tracing: followMessages(failing.tracing),
    presenceGraceMs: 10,
    ...(outbox && { outbox }),
    // The last that can fail: who is told of failures.
    onError(_, { stage }) {
      stages.add(stage)
      fail()
    },
  })
  const other = createClient({
    transport: backend.createTransport(bob),
    http: createContractHttp(backend.realtime, bob),
  })
  return {
    ...{ backend, client, other, stages, unhandled, logged },
    async [Symbol.asyncDispose]() {
      await Promise.all([client.close(), other.close()])
      await backend[Symbol.asyncDispose]()
      process.off("unhandledRejection", note)
      process.off("uncaughtException", note)
      expect(unhandled).toEqual([])
    },
  }
}

describe("code that isn't ours, and throws whenever it is called,", () => {
  it("keeps news of no kind from those who listen beside it, and ends nothing", async () => {
    await using world = await setup()
    const { backend, client, other, stages } = world
    const channel = client.channel(room)
    const feed = createMessageFeed(channel, undefined)
    const heard = new Set<string>()
    const hear = (what: string) => () => void heard.add(what)
    const kinds: Record<string, (listener: () => void) => unknown> = {
      connection: client.connection.subscribe,
      status: channel.onStatus,
      signal: (listener) => channel.onSignal("typing", listener),
      presence: channel.presence.subscribe,
      outbox: channel.outbox.subscribe,
      feed: feed.subscribe,
    }
    for (const [kind, listen] of Object.entries(kinds)) {
      listen(fail)
      listen(hear(kind))
    }
    channel.subscribe(failing.handlers)
    const texts: unknown[] = []
    channel.subscribe({
      onMessages: (messages) => texts.push(...messages.map(({ payload }) => payload)),
      onCaughtUp: hear("onCaughtUp"),
    })
    feed.start()
    client.open()
    other.open()
    await waitFor(() => channel.status.state === "attached", "the attachment")

    channel.presence.enter({ mood: "fine" })
    const id = feed.send("said", { text: "one" })
    await waitFor(() => texts.length === 1, "one's own message")
    await waitFor(() => channel.outbox.messages.every((message) => message.id !== id), "the outbox")
    const theirs = other.channel(room)
    await theirs.signal("typing", { isTyping: true })
    await waitFor(() => heard.has("signal"), "the signal")
    await backend.dropConnections()
    await theirs.publish("said", { text: "two" })
    await waitFor(() => texts.length === 2, "what was said during the interruption")
    await waitFor(() => [...Object.keys(kinds), "onCaughtUp"].every((kind) => heard.has(kind)), "all of them")
    expect(texts).toEqual([{ text: "one" }, { text: "two" }])
    expect(feed.state).toMatchObject({ pending: [], messages: texts.map((payload) => ({ payload })) })
    expect([...stages].sort()).toEqual(
      ["feed.subscribe", "onCaughtUp", "onMessages", "onSignal", "onStatus", "outbox.subscribe"]
        .concat("presence.subscribe", "tracing")
        .sort(),
    )
  })

  it("hears of gaps and resets, and so do the others", async () => {
    await using world = await setup()
    const { backend, client } = world
    client.open()
    const channel = client.channel(room)
    const heard: string[] = []
    channel.subscribe(failing.handlers, { since: { epoch: "another life", seq: 3 } })
    channel.subscribe(
      { onMessages() {}, onReset: () => void heard.push("onReset") },
      { since: { epoch: "another life", seq: 3 } },
    )
    await waitFor(() => heard.length === 1, "the reset")
    await backend.realtime.publish(room, "said", { text: "x" })
    expect(world.stages).toContain("onReset")
  })

  it.each([
    ["a store and a bus", failing.place],
    ["a lock", { ...failing.place, exclusively: fail }],
    [
      "a lock that fails after its task",
      { ...failing.place, exclusively: (_: string, task: () => Promise<void>) => task().then(fail) },
    ],
  ])("leaves no message under way for ever: %s", async (_, outbox: OutboxPlace) => {
    await using world = await setup({ outbox })
    const channel = world.client.channel(room)
    const texts: unknown[] = []
    channel.subscribe({ onMessages: (messages) => texts.push(...messages.map(({ payload }) => payload)) })
    world.client.open()
    for (const text of ["one", "two"]) channel.outbox.add("said", { text })
    await waitFor(() => texts.length === 2, "both messages")
    await waitFor(() => channel.outbox.messages.length === 0, "the outbox")
    expect(texts).toEqual([{ text: "one" }, { text: "two" }])
  })
})
