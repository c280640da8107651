import { once } from "node:events"
import {
  type AddressInfo,
  connect as connectTcp,
  createServer as createTcpServer,
  type Socket,
} from "node:net"
import { Server } from "socket.io"
import { contractChannels, createContractHttp } from "throughline/testing"
import { describe, expect, it } from "vitest"
import { createClient } from "../../client/create-client.ts"
import { createMemoryLogStore } from "../../log/memory.ts"
import { startGateway } from "../../testing/gateway-over-redis.ts"
import { findRedis, startRedis } from "../../testing/redis.ts"
import { startTcpProxy } from "../../testing/tcp-proxy.ts"
import { textsOf } from "../../testing/transport-contract/check.ts"
import { waitFor } from "../../testing/wait-for.ts"
import { createSocketIoTransport } from "./client.ts"
import { connectRedisCluster } from "./gateway.ts"

/** Gateways over a Redis that each of them reaches by a wire of its own, and a reader and person at each. */
async function startCluster(size: number, { keeps = true }: { keeps?: boolean } = {}) {
  const stack = new AsyncDisposableStack()
  const redis = stack.use(await startRedis({ keeps }))
  const shared = { store: createMemoryLogStore(), streamName: "cluster" }
  const room = contractChannels.room({ room: "1" })
  const members = await Promise.all(
    Array.from({ length: size }, async (_, index) => {
      const wire = stack.use(await startTcpProxy({ host: "127.0.0.1", port: redis.port }))
      const gateway = await startGateway({ ...shared, redisUrl: `redis://127.0.0.1:${wire.port}` })
      stack.defer(gateway.close)
      const user = { id: `person-${index}` }
      const http = createContractHttp(gateway.realtime, user)
      const transport = createSocketIoTransport({
        config: { provider: "socketio", url: gateway.url },
        credentials: (body) => http.credentials("socketio", body),
        onError: () => {},
      })
      // Nothing but what the gateways do brings a message in time.
      const headCheck = { connectedMs: 3_600_000, interruptedMs: 3_600_000 }
      const client = createClient({ transport, http, headCheck, presenceGraceMs: 0, onError() {} })
      stack.defer(() => client.close())
      const channel = client.channel(room)
      const texts: string[] = []
      const subscription = channel.subscribe({
        onMessages: (messages) => void texts.push(...textsOf(messages)),
      })
      channel.presence.subscribe(() => {})
      channel.presence.enter({ mood: "here" })
      client.open()
      await subscription.ready
      const seen = () => (channel.presence.snapshot?.members ?? []).map(({ user: { id } }) => id).join()
      return { ...gateway, wire, client, texts, seen }
    }),
  )
  return {
    ...{ redis, members, shared },
    publish: (at: number, text: string) => members[at]?.realtime.publish(room, "said", { text }),
    all: (...texts: string[]) =>
      waitFor(() => members.every((member) => member.texts.join() === texts.join())),
    everybodySees: (...people: number[]) => {
      const wanted = people.map((index) => `person-${index}`).join()
      return waitFor(() => people.every((index) => members[index]?.seen() === wanted), wanted)
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

const isMissing = !findRedis()
const unless = isMissing ? " (skipped: Redis not found)" : ""

describe.skipIf(isMissing)(`gateways over Redis${unless}`, () => {
  it("bring what one of them took to the readers of all, and see each other's people", async () => {
    await using cluster = await startCluster(3)
    await cluster.everybodySees(0, 1, 2)
    await cluster.publish(0, "a")
    await cluster.publish(1, "b")
    await cluster.publish(2, "c")
    await cluster.all("a", "b", "c")
  })

  it("forget the people of one that was killed", async () => {
    await using cluster = await startCluster(3)
    await cluster.everybodySees(0, 1, 2)
    const [killed] = cluster.members
    killed?.kill()
    await cluster.everybodySees(1, 2)
  })

  it("know at once of one that closes in order", async () => {
    await using cluster = await startCluster(2)
    await cluster.everybodySees(0, 1)
    await cluster.members[0]?.realtime.close()
    await cluster.everybodySees(1)
  })

  it.each([
    ["and forgets nothing", true],
    ["and forgets everything", false],
  ])("lose nothing when Redis is killed and comes back %s", async (_, keeps) => {
    await using cluster = await startCluster(2, { keeps })
    await cluster.everybodySees(0, 1)
    await cluster.publish(0, "before")
    await cluster.redis.kill()
    await cluster.publish(0, "meanwhile")
    await cluster.publish(1, "also meanwhile")
    // The log stands in for Redis.
    await cluster.all("before", "meanwhile", "also meanwhile")
    const [first, second] = cluster.members
    expect(first?.told.filter((line) => line.includes("unable to reach Redis"))).toHaveLength(1)
    await second?.client.close()
    await cluster.redis.start()
    await cluster.everybodySees(0)
    await cluster.publish(1, "after")
    await waitFor(() => first?.texts.at(-1) === "after")
    expect(first?.texts).toEqual(["before", "meanwhile", "also meanwhile", "after"])
  })

  it("lose nothing when one of them is cut off from Redis, either way", async () => {
    await using cluster = await startCluster(2)
    await cluster.everybodySees(0, 1)
    const end = await cluster.members[0]?.wire.startOutage()
    await cluster.publish(1, "to the one that is cut off")
    await waitFor(() => cluster.members[0]?.texts.length === 1)
    await cluster.publish(0, "by the one that is cut off")
    await cluster.all("to the one that is cut off", "by the one that is cut off")
    end?.()
    await cluster.publish(0, "after")
    await cluster.publish(1, "the last")
    await waitFor(() => cluster.members.every(({ texts }) => texts.length === 4))
    await cluster.everybodySees(0, 1)
  })

  it("start without Redis, serve, and find each other when it is there", async () => {
    await using stack = new AsyncDisposableStack()
    const redis = stack.use(await startRedis())
    await redis.kill()
    const shared = { redisUrl: redis.url, store: createMemoryLogStore(), streamName: "late" }
    const gateways = await Promise.all([startGateway(shared), startGateway(shared)])
    for (const gateway of gateways) stack.defer(gateway.close)
    const [first, second] = gateways
    first?.broadcaster.enter("room:1", "socket-1", { id: "alice" }, { mood: "early" })
    expect(second?.broadcaster.presence.snapshot("room:1").count).toBe(0)
    await redis.start()
    await waitFor(() => second?.broadcaster.presence.snapshot("room:1").count === 1)
  })
})

it("a gateway that closes before it ever reached Redis takes nothing with it", async () => {
  const attempts = new Set<Socket>()
  const nobody = createTcpServer((socket) => {
    attempts.add(socket)
    socket.on("error", () => {}).on("close", () => attempts.delete(socket))
    socket.resume()
  })
  await new Promise<void>((resolve) => nobody.listen(0, "127.0.0.1", resolve))
  const { port } = nobody.address() as AddressInfo
  const rejections: unknown[] = []
  const onRejection = (reason: unknown) => void rejections.push(reason)
  process.on("unhandledRejection", onRejection)
  const io = new Server()
  const bus = await connectRedisCluster({ io, url: `redis://127.0.0.1:${port}`, onError: () => {} })
  // Its own, and those of the adapter's two copies.
  await waitFor(() => attempts.size === 3)
  await bus.close()
  await waitFor(() => attempts.size === 0)
  const last = connectTcp(port, "127.0.0.1").resume()
  await waitFor(() => attempts.size === 1)
  for (const socket of attempts) socket.destroy()
  await once(last, "close")
  await new Promise((resolve) => setImmediate(resolve))
  process.off("unhandledRejection", onRejection)
  expect(rejections).toEqual([])
  await io.of("/").adapter.close()
  nobody.close()
})
