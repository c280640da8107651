import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import { sendMuch } from "../realtime/testing/send-much.ts"
import { startAblyEmulator } from "./ably/index.ts"
import { startPusherEmulator } from "./pusher/index.ts"
import { createTestCertificate } from "./test-certificate.ts"

type Options = { tls?: { key: string; cert: string } }

const emulators = [
  {
    name: "Pusher's",
    start: async (options: Options = {}) => {
      const emulator = await startPusherEmulator(options)
      return Object.assign(emulator, { socketAt: "/app/app-key?protocol=7" })
    },
    // The vendor tells a path that is none by the close code.
    elsewhere: 101,
    publishAt: "/apps/1/events",
    maxBytes: 4 * 1024 * 1024,
  },
  {
    name: "Ably's",
    start: async (options: Options = {}) => {
      const emulator = await startAblyEmulator(options)
      return Object.assign(emulator, { socketAt: `/?key=${emulator.key}&v=2` })
    },
    elsewhere: 404,
    publishAt: "/channels/room/messages",
    maxBytes: 16 * 1024 * 1024,
  },
]

/** Sends bytes as they are; resolves with all that is answered, once the server has ended the connection. */
async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1")
  let answer = ""
  socket.on("data", (chunk) => {
    answer += chunk.toString("latin1")
  })
  socket.write(bytes)
  await once(socket, "close")
  return answer
}

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])
const ask = (method: string, address: string) =>
  `${method} ${address} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`
const upgrade = (address: string, protocol = "websocket") =>
  `GET ${address} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n` +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"

const addresses = [
  ...["*", "//", "///", "/\\", "/%", "/%E0%A4%A", "/%00", "nowhere", "http://[", "http://x/", "/?%E0%A4%A"],
  ...["/comet/%E0%A4%A/recv", "/channels/%E0%A4%A/messages", "/apps/%E0%A4%A/events", "/apps/1/channels/%"],
  ...["/__emulator/%", "/__emulator/faults/%E0%A4%A", "/app/%E0%A4%A", "/__proto__", "/__emulator/toString"],
]

const deep = (depth: number) => "[".repeat(depth) + "]".repeat(depth)
const frames: (string | Buffer)[] = [
  ...[
    "",
    "{",
    "null",
    "1",
    '"x"',
    "[]",
    "[[]]",
    "{}",
    '{"action":15}',
    '{"event":7}',
    '{"event":"client-x"}',
  ],
  ...['{"event":"pusher:subscribe","data":null}', '{"event":"pusher:subscribe","data":{"channel":{}}}'],
  ...['{"action":"MESSAGE","channel":{}}', '{"action":15,"channel":"a","messages":"x"}', '{"__proto__":1}'],
  ...[deep(50_000), `{"event":"pusher:subscribe","data":${deep(50_000)}}`],
  ...[`{"event":"client-x","channel":"a","data":${deep(50_000)}}`],
  ...[`{"action":15,"msgSerial":0,"channel":"a","messages":[{"data":${deep(50_000)}}]}`],
  ...[Buffer.alloc(0), Buffer.from([0xc1, 0xff]), Buffer.from([0x81])],
]

/** A client whose first frame is answered as the service greets. */
async function expectAlive({ url, socketAt }: { url: string; socketAt: string }) {
  const socket = new WebSocket(url.replace("http", "ws") + socketAt)
  await once(socket, "message")
  socket.close()
  await once(socket, "close")
}

describe.each(emulators)("$name port", ({ start, elsewhere, publishAt, maxBytes }) => {
  it("answers every address, and goes on", async () => {
    await using emulator = await start()
    for (const address of addresses) {
      for (const method of ["GET", "OPTIONS", "POST", "DELETE"]) {
        const status = statusOf(await exchange(emulator.port, ask(method, address)))
        expect([method, address, status >= 200 && status < 500]).toEqual([method, address, true])
      }
    }
    await expectAlive(emulator)
  })

  it("has an owner for every upgrade, or ends it", async () => {
    await using emulator = await start()
    for (const address of addresses) {
      expect([101, 400, 404]).toContain(await statusOfUpgrade(emulator.port, upgrade(address)))
      const other = await exchange(emulator.port, upgrade(address, "h2c"))
      expect([400, 404]).toContain(statusOf(other))
    }
    expect(await statusOfUpgrade(emulator.port, upgrade("/elsewhere"))).toBe(elsewhere)
    await expectAlive(emulator)
  })

  it("survives every frame, with somebody who watches", async () => {
    await using emulator = await start()
    const watched = await fetch(`${emulator.url}/__emulator/events`)
    const reader = watched.body?.pipeThrough(new TextDecoderStream()).getReader()
    for (const frame of frames) {
      const socket = new WebSocket(emulator.url.replace("http", "ws") + emulator.socketAt)
      await once(socket, "message")
      socket.on("error", () => {})
      socket.send(frame)
      socket.close()
      await once(socket, "close")
    }
    await expectAlive(emulator)
    let seen = ""
    // What is watched has been read out, the last of it too.
    await fetch(`${emulator.url}/the-last-one`)
    while (!seen.includes("/the-last-one")) seen += (await reader?.read())?.value ?? expect.fail("it ended")
    await reader?.cancel()
  })

  it("reads no more of a body than may be, answers 413 and ends", async () => {
    await using emulator = await start()
    const { answer, sent } = await sendMuch(emulator.port, publishAt)
    expect(statusOf(answer)).toBe(413)
    // What both kernels hold of a connection, besides.
    expect(sent).toBeLessThan(maxBytes + 16 * 1024 * 1024)
    await expectAlive(emulator)
  })

  it("closes at once, whoever holds a connection", async () => {
    const plain = await start()
    const secure = await start({ tls: createTestCertificate() })
    const held = [
      ...["", "GET / HTTP/1.1\r\nHost: x\r\n", upgrade(plain.socketAt), upgrade("/"), upgrade("/elsewhere")],
      ...["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n", ask("GET", "/__emulator/events")],
    ].map((bytes) => hold(plain.port, bytes))
    // Half of a handshake.
    held.push(hold(secure.port, "\x16\x03\x01\x02\x00"))
    await Promise.all(held.map(({ socket }) => once(socket, "connect")))
    expect(statusOf(await exchange(plain.port, ask("GET", "/")))).toBeGreaterThan(0)
    await Promise.all([plain.close(), secure.close()])
    await Promise.all(held.map(({ ended }) => ended))
    // And again, as whoever disposes of it does.
    await plain.close()
  })
})

/** A connection that its client neither uses nor ends. */
function hold(port: number, bytes: string): { socket: Socket; ended: Promise<unknown> } {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true })
  socket.on("error", () => {})
  socket.resume()
  socket.write(bytes, "latin1")
  return { socket, ended: new Promise((resolve) => socket.once("end", resolve).once("close", resolve)) }
}

/** Of a WebSocket that isn't one, once it has been ended; of one that is, at once. */
async function statusOfUpgrade(port: number, bytes: string): Promise<number> {
  const socket = connect(port, "127.0.0.1")
  socket.write(bytes)
  const [chunk] = (await once(socket, "data")) as [Buffer]
  const status = statusOf(chunk.toString("latin1"))
  if (status === 101) socket.destroy()
  else await once(socket, "close")
  return status
}
