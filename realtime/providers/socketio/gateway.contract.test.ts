import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { Server } from "socket.io"
import { io as connect } from "socket.io-client"
import { expect, it } from "vitest"
import { createMemoryLog } from "../../log/memory.ts"
import { contractChannels, createContractRealtime } from "../../testing/transport-contract/backend.ts"
import { waitFor } from "../../testing/wait-for.ts"
import { wireOf } from "../../testing/wire-of.ts"
import { attachGateway, createBroadcaster } from "./gateway.ts"

const room = contractChannels.room({ room: "1" })

/** A gateway, its log, and one who is connected to it. */
async function open() {
  const stack = new AsyncDisposableStack()
  const http = createServer()
  const io = new Server(http, { serveClient: false })
  stack.defer(() => void io.close())
  const broadcaster = createBroadcaster({ io, secret: "a secret of this test, long enough" })
  const log = createMemoryLog()
  const realtime = createContractRealtime({ publishers: [broadcaster.publisher], log })
  stack.defer(() => realtime.close())
  const gateway = attachGateway({ broadcaster, core: realtime.core })
  stack.defer(() => gateway.stop())
  http.listen(0, "127.0.0.1")
  await once(http, "listening")
  const ticket = broadcaster.tickets.issue({ id: "alice" })
  const socket = connect(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, {
    ...{ auth: { ticket }, transports: ["websocket"], forceNew: true },
  })
  stack.defer(() => void socket.disconnect())
  await once(socket as never, "connect")
  return { log, realtime, gateway, socket, [Symbol.asyncDispose]: () => stack.disposeAsync() }
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

it("signals pass by a page that is behind, and reach it when it has read what waited", async () => {
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
  await types(false)
  wireOf(socket).resume()
  await waitFor(() => gateway.stats().waitingBytes === 0)
  await types(true)
  await waitFor(() => signals.length > 0)
  expect(signals).toEqual([true])
})
