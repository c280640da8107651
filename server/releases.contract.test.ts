import { pino } from "pino"
import { type ChannelDefinitions, defineChannel } from "throughline"
import { type Channel, createClient, createHttp } from "throughline/client"
import { createMemoryLog, createMemoryLogStore, createRealtime } from "throughline/server"
import { createSocketIoTransport } from "throughline/socketio/client"
import { freePort, waitFor } from "throughline/testing"
import { describe, expect, it } from "vitest"
import * as z from "zod/mini"
import { createServer } from "./create-server.ts"

/** What an application declares, in one release and in the next. */
const earlier = {
  room: defineChannel("room:{room}", {
    messages: { said: z.object({ text: z.string() }) },
    signals: { typing: z.object({ isTyping: z.boolean() }) },
    presence: z.object({ status: z.string() }),
  }),
}
const later = {
  room: defineChannel("room:{room}", {
    messages: {
      said: z.object({ text: z.string(), mood: z.optional(z.string()) }),
      asked: z.object({ question: z.string() }),
    },
    signals: {
      typing: z.object({ isTyping: z.boolean(), isFast: z.optional(z.boolean()) }),
      pointed: z.object({ at: z.number() }),
    },
    presence: z.object({ status: z.string(), since: z.optional(z.number()) }),
  }),
  board: defineChannel("board:{board}", { messages: { drawn: z.object({ line: z.string() }) } }),
}

/** One place where a server of either release runs, on one log. */
async function startSite() {
  const port = await freePort()
  const store = createMemoryLogStore()
  const start = (channels: ChannelDefinitions) =>
    createServer({
      ...{ port, hostname: "127.0.0.1", secret: "a secret of this test, long enough" },
      logger: pino({ level: "silent" }),
      createRealtime: (publisher) =>
        createRealtime({
          ...{ channels, log: createMemoryLog({ store }), publishers: [publisher], onError() {} },
          identify: (request) => ({ id: request.headers.get("x-user") ?? "" }),
          authorize: () => true,
        }),
    })
  let server = await start({})
  const stack = new AsyncDisposableStack()
  stack.defer(() => server.close())
  return {
    /** Takes the place of what runs. */
    async deploy(channels: ChannelDefinitions) {
      await server.close()
      server = await start(channels)
    },
    open(id: string, speaks: { wire?: string } = {}) {
      const http = createHttp({
        basePath: "http://releases.test/api/realtime",
        onPageOver: (error) => client.end(error),
        fetch(input, init) {
          const request = new Request(input, { ...init, headers: { ...init?.headers, "x-user": id } })
          if (speaks.wire !== undefined) request.headers.set("Realtime-Wire", speaks.wire)
          const { GET, POST } = server.realtime.handlers
          return request.method === "POST" ? POST(request) : GET(request)
        },
      })
      const transport = createSocketIoTransport({
        config: { provider: "socketio", url: `http://127.0.0.1:${port}` },
        credentials: (body) => http.credentials("socketio", body),
        onError() {},
        ...{ firstPauseMs: 10, maxPauseMs: 40 },
      })
      const client = createClient({ transport, http })
      stack.defer(() => client.close())
      client.open()
      return client
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** Subscribes, and keeps what it is given. */
function listen(channel: Channel) {
  const received: { event: string; payload: unknown }[] = []
  const { ready } = channel.subscribe({
    onMessages(messages) {
      for (const { event, payload } of messages) received.push({ event, payload })
    },
    onGap: ({ from, to }) => {
      throw new Error(`a gap from ${from} to ${to}`)
    },
  })
  channel.presence.subscribe(() => {})
  return { received, ready }
}

describe("while two releases run side by side", () => {
  it("an old page is given all that new ones say, in its place, and says on what it can", async () => {
    await using site = await startSite()
    await site.deploy(later)
    const old = site.open("alice").channel(earlier.room({ room: "1" }))
    const new_ = site.open("bob").channel(later.room({ room: "1" }))
    const heard = listen(old)
    await Promise.all([heard.ready, listen(new_).ready])
    await new_.publish("said", { text: "hello", mood: "glad" })
    await new_.publish("asked", { question: "and you?" })
    await old.publish("said", { text: "well" })
    await waitFor(() => heard.received.length === 3)
    expect(heard.received).toEqual([
      { event: "said", payload: { text: "hello", mood: "glad" } },
      { event: "asked", payload: { question: "and you?" } },
      { event: "said", payload: { text: "well" } },
    ])
    // Of what passes it is given what it declares.
    const signals: unknown[] = []
    old.onSignal("typing", ({ payload }) => void signals.push(payload))
    await new_.signal("pointed", { at: 1 })
    await new_.signal("typing", { isTyping: true, isFast: true })
    await waitFor(() => signals.length > 0)
    expect(signals).toEqual([{ isTyping: true }])
    new_.presence.enter({ status: "active", since: 1 })
    await waitFor(() => old.presence.snapshot?.members?.length === 1)
    expect(old.presence.snapshot?.members).toEqual([{ user: { id: "bob" }, data: { status: "active" } }])
    old.presence.enter({ status: "away" })
    await waitFor(() => new_.presence.snapshot?.members?.length === 2)
  })

  it("a new page is told what its server doesn't know yet, loses nothing else, and can do it once the server is replaced", async () => {
    await using site = await startSite()
    await site.deploy(earlier)
    const client = site.open("alice")
    const room = client.channel(later.room({ room: "1" }))
    const board = client.channel(later.board({ board: "1" }))
    const heard = listen(room)
    board.subscribe({ onMessages() {} })
    await heard.ready
    const id = crypto.randomUUID()
    const ask = () => room.publish("asked", { question: "and you?" }, { id })
    await expect(ask()).rejects.toMatchObject({ code: "event-unknown", retryable: false })
    await room.publish("said", { text: "hello", mood: "glad" })
    await waitFor(() => board.status.state === "denied")
    expect(board.status).toMatchObject({ error: { code: "channel-unknown" } })

    await site.deploy(later)
    await waitFor(() => board.status.state === "attached", "the channel of the new release")
    await waitFor(() => room.status.state === "attached")
    await ask()
    await room.publish("said", { text: "bye", mood: "sad" })
    await waitFor(() => heard.received.length === 3)
    // The first one passed the schema of a server that had no such field.
    expect(heard.received).toEqual([
      { event: "said", payload: { text: "hello" } },
      { event: "asked", payload: { question: "and you?" } },
      { event: "said", payload: { text: "bye", mood: "sad" } },
    ])
  })

  it("a page whose wire the server no longer understands is told so, and what it wrote goes by the next one", async () => {
    await using site = await startSite()
    await site.deploy(earlier)
    const speaks: { wire?: string } = {}
    const page = site.open("alice", speaks)
    const room = page.channel(earlier.room({ room: "1" }))
    await listen(room).ready

    speaks.wire = "0"
    await site.deploy(earlier)
    await waitFor(() => page.connection.status.state === "failed")
    expect(page.connection.status.error).toMatchObject({ code: "page-outdated", retryable: false })
    room.outbox.add("said", { text: "still to be sent" })
    await page.checkSession()
    expect(room.outbox.messages).toMatchObject([{ state: "queued" }])
  })

  it("a page that is newer than its server waits for one of its own release, and nothing of it is refused", async () => {
    await using site = await startSite()
    await site.deploy(earlier)
    const heard = listen(site.open("bob").channel(earlier.room({ room: "1" })))
    await heard.ready
    const speaks: { wire?: string } = { wire: "2" }
    const page = site.open("alice", speaks)
    const room = page.channel(earlier.room({ room: "1" }))
    room.outbox.add("said", { text: "early" })
    await waitFor(() => page.connection.status.error?.code === "provider-unavailable")
    expect(page.connection.status).toMatchObject({ state: "connecting", error: { retryable: true } })

    delete speaks.wire
    await waitFor(() => page.connection.status.state === "connected")
    await waitFor(() => heard.received.length === 1)
    expect(heard.received).toEqual([{ event: "said", payload: { text: "early" } }])
    await waitFor(() => room.outbox.messages.length === 0)
  })
})
