import { once } from "node:events"
import { connect } from "node:net"
import fc from "fast-check"
import { WebSocket } from "ws"
import { type Chance, createChance } from "../chance.ts"
import { waitFor } from "../wait-for.ts"
import { anyText, deepText } from "./inputs.ts"

/** How much of it, and which: by default the million of the docs, and always the same. */
export const fuzzRun = {
  inputs: Number(process.env.THROUGHLINE_FUZZ_INPUTS ?? 1_000_000),
  seed: Number(process.env.THROUGHLINE_FUZZ_SEED ?? 1),
}

/** What may stay in the heap of any number of inputs, in bytes. */
const maxGrowth = 16 * 1024 * 1024

/** Addresses that lead nowhere, or that a parser stumbles over. */
export const oddAddresses = [
  "/",
  "//",
  "*",
  "/%",
  "/%E0%A4%A",
  "/%00",
  "/__proto__",
  "http://[",
  "/?%E0%A4%A",
]

/**
 * One connection's worth of bytes: each part is sent once the answer to the one
 * before it holds what it waits for.
 */
export interface Exchange {
  /** How many inputs are in it. */
  inputs: number
  parts: { bytes: Buffer; after?: string }[]
}

export interface ListenerOptions {
  /** What the figures are of. */
  name: string
  port: number
  /** Where a program that was started with `--inspect=127.0.0.1:0` says how it is looked into. */
  inspector: string
  /** Makes what a stranger sends over one connection. */
  invent(chance: Chance): Exchange | Promise<Exchange>
  /** Rejects if others aren't served any more. */
  expectAlive(): Promise<void>
}

/** At once; each waits for the other side most of the time. */
const lanes = 12
/** Longer than anything takes on a busy machine. */
const patienceMs = 60_000
/** Of these, what is made once stays: compiled code, caches that have bounds, full pools. */
const warmUpShare = 0.1

/**
 * Sends as many inputs as `fuzzRun` says to a program's port as raw bytes, over many connections, and prints
 * the figures. Rejects when it hangs, no longer serves others, or keeps too much of what they sent.
 */
export async function fuzzListener(options: ListenerOptions): Promise<void> {
  const { name, port, invent, expectAlive } = options
  const { inputs, seed } = fuzzRun
  await using heap = await openHeap(options.inspector)
  const chance = createChance(seed)
  let sent = 0

  async function sendUntil(total: number) {
    const lane = async () => {
      while (sent < total) {
        const exchange = await invent(chance)
        sent += exchange.inputs
        await take(port, exchange)
      }
    }
    await Promise.all(Array.from({ length: lanes }, lane))
    await expectAlive()
  }

  await sendUntil(inputs * warmUpShare)
  const heapBefore = await heap.settled()
  const began = performance.now()
  const warmUp = sent
  for (let step = 1; step <= 10; step += 1)
    await sendUntil(inputs * (warmUpShare + (step / 10) * (1 - warmUpShare)))
  const seconds = Math.max(1, Math.round((performance.now() - began) / 1000))
  const heapAfter = await heap.settled()
  // After a forced collection, once what is forgotten after a while had its
  // time; the first tenth warms it up.
  console.log(name, {
    ...{ seed, inputs: sent, seconds, perSecond: Math.round((sent - warmUp) / seconds) },
    ...{ heapBefore, heapAfter },
  })
  if (heapAfter - heapBefore > maxGrowth)
    throw new Error(`${name} keeps ${heapAfter - heapBefore} bytes of what strangers sent`)
}

/** Resolves when the connection has ended, whoever ended it. */
async function take(port: number, { parts }: Exchange): Promise<void> {
  const socket = connect(port, "127.0.0.1")
  let answer = ""
  let next = 0
  const send = () => {
    for (; next < parts.length; next += 1) {
      const part = parts[next]
      if (!part || (part.after !== undefined && !answer.includes(part.after))) return
      answer = ""
      socket.write(part.bytes)
    }
    socket.end()
  }
  socket.on("connect", send)
  socket.on("data", (chunk: Buffer) => {
    if (next >= parts.length) return
    answer += chunk.toString("latin1")
    send()
  })
  socket.on("error", () => {})
  let isLate = false
  const limit = setTimeout(() => {
    isLate = true
    socket.destroy()
  }, patienceMs)
  await once(socket, "close").catch(() => {})
  clearTimeout(limit)
  if (isLate)
    throw new Error(
      `a connection hangs after part ${next} of ${parts.length}: ${parts.map(({ bytes }) => JSON.stringify(bytes.toString("latin1").slice(0, 2_000))).join(", ")}`,
    )
}

/**
 * What stays in the heap of a program that runs, asked by the inspector's protocol:
 * the program is the one that ships.
 */
async function openHeap(address: string) {
  const socket = new WebSocket(address)
  await once(socket, "open")
  let lastId = 0
  const ask = async (method: string) => {
    lastId += 1
    const id = lastId
    const answered = new Promise<{ usedSize: number }>((resolve) =>
      socket.on("message", function listen(data: Buffer) {
        const message = JSON.parse(data.toString())
        if (message.id !== id) return
        socket.off("message", listen)
        resolve(message.result)
      }),
    )
    socket.send(JSON.stringify({ id, method }))
    return answered
  }
  const used = async () => {
    await ask("HeapProfiler.collectGarbage")
    return (await ask("Runtime.getHeapUsage")).usedSize
  }
  return {
    /** Once no more is let go: connections, sessions and windows end by themselves. */
    async settled() {
      let last = await used()
      for (let calm = 0; calm < 4; ) {
        await new Promise((resolve) => setTimeout(resolve, 5_000))
        const now = await used()
        calm = now < last - 512 * 1024 ? 0 : calm + 1
        last = Math.min(last, now)
      }
      return last
    },
    async [Symbol.asyncDispose]() {
      socket.terminate()
    },
  }
}

/** The address that a program started with `--inspect=127.0.0.1:0` writes. */
export async function inspectorOf(output: { text: string }): Promise<string> {
  return waitFor(() => /Debugger listening on (ws:\S+)/.exec(output.text)?.[1], "the inspector")
}

/** Texts of a kind, digits of them changed; once in a while one that is far too long or deep. */
export function createTexts(seed: number, sane: fc.Arbitrary<unknown>): (chance: Chance) => Buffer {
  const sample = <T>(arbitrary: fc.Arbitrary<T>, numRuns: number) => fc.sample(arbitrary, { seed, numRuns })
  const bytesOf = (value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(String(value))
  const pool = sample(sane, 8_000)
    .map(bytesOf)
    .filter(({ byteLength }) => byteLength < 4_000)
  return (chance) => {
    const text = Buffer.from(chance.pick(pool))
    // What it begins with says what it is.
    for (let at = 4; at < text.length; at += 1) {
      const isDigit = (text[at] ?? 0) >= 0x30 && (text[at] ?? 0) <= 0x39
      if (isDigit && chance.happens(0.2)) text[at] = chance.between(0x31, 0x39)
    }
    return text
  }
}

/** What is no text of any kind, or one that is too long or too deep for all of them. */
export function createNonsense(seed: number): (chance: Chance) => Buffer {
  const texts = fc.sample(anyText, { seed, numRuns: 2_000 }).filter((text) => text.length < 4_000)
  const bombs = [
    ...fc.sample(deepText, { seed, numRuns: 10 }),
    ...[60, 64, 65, 99, 101, 4_380].map((depth) => "[".repeat(depth) + "]".repeat(depth)),
    ...[1_000, 10_241, 65_537, 300_000, 1_000_000].map((length) => "x".repeat(length)),
    '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
  ]
  return (chance) => Buffer.from(chance.pick(chance.happens(0.02) ? bombs : texts))
}

const oddities = [
  "\0",
  "\xff\xfe",
  "\r\n",
  "\r\n\r\n",
  "[",
  "{",
  '"',
  "\\u0000",
  "%",
  "1e999",
  "-1",
  "__proto__",
  "constructor",
]

/** Bytes changed, left out, said twice or put in. */
export function damaged(chance: Chance, bytes: Buffer): Buffer<ArrayBuffer> {
  const at = chance.between(0, bytes.length)
  const to = Math.min(bytes.length, at + chance.between(0, 8))
  const [before, middle, after] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)]
  switch (chance.between(0, 3)) {
    case 0:
      return Buffer.concat([before, Buffer.from(middle.map(() => chance.between(0, 255))), after])
    case 1:
      return Buffer.concat([before, after])
    case 2:
      return Buffer.concat([before, middle, middle, after])
    default:
      return Buffer.concat([before, Buffer.from(chance.pick(oddities), "latin1"), middle, after])
  }
}

/** A client's frame as RFC 6455 has it; the mask is zero, which is one. */
export function frameOf(payload: Buffer, opcode: number): Buffer {
  const { length } = payload
  const head =
    length < 126
      ? Buffer.from([0x80 | opcode, 0x80 | length])
      : length < 65_536
        ? Buffer.from([0x80 | opcode, 0xfe, length >> 8, length & 0xff])
        : Buffer.from([
            0x80 | opcode,
            0xff,
            0,
            0,
            0,
            0,
            ...new Uint8Array(new Uint32Array([length]).buffer).reverse(),
          ])
  return Buffer.concat([head, Buffer.alloc(4), payload])
}

export const closing = frameOf(Buffer.from([0x03, 0xe8]), 8)

/**
 * What no client sends: reserved opcodes and bits, lengths beyond any, frames without a mask,
 * fragments of nothing, half a header.
 */
export const badFrames = [
  ...[0x83, 0x8b, 0x8f, 0xc1, 0xf1, 0x00, 0x80].map((first) => Buffer.from([first, 0x80, 0, 0, 0, 0])),
  Buffer.from([0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
  Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
  Buffer.from([0x81, 0x02, 0x68, 0x69]),
  Buffer.from([0x89, 0xfe, 0x01, 0x00, 0, 0, 0, 0]),
  Buffer.from([0x81]),
  frameOf(Buffer.from([0xff, 0xfe, 0xc0]), 1),
  frameOf(Buffer.from([0x03]), 8),
  frameOf(Buffer.from([0xff, 0xff]), 8),
]

export const upgradeTo = (address: string, headers = "") =>
  Buffer.from(
    `GET ${address} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${headers}\r\n`,
  )

interface Payload {
  bytes: Buffer
  opcode?: number
}

/**
 * A WebSocket on which many frames are sent; what may end it comes last, or all that follows would go unread.
 */
export function inventFrames(
  chance: Chance,
  hello: Exchange["parts"],
  { lasting, last }: { lasting: (chance: Chance) => Payload; last: (chance: Chance) => Payload },
): Exchange {
  const count = chance.between(10, 120)
  const frames = Array.from({ length: count }, (_, index) => {
    const { bytes, opcode = 1 } = index === count - 1 ? last(chance) : lasting(chance)
    return frameOf(bytes, opcode)
  })
  if (chance.happens(0.3)) frames.push(chance.pick(badFrames))
  return {
    inputs: frames.length + 1,
    parts: [...hello, { bytes: Buffer.concat([...frames, closing]) }],
  }
}

export interface Requests {
  methods: readonly string[]
  addresses: readonly string[]
  /** Lines that some of them have, each with its line end; of a function, another one each time. */
  headers: readonly (string | ((chance: Chance) => string))[]
  body(chance: Chance): Buffer
}

const requestBreakers = [
  "GET / HTTP/9.9\r\n\r\n",
  "\0\0\0\r\n\r\n",
  "GET\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
  "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\nBad Header: 1\r\n\r\n",
  `GET / HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
  `GET /${"x".repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: x\r\n${"X: y\r\n".repeat(3_000)}\r\n`,
  "GET / HTTP/1.1\r\n\r\n",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
].map((text) => Buffer.from(text, "latin1"))

const goodbye = Buffer.from("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

/** Many requests in a row on one connection, the last of them perhaps none. */
export function inventRequests(chance: Chance, { methods, addresses, headers, body }: Requests): Exchange {
  const count = chance.between(5, 40)
  const all = Array.from({ length: count }, () => {
    const address = chance.pick(addresses)
    const line = chance.happens(0.2)
      ? damaged(chance, Buffer.from(address))
          .toString("latin1")
          .replace(/[\s\0-\x20\x7f-\xff]/g, "~")
      : address
    const content = chance.happens(0.5) ? body(chance) : Buffer.alloc(0)
    const lines =
      `${chance.pick(methods)} ${line || "/"} HTTP/1.1\r\nHost: x\r\n` +
      headers
        .filter(() => chance.happens(0.3))
        .map((header) => (typeof header === "string" ? header : header(chance)))
        .join("") +
      `Content-Length: ${content.length}\r\n\r\n`
    return Buffer.concat([Buffer.from(lines, "latin1"), content])
  })
  const [first = goodbye] = all
  all.push(
    chance.happens(0.5)
      ? goodbye
      : chance.happens(0.7)
        ? chance.pick(requestBreakers)
        : damaged(chance, first),
  )
  return { inputs: all.length, parts: [{ bytes: Buffer.concat(all) }] }
}
