import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { isDeepStrictEqual } from "node:util"
import { Server, type ServerOptions } from "socket.io"
import {
  contractChannels,
  createContractHttp,
  createContractRealtime,
  describeTransportContract,
} from "throughline/testing"
import { describe, expect, it, vi } from "vitest"
import { createClient } from "../../client/create-client.ts"
import { RealtimeError } from "../../errors.ts"
import { createSocketIoBackend, startSocketIoBackend } from "../../testing/socketio-backend.ts"
import { startTcpProxy } from "../../testing/tcp-proxy.ts"
import { waitFor } from "../../testing/wait-for.ts"
import { createSocketIoTransport, type SocketIoTransportOptions } from "./client.ts"
import { attachGateway, createBroadcaster } from "./gateway.ts"

async function startGateway(options: Partial<ServerOptions> = {}) {
  const http = createServer()
  const io = new Server(http, { serveClient: false, ...options })
  /** What each page has said to be let in. */
  const said: Record<string, unknown>[] = []
  io.use(({ handshake }, next) => {
    said.push(handshake.auth)
    next()
  })
  const broadcaster = createBroadcaster({ io, secret: "a secret of this test" })
  const realtime = createContractRealtime({ publishers: [broadcaster.publisher] })
  attachGateway({ broadcaster, core: realtime.core })
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  const { port } = http.address() as AddressInfo
  async function close(): Promise<void> {
    await io.close()
    await realtime.close()
  }
  return { http, io, port, said, realtime, close }
}

describeTransportContract({ name: "socketio, gateway", start: startSocketIoBackend })

it("sends nothing into a network that the browser says is gone, on localhost either", async () => {
  const page = new EventTarget()
  vi.stubGlobal("window", page)
  await using stack = new AsyncDisposableStack()
  stack.defer(() => void vi.unstubAllGlobals())
  const gateway = await startGateway()
  stack.defer(gateway.close)
  const app = createContractHttp(gateway.realtime, { id: "alice" })
  const transport = createSocketIoTransport({
    config: { provider: "socketio", url: `http://localhost:${gateway.port}` },
    credentials: (body) => app.credentials("socketio", body),
    onError: undefined,
  })
  stack.defer(() => transport.close())
  const states: string[] = []
  transport.onStatus(({ state }) => states.push(state))
  transport.connect()
  await waitFor(() => transport.status.state === "connected")
  page.dispatchEvent(new Event("offline"))
  expect(transport.status.state).toBe("reconnecting")
  const message = { id: crypto.randomUUID(), event: "said", payload: { text: "into nowhere" } }
  await expect(transport.publish?.("room:1", [message])).rejects.toMatchObject({ code: "not-connected" })
  await waitFor(() => transport.status.state === "connected")
  expect(states).toEqual(["connected", "reconnecting", "connected"])
})

it("comes back after a pause of its own, so that those who lost their connection in one moment don't return in one", async () => {
  const timers = vi.spyOn(globalThis, "setTimeout")
  await using stack = new AsyncDisposableStack()
  stack.defer(() => timers.mockRestore())
  const gateway = await startGateway()
  stack.defer(gateway.close)
  const app = createContractHttp(gateway.realtime, { id: "alice" })
  const transports = Array.from({ length: 10 }, () => {
    const transport = createSocketIoTransport({
      config: { provider: "socketio", url: `http://127.0.0.1:${gateway.port}` },
      credentials: (body) => app.credentials("socketio", body),
      onError: undefined,
    })
    stack.defer(() => transport.close())
    transport.connect()
    return transport
  })
  const areAll = (state: string) => transports.every(({ status }) => status.state === state)
  await waitFor(() => areAll("connected"))
  timers.mockClear()
  for (const { conn } of gateway.io.sockets.sockets.values()) conn.close()
  await waitFor(() => timers.mock.calls.filter(isPause).length >= transports.length)
  const pauses = timers.mock.calls.filter(isPause).map(([, ms]) => ms)
  expect(new Set(pauses).size).toBeGreaterThan(transports.length / 2)
})

/** Half of the first pause more or less; nothing else waits for so long. */
const isPause = ([, ms = 0]: unknown[]) => (ms as number) >= 250 && (ms as number) <= 750

it("forgets whoever's network ended without a word when they don't answer its ping", async () => {
  const gateway = await startGateway({ pingInterval: 200, pingTimeout: 300 })
  await using stack = new AsyncDisposableStack()
  stack.defer(gateway.close)
  const proxy = stack.use(await startTcpProxy({ host: "127.0.0.1", port: gateway.port }))
  const app = createContractHttp(gateway.realtime, { id: "alice" })
  const transport = createSocketIoTransport({
    config: { provider: "socketio", url: `http://127.0.0.1:${proxy.port}` },
    credentials: (body) => app.credentials("socketio", body),
    onError: undefined,
  })
  stack.defer(() => transport.close())
  const room = contractChannels.room({ room: "1" })
  const observer = { cursor: () => null, onAttached() {}, onDetached() {}, onDenied() {} }
  const subscription = transport.subscribe(room.name, {
    ...{ ...observer, onMessages() {}, onSignal() {}, onPresence() {} },
  })
  transport.connect()
  await waitFor(() => transport.status.state === "connected")
  await subscription.enterPresence({ mood: "here" })
  const count = async () => (await gateway.realtime.members(room)).count
  await waitFor(async () => (await count()) === 1)
  proxy.freeze()
  // Its goodbye is lost as well.
  await transport.close()
  expect(await count()).toBe(1)
  await waitFor(async () => (await count()) === 0)
})

it("shows data that were accepted again after an interruption, and none that were refused since", async () => {
  const { port, ...gateway } = await startGateway()
  await using backend = createSocketIoBackend({ url: `http://127.0.0.1:${port}`, ...gateway })
  const transport = backend.createTransport({ id: "alice" })
  const room = contractChannels.room({ room: "1" })
  const observer = { cursor: () => null, onDetached() {}, onMessages() {}, onSignal() {} }
  const told: string[] = []
  const moods: unknown[] = []
  const subscription = transport.subscribe(room.name, {
    ...observer,
    onAttached: () => void told.push("attached"),
    onDenied: () => void told.push("denied"),
    onPresence: ({ members }) => void moods.push(...(members ?? []).map(({ data }) => data)),
  })
  transport.connect()
  await waitFor(() => told.length === 1)
  await subscription.enterPresence({ mood: "fine" })
  await expect(subscription.enterPresence({ mood: 1 })).rejects.toMatchObject({ code: "invalid-payload" })
  moods.length = 0
  await backend.dropConnections()
  await waitFor(() => moods.length > 0)
  expect([told, moods]).toEqual([["attached", "attached"], [{ mood: "fine" }]])
})

it("keeps the data that were entered when the computer had slept and didn't know yet that the connection was gone", async () => {
  const { port, ...gateway } = await startGateway()
  await using backend = createSocketIoBackend({ url: `http://127.0.0.1:${port}`, ...gateway })
  const transport = backend.createTransport({ id: "alice" })
  const told: string[] = []
  const moods: unknown[] = []
  const subscription = transport.subscribe(contractChannels.room({ room: "1" }).name, {
    ...{ cursor: () => null, onDetached() {}, onMessages() {}, onSignal() {} },
    onAttached: () => void told.push("attached"),
    onDenied: ({ code }) => void told.push(code),
    onPresence: ({ members }) => void moods.push(...(members ?? []).map(({ data }) => data)),
  })
  transport.connect()
  await waitFor(() => told.length === 1)
  await subscription.enterPresence({ mood: "before" })
  const real = Date.now
  using slept = vi.spyOn(Date, "now").mockImplementation(() => real() + 3_600_000)
  const entering = subscription.enterPresence({ mood: "after" })
  slept.mockRestore()
  await expect(entering).rejects.toMatchObject({ code: "not-connected" })
  await waitFor(() => isDeepStrictEqual(moods.at(-1), { mood: "after" }))
  expect(told).toEqual(["attached", "attached"])
})

it("asks again for a channel that is taken from it while it is being let in", async () => {
  const http = createServer()
  const io = new Server(http, { serveClient: false })
  await using stack = new AsyncDisposableStack()
  stack.defer(() => void io.close())
  let asked = 0
  io.on("connection", (socket) => {
    socket.on("subscribe", (channel, _cursor, answer) => {
      asked += 1
      if (asked > 1) return answer({ ok: false, error: { code: "channel-denied", message: "not any more" } })
      socket.emit("revoked", channel)
      answer({ ok: true })
    })
  })
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  const transport = createSocketIoTransport({
    config: { provider: "socketio", url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` },
    credentials: async () => ({}),
    onError: undefined,
  })
  stack.defer(() => transport.close())
  const told: string[] = []
  transport.subscribe(contractChannels.room({ room: "1" }).name, {
    ...{ cursor: () => null, onDetached() {}, onMessages() {}, onSignal() {}, onPresence() {} },
    onAttached: () => void told.push("attached"),
    onDenied: ({ code }) => void told.push(code),
  })
  transport.connect()
  await waitFor(() => told.length > 0)
  expect([told, asked]).toEqual([["channel-denied"], 2])
})

it.each(["subscribe", "watch", "enter"] as const)(
  "asks again with pauses when the server fails at %s, says so once, and repeats no more than that needs",
  async (failing) => {
    const http = createServer()
    const io = new Server(http, { serveClient: false })
    await using stack = new AsyncDisposableStack()
    stack.defer(() => void io.close())
    const asked: string[] = []
    io.on("connection", (socket) => {
      for (const event of ["subscribe", "watch", "enter", "signal"]) {
        socket.on(event, (...args) => {
          asked.push(event)
          const isFailing = event === failing && asked.filter((other) => other === event).length <= 4
          const answer = args.at(-1) as (answer: unknown) => void
          answer(isFailing ? { ok: false, error: { code: "internal", message: "it failed" } } : { ok: true })
        })
      }
    })
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
    const errors: unknown[] = []
    const transport = createSocketIoTransport({
      config: { provider: "socketio", url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` },
      credentials: async () => ({}),
      onError: (error, { stage }) => void errors.push([stage, (error as { code?: string }).code]),
      ...{ firstPauseMs: 1, maxPauseMs: 10 },
    })
    stack.defer(() => transport.close())
    const denied: unknown[] = []
    const subscription = transport.subscribe(contractChannels.room({ room: "1" }).name, {
      ...{
        cursor: () => null,
        onAttached() {},
        onDetached() {},
        onMessages() {},
        onSignal() {},
        onPresence() {},
      },
      onDenied: (error) => void denied.push(error),
    })
    await subscription.enterPresence({ mood: "fine" })
    transport.connect()
    const times = (event: string) => asked.filter((other) => other === event).length
    await waitFor(() => times("enter") === (failing === "enter" ? 5 : 1))
    // A round trip later nothing else was asked.
    await subscription.signal?.("typing", { isTyping: true }, { page: "a page", n: 1 })
    const [subscribes, watches, enters] = { subscribe: [5, 1, 1], watch: [5, 5, 1], enter: [1, 1, 5] }[
      failing
    ]
    expect([times("subscribe"), times("watch"), times("enter")]).toEqual([subscribes, watches, enters])
    expect(denied).toEqual([])
    expect(errors).toEqual([[failing === "enter" ? "presence" : "subscribe", "internal"]])
  },
)

describe("behind a proxy that never answers a WebSocket's handshake", () => {
  async function start(
    limits: Partial<
      Pick<SocketIoTransportOptions, "handshakeTimeoutMs" | "credentials" | "firstPauseMs" | "maxPauseMs">
    > = {},
  ) {
    const stack = new AsyncDisposableStack()
    const gateway = await startGateway()
    stack.defer(gateway.close)
    /** How each connection began. */
    const ways: string[] = []
    gateway.io.engine.on("connection", ({ transport }) => ways.push(transport.name))
    const proxy = stack.use(await startTcpProxy({ host: "127.0.0.1", port: gateway.port }))
    const http = createContractHttp(gateway.realtime, { id: "alice" })
    const transport = createSocketIoTransport({
      ...{ config: { provider: "socketio", url: `http://127.0.0.1:${proxy.port}` }, onError: undefined },
      ...{ credentials: (body) => http.credentials("socketio", body), firstPauseMs: 10, maxPauseMs: 40 },
      ...limits,
    })
    const client = createClient({ transport, http })
    stack.defer(() => client.close())
    const states: string[] = []
    transport.onStatus(({ state, error }) => void states.push(error ? `${state}, ${error.code}` : state))
    /** As the server does when it closes; long polling outlives a lost connection. */
    function sendAway(): void {
      for (const { conn } of gateway.io.sockets.sockets.values()) conn.close()
    }
    const isConnected = () => client.connection.status.state === "connected"
    return {
      gateway,
      ways,
      proxy,
      client,
      sendAway,
      states,
      isConnected,
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    }
  }

  it("pages come by long polling, each time at once, and by WebSocket when it works again", async () => {
    await using stage = await start({ handshakeTimeoutMs: 200 })
    const { gateway, ways, proxy, client, sendAway, states, isConnected } = stage
    const answer = proxy.swallowUpgrades()
    const texts: unknown[] = []
    const channel = client.channel(contractChannels.room({ room: "1" }))
    const { ready } = channel.subscribe({
      onMessages: (messages) => void texts.push(...messages.map(({ payload }) => payload)),
    })
    client.open()
    await ready
    await channel.publish("said", { text: "by polling" })
    await waitFor(() => texts.length === 1)
    expect([ways, states]).toEqual([["polling"], ["connecting, provider-unavailable", "connected"]])
    expect(gateway.said).toEqual([{ ticket: expect.any(String), wire: 1 }])
    states.length = 0
    sendAway()
    await waitFor(() => ways.length === 2 && isConnected())
    expect(states).toEqual(["reconnecting, not-connected", "connected"])

    answer()
    sendAway()
    await waitFor(() => ways.length === 3 && isConnected())
    const isUp = () =>
      [...gateway.io.sockets.sockets.values()].some(({ conn }) => conn.transport.name === "websocket")
    await waitFor(isUp, "the WebSocket")
    sendAway()
    await waitFor(() => ways.length === 4 && isConnected())
    expect(ways).toEqual(["polling", "polling", "polling", "websocket"])
  })

  it("a page that gets no ticket says so, and asks for another, although its polling can't be ended yet", async () => {
    const credentials = vi.fn(async () => {
      throw new RealtimeError("rate-limited", { message: "unable to get a ticket", retryAfterMs: 0 })
    })
    await using stage = await start({ handshakeTimeoutMs: 200, credentials })
    const { proxy, client, states } = stage
    proxy.swallowUpgrades()
    client.open()
    await waitFor(() => credentials.mock.calls.length > 2, "further attempts")
    expect(new Set(states.slice(states.indexOf("connecting, rate-limited")))).toEqual(
      new Set(["connecting, rate-limited"]),
    )
  })

  it("a page that gets no ticket waits longer each time before it asks for another", async () => {
    const credentials = vi.fn(async () => {
      throw new RealtimeError("provider-unavailable", { message: "unable to get a ticket" })
    })
    vi.spyOn(Math, "random").mockReturnValue(0.5)
    const timers = vi.spyOn(globalThis, "setTimeout")
    await using stage = await start({ firstPauseMs: 4, maxPauseMs: 30, credentials })
    stage.client.open()
    await waitFor(() => credentials.mock.calls.length > 5, "further attempts")
    const pauses = timers.mock.calls
      .map(([, ms]) => ms)
      .filter((ms) => [3, 6, 12, 24, 22.5].includes(ms ?? 0))
    vi.restoreAllMocks()
    expect(pauses.slice(0, 5)).toEqual([3, 6, 12, 22.5, 22.5])
  })

  it("what a page says goes by HTTP while it has no connection, before what it says over one", async () => {
    await using stage = await start({ handshakeTimeoutMs: 60_000 })
    const { gateway, proxy, client, isConnected } = stage
    const room = contractChannels.room({ room: "1" })
    const answer = proxy.swallowUpgrades()
    client.open()
    const channel = client.channel(room)
    const said = await Promise.all(["one", "two"].map((text) => channel.publish("said", { text })))
    expect([said.map(({ seq }) => seq), isConnected()]).toEqual([[1, 2], false])
    answer()
    proxy.dropConnections()
    await waitFor(isConnected)
    expect((await channel.publish("said", { text: "three" })).seq).toBe(3)
    expect((await gateway.realtime.head(room)).seq).toBe(3)
  })
})
