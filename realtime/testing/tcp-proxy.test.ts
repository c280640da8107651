import { once } from "node:events"
import { type AddressInfo, connect, createServer } from "node:net"
import { setImmediate as turn } from "node:timers/promises"
import { expect, it } from "vitest"
import { startTcpProxy } from "./tcp-proxy.ts"
import { waitFor } from "./wait-for.ts"

/** A server that answers what it hears with the same, behind a wire. */
async function startEcho() {
  const server = createServer((socket) => void socket.on("error", () => {}).pipe(socket))
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const proxy = await startTcpProxy({ host: "127.0.0.1", port: (server.address() as AddressInfo).port })
  return {
    proxy,
    async open() {
      const socket = connect(proxy.port, "127.0.0.1")
      let heard = ""
      socket.on("data", (data) => {
        heard += data
      })
      await once(socket, "connect")
      return { say: (text: string) => socket.write(text), heard: () => heard, socket }
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]()
      server.close()
    },
  }
}

it("holds back what is said during a stall, on what is opened meanwhile as well, and lets it pass in order", async () => {
  await using echo = await startEcho()
  const early = await echo.open()
  early.say("1")
  await waitFor(() => early.heard() === "1")
  const [end, endOfAnother] = [echo.proxy.stall(), echo.proxy.stall()]
  const late = await echo.open()
  early.say("2")
  early.say("3")
  late.say("4")
  end()
  end()
  await turn()
  expect([early.heard(), late.heard()]).toEqual(["1", ""])
  endOfAnother()
  await waitFor(() => early.heard() === "123" && late.heard() === "4")
})

it("lets nothing pass any more on what is frozen, whatever stall ends", async () => {
  await using echo = await startEcho()
  const { say, heard } = await echo.open()
  say("1")
  await waitFor(() => heard() === "1")
  const end = echo.proxy.stall()
  echo.proxy.freeze()
  end()
  say("2")
  const fresh = await echo.open()
  fresh.say("3")
  await waitFor(() => fresh.heard() === "3")
  expect(heard()).toBe("1")
})

it("counts the bytes of both ends, of what is closed as well", async () => {
  await using echo = await startEcho()
  const { say, heard, socket } = await echo.open()
  say("12345")
  await waitFor(() => heard() === "12345")
  expect(echo.proxy.bytes).toBe(10)
  socket.destroy()
  const { say: sayMore, heard: heardMore } = await echo.open()
  sayMore("678")
  await waitFor(() => heardMore() === "678")
  expect(echo.proxy.bytes).toBe(16)
})
