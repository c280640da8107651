import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { Server } from "socket.io"
import { io as connect } from "socket.io-client"
import { expect, it } from "vitest"
import { isRealtimeError, type OnError, RealtimeError } from "../../errors.ts"
import { createMemoryLog } from "../../log/memory.ts"
import type { MessageLog } from "../../log/message-log.ts"
import type { Signal } from "../../message.ts"
import {
  closeTo,
  contractChannels,
  createContractRealtime,
} from "../../testing/transport-contract/backend.ts"
import { waitFor } from "../../testing/wait-for.ts"
import { wireOf } from "../../testing/wire-of.ts"
import { attachGateway, createBroadcaster } from "./gateway.ts"

const alice = { id: "alice" }
const room = contractChannels.room({ room: "1" })
const meanwhile = { ok: false, error: { code: "not-connected", retryAfterMs: 0 } }

/** A place on somebody's way where they can be made to wait, each until they are let go. */
function createGate() {
  const waiting: (() => void)[] = []
  let isOpen = true
  return {
    waiting,
    close: () => {
      isOpen = false
    },
    /** For whoever comes from now on. */
    open: () => {
      isOpen = true
    },
    pass: () => (isOpen ? Promise.resolve() : new Promise<void>((resolve) => waiting.push(resolve))),
  }
}

/** A gateway, its log, and one who is connected to it. */
async function open(limits: { maxSubscriptions?: number } = {}) {
  const stack = new AsyncDisposableStack()
  const http = createServer()
  const io = new Server(http, { serveClient: false })
  stack.defer(() => void io.close())
  const broadcaster = createBroadcaster({ io, secret: "a secret of this test, long enough" })
  const [access, reading] = [createGate(), createGate()]
  const memory = createMemoryLog()
  const log: MessageLog = {
    ...memory,
    readAfter: async (...place) => reading.pass().then(() => memory.readAfter(...place)),
  }
  const realtime = createContractRealtime({ publishers: [broadcaster.publisher], log })
  stack.defer(() => realtime.close())
  const core: typeof realtime.core = {
    ...realtime.core,
    authorize: async (...question) => access.pass().then(() => realtime.core.authorize(...question)),
    acceptPresence: async (...entering) =>
      access.pass().then(() => realtime.core.acceptPresence(...entering)),
  }
  /** What whoever runs the gateway hears of. */
  const told: string[] = []
  const onError: OnError = (error, { stage }) =>
    void told.push(`${stage}: ${isRealtimeError(error) ? error.code : String(error)}`)
  const gateway = attachGateway({ broadcaster, core, onError, ...limits })
  stack.defer(() => gateway.stop())
  http.listen(0, "127.0.0.1")
  await once(http, "listening")
  const ticket = broadcaster.tickets.issue(alice)
  const address = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const socket = connect(address, {
    ...{ auth: { ticket }, transports: ["websocket"], forceNew: true },
  })
  const ask = (event: string, ...args: unknown[]) => socket.emitWithAck(event, ...args)
  stack.defer(() => void socket.disconnect())
  await once(socket as never, "connect")
  return {
    log,
    io,
    broadcaster,
    address,
    told,
    realtime,
    gateway,
    socket,
    ask,
    access,
    reading,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

it("a gateway knows how far its pages are behind the log", async () => {
  await using stage = await open()
  const { log, realtime, gateway, socket } = stage
  expect(await gateway.lag()).toBe(0)
  await realtime.publish(room, "said", { text: "before anybody came" })
  await socket.emitWithAck("subscribe", room.name, null)
  expect(await gateway.lag()).toBe(0)
  await realtime.publish(room, "said", { text: "delivered" })
  expect(await gateway.lag()).toBe(0)
  // As a gateway does whose notes don't come here.
  for (const text of ["lost", "as well"]) {
    await log.append([
      { id: crypto.randomUUID(), channel: room.name, event: "said", payload: { text }, from: null },
    ])
  }
  expect(await gateway.lag()).toBe(2)
  await realtime.publish(room, "said", { text: "shows the gap" })
  expect(await gateway.lag()).toBe(0)
})

it("signals pass by a page that is behind, and the newest reaches it when it has read what waited", async () => {
  await using stage = await open()
  const { realtime, gateway, socket } = stage
  await socket.emitWithAck("subscribe", room.name, null)
  const signals: boolean[] = []
  socket.on("signal", ({ payload }) => signals.push(payload.isTyping))
  const types = (isTyping: boolean) =>
    realtime.signal(room, "typing", { isTyping }, { from: { id: "bob", name: "Bob" } })

  wireOf(socket).pause()
  const text = "x".repeat(10_000)
  await waitFor(async () => {
    await realtime.publish(room, "said", { text })
    return gateway.stats().waitingBytes > 2_000_000
  })
  await types(true)
  await types(false)
  expect(signals).toEqual([])
  wireOf(socket).resume()
  await waitFor(() => signals.length > 0)
  expect(signals).toEqual([false])
  await types(true)
  await waitFor(() => signals.length > 1)
  expect(signals).toEqual([false, true])
})

it("signals that the next makes worthless come as one packet, to nobody who sent all of it", async () => {
  await using stage = await open()
  const { broadcaster, realtime, socket } = stage
  await socket.emitWithAck("subscribe", room.name, null)
  const packets: Signal[][] = []
  socket.on("signal", (...signals: Signal[]) => packets.push(signals))
  const people = ["alice", "bob", "carol", "dave"]
  const moves = await Promise.all(
    people.flatMap((id) =>
      [1, 2, 3].map((n) =>
        realtime.core.acceptSignal({ id }, room.name, "moved", { at: n }, { page: `${id}'s`, n }),
      ),
    ),
  )
  const shown = () => packets.map((signals) => signals.map(({ from, payload }) => [from.id, payload]))
  for (const signal of moves) broadcaster.signal(signal, signal.from.id === "alice" ? (socket.id ?? "") : "")
  const others = people.map((id) => [id, { at: 3 }])
  await waitFor(() => packets.length > 0)
  expect(shown()).toEqual([others])
  expect(packets.flat().some((signal) => "isLatest" in signal)).toBe(false)
  const [bob] = moves.filter(({ from }) => from.id === "bob").slice(-1)
  broadcaster.signal({ ...(bob as Signal), id: "one more", origin: { page: "bob's", n: 4 } }, "")
  await waitFor(() => packets.length === 2)
})

it("whoever leaves while they are being let in is out, and could do nothing before", async () => {
  await using stage = await open()
  const { realtime, gateway, socket, ask, access } = stage
  const heard: unknown[] = []
  socket.on("messages", (messages) => heard.push(messages))
  access.close()
  const asked = ask("subscribe", room.name, null)
  await waitFor(() => access.waiting.length === 1)
  const refused = { ok: false, error: { code: "channel-denied" } }
  expect(await ask("watch", room.name)).toMatchObject(refused)
  expect(await ask("enter", room.name, { mood: "early" })).toMatchObject(refused)
  expect(await ask("signal", room.name, "typing", { isTyping: true })).toMatchObject(refused)
  expect(await ask("unsubscribe", room.name)).toEqual({ ok: true })
  access.waiting.shift()?.()
  expect(await asked).toMatchObject(meanwhile)
  expect(gateway.stats().subscriptions).toBe(0)
  await realtime.publish(room, "said", { text: "not for them" })
  await ask("unsubscribe", room.name)
  expect(heard).toEqual([])
})

it("whoever leaves and comes back at once is in by their second asking, whenever the first is answered", async () => {
  await using stage = await open()
  const { gateway, ask, access } = stage
  access.close()
  const first = ask("subscribe", room.name, null)
  await waitFor(() => access.waiting.length === 1)
  access.open()
  const left = ask("unsubscribe", room.name)
  expect(await ask("subscribe", room.name, null)).toEqual({ ok: true })
  expect(await left).toEqual({ ok: true })
  access.waiting.shift()?.()
  expect(await first).toMatchObject(meanwhile)
  expect(gateway.stats().subscriptions).toBe(1)
})

it("access that is taken back while the log is being read gives nothing of it away", async () => {
  await using stage = await open()
  const { realtime, gateway, socket, ask, reading } = stage
  const revoked: string[] = []
  socket.on("revoked", (channel) => revoked.push(channel))
  const closing = contractChannels.room({ room: "that closes" })
  await realtime.publish(closing, "said", { text: "secret" })
  reading.close()
  const asked = ask("subscribe", closing.name, { epoch: "any", seq: 0 })
  await waitFor(() => reading.waiting.length === 1)
  closeTo(alice, closing)
  await realtime.revoke(alice, closing)
  reading.waiting.shift()?.()
  expect(await asked).toMatchObject(meanwhile)
  expect(revoked).toEqual([closing.name])
  expect(await ask("subscribe", closing.name, null)).toMatchObject({ error: { code: "channel-denied" } })
  expect(gateway.stats().subscriptions).toBe(0)
})

it("one channel is taken back by a look at that one, however many its people are in", async () => {
  await using stage = await open()
  const { io, realtime, socket, ask } = stage
  const closing = contractChannels.room({ room: "that is named" })
  for (const { name } of [room, closing]) await ask("subscribe", name, null)
  let looks = 0
  for (const { data } of io.sockets.sockets.values()) {
    const { channels } = data as { channels: Map<string, unknown> }
    const all = channels[Symbol.iterator].bind(channels)
    channels[Symbol.iterator] = () => {
      looks += 1
      return all()
    }
  }
  const revoked: string[] = []
  socket.on("revoked", (channel) => revoked.push(channel))
  await realtime.revoke(alice, closing)
  await waitFor(() => revoked.length === 1)
  expect(looks).toBe(0)
  await realtime.revoke(alice)
  await waitFor(() => revoked.length === 2)
  expect([looks, revoked]).toEqual([1, [closing.name, room.name]])
})

it("whoever asks for a channel that they are in, and may not any more, is out of it", async () => {
  await using stage = await open()
  const { gateway, ask } = stage
  const closing = contractChannels.room({ room: "that closed" })
  await ask("subscribe", closing.name, null)
  closeTo(alice, closing)
  expect(await ask("subscribe", closing.name, null)).toMatchObject({ error: { code: "channel-denied" } })
  expect(gateway.stats().subscriptions).toBe(0)
})

it("nobody joins more channels than they may by asking for all of them at once", async () => {
  await using stage = await open({ maxSubscriptions: 10 })
  const { gateway, ask } = stage
  const names = Array.from({ length: 100 }, (_, index) => contractChannels.room({ room: `${index}` }).name)
  const answers = await Promise.all(names.map((name) => ask("subscribe", name, null)))
  expect(answers.filter(({ ok }) => ok).length).toBe(10)
  expect(gateway.stats().subscriptions).toBe(10)
  // One that is refused, as this is, takes nobody's place.
  await ask("unsubscribe", names[0])
  const vault = contractChannels.vault({ vault: "1" }).name
  expect(await ask("subscribe", vault, null)).toMatchObject({ error: { code: "channel-denied" } })
  expect(await ask("subscribe", names[99], null)).toEqual({ ok: true })
})

it("nobody watches more keys of the state over one connection than they may, in however many channels", async () => {
  await using stage = await open()
  const { ask, broadcaster, realtime } = stage
  const rooms = Array.from({ length: 22 }, (_, index) => contractChannels.room({ room: `${index}` }))
  const keys = Array.from({ length: 500 }, (_, index) => `quote:${index}`)
  const watch = (index: number, wanted: unknown) => ask("state", rooms[index]?.name, wanted)
  await Promise.all(rooms.map(({ name }) => ask("subscribe", name, null)))
  const answers = await Promise.all(rooms.map((_, index) => watch(index, { keys })))
  expect(answers.filter(({ ok }) => ok).length).toBe(20)
  expect(answers.at(-1)).toMatchObject({ error: { code: "rate-limited" } })
  // The same again, and fewer, take no further place; what is left gives its place back.
  expect(await watch(0, { keys })).toEqual({ ok: true })
  await watch(0, { keys: [] })
  await ask("unsubscribe", rooms[1]?.name)
  expect(await watch(20, { keys })).toEqual({ ok: true })
  expect(await watch(21, { keys })).toEqual({ ok: true })
  expect(await watch(2, { keys: [...keys, "quote:500"] })).toMatchObject({
    error: { code: "invalid-request" },
  })
  await realtime.state(rooms[21] as (typeof rooms)[number]).set("quote:7", { bid: 1, ask: 2 })
  const [, patches] = await new Promise<unknown[]>((resolve) =>
    stage.socket.once("state", (...told) => resolve(told)),
  )
  expect(patches).toMatchObject([{ entries: [{ key: "quote:7" }] }])
  expect(broadcaster.watchers.kept).toBe(0)
})

it("who is present, and with what, is what was asked for last", async () => {
  await using stage = await open()
  const { realtime, ask, access } = stage
  await ask("subscribe", room.name, null)
  const moods = async () => (await realtime.members(room)).members?.map(({ data }) => data)
  access.close()
  const first = ask("enter", room.name, { mood: "first" })
  await waitFor(() => access.waiting.length === 1)
  access.open()
  await ask("enter", room.name, { mood: "second" })
  access.waiting.shift()?.()
  await first
  expect(await moods()).toEqual([{ mood: "second" }])
  access.close()
  const late = ask("enter", room.name, { mood: "late" })
  await waitFor(() => access.waiting.length === 1)
  await ask("leave", room.name)
  access.waiting.shift()?.()
  await late
  expect(await moods()).toEqual([])
})

it("whoever runs it hears of what it couldn't answer, and of no refusal", async () => {
  await using gateway = await open()
  const { log, told, ask } = gateway
  expect(await ask("subscribe", contractChannels.vault({ vault: "1" }).name, null)).toMatchObject({
    ok: false,
  })
  expect(await ask("nothing")).toMatchObject({ ok: false })
  expect(told).toEqual([])
  log.readAfter = () =>
    Promise.reject(new RealtimeError("log-unavailable", { message: "unable to reach it" }))
  const answer = await ask("subscribe", room.name, { epoch: "", seq: 0 })
  expect(answer).toMatchObject({ ok: false, error: { code: "log-unavailable" } })
  expect(told).toEqual(["answer subscribe: log-unavailable"])
})

it.each([
  ["0", "page-outdated", undefined],
  [2, "provider-unavailable", undefined],
  ["1, 1", "invalid-request", undefined],
  [1, undefined, "alice"],
  [undefined, undefined, "alice"],
])("lets in whom it understands: version %s of the wire", async (wire, code, user) => {
  await using stage = await open()
  const { io, broadcaster, address } = stage
  const socket = connect(address, {
    ...{
      auth: { ticket: broadcaster.tickets.issue(alice), wire },
      transports: ["websocket"],
      forceNew: true,
    },
  })
  const answered = await Promise.race([
    once(socket as never, "connect").then(() => undefined),
    once(socket as never, "connect_error").then(([error]) => error.data.code),
  ])
  const { data } = io.sockets.sockets.get(socket.id ?? "") ?? {}
  socket.disconnect()
  expect([answered, data?.user?.id]).toEqual([code, user])
})
