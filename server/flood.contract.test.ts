import { once } from "node:events"
import { pino } from "pino"
import { io as connectSocket } from "socket.io-client"
import { RealtimeError } from "throughline"
import {
  contractChannels,
  createContractHttp,
  createContractRealtime,
  waitFor,
  wireOf,
} from "throughline/testing"
import { describe, expect, it } from "vitest"
import { createServer, type RunningServer, type ServerOptions } from "./create-server.ts"

type ContractRealtime = ReturnType<typeof createContractRealtime>

async function start(admit?: (address: string) => Promise<void>, options: Partial<ServerOptions> = {}) {
  const told: string[] = []
  const logger = pino({ level: "warn" }, { write: (line: string) => void told.push(line) })
  const server = await createServer({
    ...{ port: 0, hostname: "127.0.0.1", secret: "a secret of this test, long enough", logger, ...options },
    createRealtime: (publisher) => ({
      ...createContractRealtime({ publishers: [publisher] }),
      ...(admit && { admit }),
    }),
  })
  return { server, told }
}

async function connect(server: RunningServer, id: string, headers: Record<string, string> = {}) {
  const app = createContractHttp(server.realtime as ContractRealtime, { id })
  const { ticket } = (await app.credentials("socketio", {})) as { ticket: string }
  const options = { transports: ["websocket"], reconnection: false, forceNew: true }
  return connectSocket(server.url, { ...options, auth: { ticket }, extraHeaders: headers })
}

describe("a gateway under abuse", () => {
  it("ends a connection that never reads before it costs more than its bound, and serves the others", async () => {
    const { server, told } = await start()
    const room = contractChannels.room({ room: "1" })
    const [slow, reader] = [await connect(server, "slow"), await connect(server, "reader")]
    for (const socket of [slow, reader]) await socket.emitWithAck("subscribe", room.name, null)
    let received = 0
    reader.on("messages", (messages: unknown[]) => {
      received += messages.length
    })
    wireOf(slow).pause()
    const text = "x".repeat(30_000)
    let published = 0
    await waitFor(async () => {
      await (server.realtime as ContractRealtime).publish(room, "said", { text })
      published += 1
      return told.some((line) => line.includes("bytes waited for it to read"))
    })
    await waitFor(() => server.http.listening && received === published)
    wireOf(slow).resume()
    await waitFor(() => !slow.connected)
    expect(reader.connected).toBe(true)
    reader.disconnect()
    await server.close()
  })

  it("turns away an address that connects too often, and nobody else", async () => {
    const asked: string[] = []
    const { server } = await start(async (address) => {
      asked.push(address)
      if (address === "192.0.2.66") throw new RealtimeError("rate-limited", { message: "too often" })
    })
    // The test is a proxy on this machine, whose word on the address is taken.
    const refused = await connect(server, "mallory", { "x-forwarded-for": "192.0.2.66" })
    await once(refused as never, "connect_error")
    const admitted = await connect(server, "alice", { "x-forwarded-for": "10.9.9.9, 192.0.2.7" })
    await once(admitted as never, "connect")
    expect(asked).toEqual(["192.0.2.66", "192.0.2.7"])
    admitted.disconnect()
    await server.close()
  })

  it("says once of each reason that nobody can be let in, however many try, and whatever strangers made it say before", async () => {
    const { server, told } = await start(async (address) => {
      const isFew = address.startsWith("192.0.2.")
      if (isFew) throw new RealtimeError("rate-limited", { message: "too often" })
      throw new Error("the counter is away")
    })
    const refuse = async (address: string) =>
      once((await connect(server, "mallory", { "x-forwarded-for": address })) as never, "connect_error")
    for (let host = 1; host <= 25; host += 1) await refuse(`192.0.2.${host}`)
    for (let time = 0; time < 3; time += 1) await refuse("198.51.100.1")
    expect(told.filter((line) => line.includes("the counter is away"))).toHaveLength(1)
    await server.close()
  })

  it.each([
    ["", "no session"],
    ["&sid=", "an empty one"],
    ["&sid=x&sid=", "two, the last of which is empty"],
  ])("asks before each handshake: %j names %s", async (query) => {
    let asked = 0
    const { server, told } = await start(async () => {
      asked += 1
      throw new RealtimeError("rate-limited", { message: "too often" })
    })
    const knock = () => fetch(`${server.url}/socket.io/?EIO=4&transport=polling${query}`)
    for (const response of [await knock(), await knock()]) {
      expect(response.status).toBe(403)
      expect(await response.json()).toMatchObject({ message: "too many connections from one address" })
    }
    expect(asked).toBe(2)
    expect(told).toEqual([expect.stringContaining("too many connections in a short time")])
    await server.close()
  })

  it("says and logs what keeps it from letting anybody in, where that isn't their number", async () => {
    const { server, told } = await start(async () => {
      throw new Error("the counter is broken")
    })
    const response = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`)
    expect([response.status, await response.json()]).toEqual([
      403,
      expect.objectContaining({ message: "unable to let anybody in" }),
    ])
    expect(told).toEqual([expect.stringContaining("the counter is broken")])
    await server.close()
  })

  it("holds so many connections of one address, and so many of all", async () => {
    const { server } = await start(undefined, { maxConnections: 3, maxConnectionsPerAddress: 2 })
    const [here, there] = ["192.0.2.1", "2001:db8::1"].map((address) => ({ "x-forwarded-for": address }))
    const arrive = async (headers = here) => {
      const socket = await connect(server, "alice", headers)
      const isIn = await new Promise<boolean>((resolve) => {
        socket.on("connect", () => resolve(true))
        socket.on("connect_error", () => resolve(false))
      })
      return { socket, isIn }
    }
    /** What a page is told that asks by the transport which can. */
    const refusal = async (headers: typeof here) => {
      const response = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`, {
        headers: { ...headers },
      })
      return [response.status, ((await response.json()) as { message: string }).message]
    }
    const arrived = [await arrive(), await arrive(), await arrive(), await arrive(there)]
    expect(arrived.map(({ isIn }) => isIn)).toEqual([true, true, false, true])
    expect(await refusal(there)).toEqual([403, "too many connections"])
    arrived[3]?.socket.disconnect()
    await waitFor(async () => (await arrive(there)).isIn)
    arrived[0]?.socket.disconnect()
    await waitFor(async () => (await arrive()).isIn)
    // The same network of 64 bits counts as one address.
    arrived[1]?.socket.disconnect()
    await waitFor(async () => (await arrive({ "x-forwarded-for": "2001:db8::2" })).isIn)
    expect(await refusal({ "x-forwarded-for": "2001:db8::3" })).toEqual([403, "too many connections"])
    await server.close()
  })
})
