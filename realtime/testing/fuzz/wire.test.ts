import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { expect, it } from "vitest"
import { type WebSocket, WebSocketServer } from "ws"
import { createChance } from "../chance.ts"
import { inventFrames, inventRequests, upgradeTo } from "./wire.ts"

it("what follows a request that ended the connection is sent again, and all is read whole", async () => {
  const read = new Set<string>()
  let requests = 0
  const server = createServer(async (request, response) => {
    requests += 1
    const isLast = requests % 4 === 0
    // Later than the end of what the other side says, were that said at once.
    await new Promise((resolve) => setTimeout(resolve, 5))
    try {
      read.add((await request.toArray()).join(""))
    } catch {
      return
    }
    response.writeHead(200, isLast ? { Connection: "close" } : {}).end()
  })
  await once(server.listen(0, "127.0.0.1"), "listening")
  const { port } = server.address() as AddressInfo
  for (const seed of [1, 2, 3]) {
    read.clear()
    const bodies: string[] = []
    const exchange = inventRequests(createChance(seed), {
      ...{ addresses: ["/a"], headers: [] },
      body() {
        bodies.push(`body ${bodies.length}`)
        return Buffer.from(bodies.at(-1) ?? "")
      },
    })
    expect(await exchange(port)).toBeGreaterThan(bodies.length)
    // The last two may be no requests.
    expect(bodies.slice(0, -2).filter((body) => !read.has(body))).toEqual([])
  }
  server.close()
})

it("frames count once it is known that they were read", { timeout: 20_000 }, async () => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" })
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  let toRead = Number.POSITIVE_INFINITY
  let end = (socket: WebSocket) => socket.terminate()
  let read = 0
  server.on("connection", (socket) => {
    socket.on("message", (data) => {
      if (read >= toRead) return end(socket)
      if (data.toString() === "question") return socket.send("the sign")
      read += 1
    })
    socket.on("error", () => {})
  })
  const send = () =>
    inventFrames(createChance(1), {
      hello: [
        { bytes: upgradeTo("/"), inputs: 1 },
        { bytes: Buffer.alloc(0), after: "\r\n\r\n" },
      ],
      ...{ question: Buffer.from("question"), sign: "the sign" },
      lasting: () => ({ bytes: Buffer.from("lasting") }),
      last: () => ({ bytes: Buffer.from("last") }),
    })(port)
  const counted = await send()
  expect(read).toBeGreaterThan(10)
  expect([read + 1, read + 2]).toContain(counted)
  toRead = read + 3
  expect(await send()).toBe(1)
  // The other side would be waited for for half a minute.
  toRead = read + 3
  end = (socket) => socket.close(1008, "enough")
  expect(await send()).toBe(1)
  // Together with what was waited for, too.
  server.on("connection", (socket) => socket.close(1008, "nobody"))
  expect(await send()).toBe(1)
  for (const client of server.clients) client.terminate()
  server.close()
})
