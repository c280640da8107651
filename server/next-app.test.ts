import { once } from "node:events"
import { createServer, type IncomingMessage } from "node:http"
import { type AddressInfo, connect } from "node:net"
import { getCloneableBody } from "next/dist/server/body-streams.js"
import { expect, it } from "vitest"
import { endQuietly } from "./next-app.ts"

/** Resolves once a request whose body has passed Next.js' proxy has closed, its sender having gone; rejects with an uncaught exception. */
async function breakOff(listen: (request: IncomingMessage) => void): Promise<void> {
  const server = createServer()
  await once(server.listen(0, "127.0.0.1"), "listening")
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1")
  client.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
  const [request] = (await once(server, "request")) as [IncomingMessage]
  endQuietly(request)
  const body = getCloneableBody(request)
  body.cloneBodyStream()
  await body.finalize()
  listen(request)
  const closed = new Promise<void>((resolve, reject) => {
    request.once("close", resolve)
    process.once("uncaughtException", reject)
    request.once("close", () => process.off("uncaughtException", reject))
  })
  client.destroy()
  await closed
  server.close()
}

it("a request that is broken off after the proxy read it is no exception of the process", async () => {
  await breakOff(() => {})
})

it("and whoever listens hears of it", async () => {
  const errors: unknown[] = []
  await breakOff((request) => request.on("error", (error) => errors.push(error)))
  expect(errors).toEqual([expect.objectContaining({ code: "ECONNRESET" })])
})
