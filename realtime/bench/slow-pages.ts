import { once } from "node:events"
import { type AddressInfo, connect, createServer } from "node:net"
import { io } from "socket.io-client"
import { answerMeter } from "./meter.ts"
import { bench, keys, toldPerSecond } from "./state-channel.ts"

/** Pages that watch a server's state and read 1 kB a second: its address, a ticket, and how many. */
const [url = "", ticket = "", count = "0"] = process.argv.slice(2)
const bytesPerSecond = 1_000

async function startNarrowWay(to: string): Promise<string> {
  const { hostname, port } = new URL(to)
  const server = createServer((page) => {
    const target = connect(Number(port), hostname)
    // They end with the process, or with the server.
    for (const socket of [page, target]) socket.on("error", () => {})
    page.pipe(target)
    let allowed = 0
    const timer = setInterval(() => {
      allowed += bytesPerSecond / 10
      const taken = target.read(Math.min(Math.floor(allowed), target.readableLength)) as Buffer | null
      allowed = Math.min(bytesPerSecond, allowed - (taken?.length ?? 0))
      if (taken) page.write(taken)
    }, 100)
    target.on("readable", () => {}).on("close", () => clearInterval(timer))
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const way = await startNarrowWay(url)
for (let page = 0; page < Number(count); page += 1) {
  const socket = io(way, { auth: { ticket }, transports: ["websocket"], forceNew: true })
  await once(socket as never, "connect")
  await socket.emitWithAck("subscribe", bench.name, null)
  await socket.emitWithAck("state", bench.name, { keys, perSecond: toldPerSecond })
}
answerMeter({ url: way, token: "" })
