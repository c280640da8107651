import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { sealData } from "iron-session"
import { pino } from "pino"
import { createRealtimeClient, followMessages } from "throughline/client"
import type { Realtime } from "throughline/server"
import { waitFor } from "throughline/testing"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { room } from "#lib/chat/channels.ts"
import { openDatabase } from "#lib/chat/database.ts"
import { createRooms, ensureLobby } from "#lib/chat/rooms.ts"
import { sessionCookie } from "#lib/chat/session.ts"
import { parseEnv } from "#lib/env/schema.ts"
import { providers } from "#lib/realtime/client.ts"
import { createChat } from "#lib/realtime/create.ts"
import { createPublishers } from "#lib/realtime/publishers.ts"
import { createPageTracing } from "#lib/tracing/page.ts"
import { flushTracing, startTracing, stopTracing } from "#lib/tracing/server.ts"
import { createServer } from "./create-server.ts"
import { startEmulator } from "./emulator.ts"
import { gatewayOptions } from "./gateway-options.ts"
import { type CollectedSpan, startCollector } from "./testing/collector.ts"

const sessionSecret = "a session secret of this test, long enough"
const secretText = "what nobody but the room may read"
const alice = { id: "alice", name: "Alice" }

let collector: Awaited<ReturnType<typeof startCollector>>
const DATA_DIR = mkdtempSync(join(tmpdir(), "throughline-traces-"))

const envOf = (variables: Record<string, string>, isTraced = true) =>
  parseEnv({
    ...{ NODE_ENV: "production", SESSION_SECRET: sessionSecret, DATA_DIR },
    ...(isTraced && { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }),
    ...variables,
  })

beforeAll(async () => {
  collector = await startCollector()
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = collector.url
  await startTracing(envOf({ REALTIME_PROVIDER: "socketio" }))
  const database = await openDatabase({ dataDir: DATA_DIR })
  await ensureLobby(database)
  await createRooms(database).join(alice, "lobby")
  await database.destroy()
})
afterAll(async () => {
  await stopTracing()
  delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT
  await collector[Symbol.asyncDispose]()
  rmSync(DATA_DIR, { recursive: true, force: true })
})

/** The chat's server half as it ships, over one provider, and what a page needs to know of it. */
async function serve(provider: string, isTraced: boolean) {
  await using stack = new AsyncDisposableStack()
  const logger = pino({ level: "silent" })
  const close = (realtime: { close(): Promise<void> }) => stack.defer(() => realtime.close())
  if (provider === "socketio") {
    const env = envOf({ REALTIME_PROVIDER: provider, PORT: "0", HOST: "127.0.0.1" }, isTraced)
    const server = await createServer(await gatewayOptions(env, logger))
    close(server)
    return { realtime: server.realtime, url: server.url, stack: stack.move() }
  }
  const emulated = stack.use(await startEmulator(provider, "http://127.0.0.1:9"))
  const env = envOf(emulated.env, isTraced)
  const chat = await createChat({ env, publishers: await createPublishers(env), logger })
  close(chat)
  return { realtime: chat.realtime, url: emulated.url, stack: stack.move() }
}

function openPage(realtime: Realtime, cookie: string, { url, isTraced }: { url: string; isTraced: boolean }) {
  const tracing = createPageTracing({ ratio: 1, url: `${collector.url}/v1/traces` })
  const config = realtime.clientConfig()
  const client = createRealtimeClient({
    config: { ...config, providers: config.providers.map((each) => ({ url, ...each })) },
    providers,
    tracing: isTraced ? followMessages(tracing) : undefined,
    async fetch(input, init) {
      const request = new Request(new URL(String(input), "http://app.test"), init)
      request.headers.set("cookie", cookie)
      return request.method === "POST" ? realtime.handlers.POST(request) : realtime.handlers.GET(request)
    },
  })
  return { client, flush: tracing.flush }
}

/** Writes one message from one page and reads it on it and another; resolves with its id when all that was followed is collected. */
async function converse(provider: string, isTraced = true): Promise<string> {
  const { realtime, url, stack } = await serve(provider, isTraced)
  await using _ = stack
  const sealed = await sealData({ user: alice }, { password: sessionSecret })
  const pages = [1, 2].map(() => openPage(realtime, `${sessionCookie}=${sealed}`, { url, isTraced }))
  const received: string[] = []
  for (const { client } of pages) {
    const subscription = client.channel(room({ room: "lobby" })).subscribe({
      onMessages: (messages) => void received.push(...messages.map(({ id }) => id)),
    })
    client.open()
    await subscription.ready
  }
  const [writer] = pages
  const receipt = await writer?.client
    .channel(room({ room: "lobby" }))
    .publish("text-sent", { text: secretText })
  const id = receipt?.id ?? ""
  await waitFor(() => received.filter((each) => each === id).length === 2, "the message on both pages")
  for (const { client, flush } of pages) {
    await flush()
    await client.close()
  }
  await flushTracing()
  return id
}

const spansOf = (id: string) =>
  collector.spans.filter((span) => span.attributes["messaging.message.id"] === id)

describe("a trace", () => {
  it.each(["socketio", "pusher", "ably"])(
    "goes from the page that sends to those that receive, over %s",
    async (provider) => {
      const id = await converse(provider)
      await waitFor(() => spansOf(id).length === 6, "all steps of the message")
      const spans = spansOf(id)
      const named = (name: string) => spans.filter((span) => span.name === `message ${name}`)
      const [send] = named("send") as [CollectedSpan]
      const [accept] = named("accept") as [CollectedSpan]
      expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1)
      expect([send.parentSpanId, accept.parentSpanId]).toEqual([undefined, send.spanId])
      const later = [...named("append"), ...named("deliver"), ...named("receive")]
      expect(later.map(({ name }) => name.split(" ")[1])).toEqual(["append", "deliver", "receive", "receive"])
      for (const { parentSpanId } of later) expect(parentSpanId).toBe(accept.spanId)
      expect(named("deliver")[0]?.attributes["throughline.provider"]).toBe(provider)
      expect(spans.map(({ name, service }) => [name.split(" ")[1], service])).toEqual(
        expect.arrayContaining([
          ["send", "throughline-page"],
          ["receive", "throughline-page"],
          ["accept", "throughline"],
        ]),
      )
    },
  )

  it("says nothing of what is written", () => {
    expect(collector.bodies.length).toBeGreaterThan(0)
    for (const body of collector.bodies) {
      expect(body).not.toContain(secretText)
      expect(body).not.toContain(sessionSecret)
    }
  })

  it("isn't begun by anybody where none is wanted", async () => {
    const before = collector.spans.length
    const id = await converse("socketio", false)
    expect(spansOf(id)).toEqual([])
    expect(collector.spans.length).toBe(before)
  })
})
