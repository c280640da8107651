import { afterEach, describe, expect, it } from "vitest"
import { createClient } from "./client/create-client.ts"
import { followMessages } from "./client/follow-messages.ts"
import { isRealtimeError } from "./errors.ts"
import { createMemoryLog } from "./log/memory.ts"
import type { WireMessage } from "./message.ts"
import { createMemoryTransport } from "./providers/memory/client.ts"
import { createMemoryHub } from "./providers/memory/hub.ts"
import { createMemoryPublisher } from "./providers/memory/server.ts"
import { createRealtime } from "./server/create-realtime.ts"
import { contractChannels, createContractHttp } from "./testing/transport-contract/backend.ts"
import { waitFor } from "./testing/wait-for.ts"
import type { TraceStep, Tracing } from "./tracing.ts"

interface Step {
  step: TraceStep
  id: string
  parent: string | undefined
  traceparent: string
  /** Absent until it ends; null: it ended well. */
  error?: unknown
}

/** Follows everything, each step with a context of its own. */
function createFollower() {
  const steps: Step[] = []
  const tracing: Tracing = {
    start(step, { id }, parent) {
      const number = String(steps.length + 1).padStart(16, "0")
      const taken: Step = { step, id, parent, traceparent: `00-${"a".repeat(32)}-${number}-01` }
      steps.push(taken)
      return {
        traceparent: taken.traceparent,
        end(error) {
          taken.error = error ?? null
        },
      }
    },
  }
  return { steps, tracing }
}

const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close()
})

/** Two pages of one room over a provider; what the provider was handed is kept. */
async function openRoom({ page, server }: { page?: Tracing; server?: Tracing }) {
  const handed: WireMessage[] = []
  const hub = createMemoryHub({ authorize: async () => {}, maxPresenceMembers: 10 })
  const publisher = createMemoryPublisher(hub)
  const realtime = createRealtime({
    channels: contractChannels,
    identify: () => ({ id: "alice" }),
    authorize: ({ action }) => action !== "presence",
    log: createMemoryLog(),
    publishers: [
      {
        ...publisher,
        async publish(messages) {
          handed.push(...messages)
          await publisher.publish(messages)
        },
      },
    ],
    tracing: server,
  })
  opened.push(realtime)
  const room = contractChannels.room({ room: "1" })
  const texts: unknown[] = []
  const join = async () => {
    const client = createClient({
      transport: createMemoryTransport({ hub, user: { id: "alice" }, retryMs: 10, onError: () => {} }),
      http: createContractHttp(realtime, { id: "alice" }),
      tracing: page && followMessages(page),
    })
    opened.unshift(client)
    const channel = client.channel(room)
    const { ready } = channel.subscribe({ onMessages: (messages) => void texts.push(...messages) })
    client.open()
    await ready
    return channel
  }
  return { realtime, room, handed, texts, channel: await join(), join }
}

describe("a message that is followed", () => {
  it("takes its context along, from the page that sends it to each that receives it", async () => {
    const page = createFollower()
    const server = createFollower()
    const { channel, join, texts, handed } = await openRoom({ page: page.tracing, server: server.tracing })
    await join()
    const { id } = await channel.publish("said", { text: "hello" })
    await waitFor(() => texts.length === 2)
    const [send, ...received] = page.steps
    const [accept] = server.steps
    expect(send).toMatchObject({ step: "send", id, parent: undefined, error: null })
    expect(server.steps).toMatchObject([{ step: "accept", id, parent: send?.traceparent, error: null }])
    expect(handed).toMatchObject([{ id, traceparent: accept?.traceparent }])
    expect(received).toMatchObject([
      { step: "receive", id, parent: accept?.traceparent, error: null },
      { step: "receive", id, parent: accept?.traceparent, error: null },
    ])
  })

  it("shows why it wasn't taken", async () => {
    const page = createFollower()
    const server = createFollower()
    const { channel } = await openRoom({ page: page.tracing, server: server.tracing })
    await expect(channel.publish("said", { text: 7 as never })).rejects.toThrow()
    for (const { steps } of [page, server]) {
      expect(steps).toHaveLength(1)
      expect(isRealtimeError(steps[0]?.error) && steps[0].error.code).toBe("invalid-payload")
    }
  })

  it("is followed from the server on when server code sends it", async () => {
    const server = createFollower()
    const { realtime, room, handed } = await openRoom({ server: server.tracing })
    await realtime.publishBatch([
      { channel: room, event: "said", payload: { text: "one" } },
      { channel: room, event: "said", payload: { text: "two" } },
    ])
    expect(server.steps.map(({ step, parent, error }) => [step, parent, error])).toEqual([
      ["accept", undefined, null],
      ["accept", undefined, null],
    ])
    expect(handed.map(({ traceparent }) => traceparent)).toEqual(server.steps.map((step) => step.traceparent))
  })
})

describe("where nobody follows", () => {
  it("nothing more travels, whatever a page says", async () => {
    const page = createFollower()
    const { channel, handed, texts } = await openRoom({ page: page.tracing })
    await channel.publish("said", { text: "hello" })
    await waitFor(() => texts.length === 1)
    expect(handed[0]).not.toHaveProperty("traceparent")
    expect(page.steps.map(({ step }) => step)).toEqual(["send", "receive"])
    expect(page.steps[1]?.parent).toBeUndefined()
  })

  it("a page sends what it always sent, and shows what comes with a context", async () => {
    const server = createFollower()
    const { channel, texts } = await openRoom({ server: server.tracing })
    await channel.publish("said", { text: "hello" })
    await waitFor(() => texts.length === 1)
    expect(server.steps).toMatchObject([{ step: "accept", parent: undefined }])
  })
})

describe("what a stranger sends as a context", () => {
  it.each(["", "00-zz", "x".repeat(100_000), 7, null, {}, ["00"]])(
    "isn't taken for one: %j",
    async (traceparent) => {
      const server = createFollower()
      const { realtime, handed } = await openRoom({ server: server.tracing })
      const message = { id: crypto.randomUUID(), event: "said", payload: { text: "x" }, traceparent }
      const [result] = await realtime.core.accept({ id: "mallory" }, "room:1", [message as never])
      expect(result).toHaveProperty("receipt")
      expect(server.steps).toMatchObject([{ parent: undefined }])
      expect(handed[0]?.traceparent).toBe(server.steps[0]?.traceparent)
    },
  )

  it("doesn't make what isn't a message one that is followed", async () => {
    const server = createFollower()
    const { realtime } = await openRoom({ server: server.tracing })
    const results = await realtime.core.accept({ id: "mallory" }, "room:1", [
      { id: 7, event: "said", payload: null } as never,
      { id: crypto.randomUUID(), event: ["said"], payload: null } as never,
    ])
    expect(results.every((result) => "error" in result)).toBe(true)
    expect(server.steps).toEqual([])
  })
})
