import { expect, it } from "vitest"
import { RealtimeError } from "../errors.ts"
import { startMemoryBackend } from "../testing/memory-backend.ts"
import { waitFor } from "../testing/wait-for.ts"
import type { ChannelObserver, RealtimeTransport } from "../transport.ts"
import { createFailoverTransport } from "./failover-transport.ts"
import { createLazyTransport } from "./lazy-transport.ts"

const alice = { id: "alice" }
const refusal = new RealtimeError("channel-denied", { message: "unable to enter; not here" })

/** A provider that lets everybody into the channel, and nobody among the people. */
const withoutPresence = (transport: RealtimeTransport): RealtimeTransport =>
  Object.create(transport, {
    subscribe: {
      value: (channel: string, observer: ChannelObserver) => ({
        ...transport.subscribe(channel, observer),
        enterPresence: () => Promise.reject(refusal),
      }),
    },
  })

function createObserver() {
  const news: string[] = []
  const observer: ChannelObserver = {
    cursor: () => null,
    onAttached: () => void news.push("attached"),
    onDetached() {},
    onDenied: () => void news.push("denied"),
    onMessages() {},
    onSignal() {},
    onPresence() {},
  }
  return { news, observer }
}

it("who isn't let in among the people when the provider's code is there stays in the channel", async () => {
  await using backend = await startMemoryBackend()
  const errors: unknown[] = []
  const transport = createLazyTransport({
    provider: "memory",
    load: async () => withoutPresence(backend.createTransport(alice)),
    onError: (error, { stage }) => void errors.push([stage, error]),
  })
  const { news, observer } = createObserver()
  await transport.subscribe("room:1", observer).enterPresence({ mood: "fine" })
  transport.connect()
  await waitFor(() => news.includes("attached") && errors.length > 0, "the attachment and the refusal")
  expect([news, errors]).toEqual([["attached"], [["presence", refusal]]])
  await transport.close()
})

it("who isn't let in among the people by the provider that takes over stays in the channel", async () => {
  await using backend = await startMemoryBackend()
  const errors: unknown[] = []
  const wraps = [(transport: RealtimeTransport) => transport, withoutPresence]
  const [first, second] = wraps.map((wrap, index) => ({
    provider: `memory ${index}`,
    key: String(index),
    create: () => wrap(backend.createTransport(alice)),
  }))
  if (!first || !second) throw new Error("two are needed")
  const transport = createFailoverTransport({
    candidates: [first, second],
    onError: (error, { stage }) => void errors.push([stage, error]),
  })
  const { news, observer } = createObserver()
  const subscription = transport.subscribe("room:1", observer)
  transport.connect()
  await waitFor(() => news.length === 1, "the attachment")
  await subscription.enterPresence({ mood: "fine" })
  // The first is listed no more.
  transport.setCandidates([second])
  await waitFor(() => transport.provider === "memory 1", "the move")
  await waitFor(() => errors.length > 0, "the refusal")
  expect([news, errors]).toEqual([["attached", "attached"], [["presence", refusal]]])
  await transport.close()
})
