import { once } from "node:events"
import { connect, type Socket } from "node:net"
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
 * One connection's worth of inputs: sends them to a port, and resolves with how many of them the program has
 * read.
 */
export type Exchange = (port: number) => Promise<number>

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
const patienceMs = 600_000
/** Of these, what is made once stays: compiled code, caches that have bounds, full pools. */
const warmUpShare = 0.1

/**
 * Sends inputs to a program's port as raw bytes, over many connections, until it has read as many as
 * `fuzzRun` says, and prints the figures. What follows on a connection that the program ended doesn't count.
 * Rejects when the program hangs, no longer serves others, or keeps too much of what they sent.
 */
export async function fuzzListener(options: ListenerOptions): Promise<void> {
  const { name, port, invent, expectAlive } = options
  const { inputs, seed } = fuzzRun
  await using heap = await openHeap(options.inspector)
  const chance = createChance(seed)
  let read = 0

  async function sendUntil(total: number) {
    const lane = async () => {
      while (read < total) {
        const exchange = await invent(chance)
        const inputs = await exchange(port)
        read += inputs
      }
    }
    await Promise.all(Array.from({ length: lanes }, lane))
    await expectAlive()
  }

  await sendUntil(inputs * warmUpShare)
  const heapBefore = await heap.settled()
  const began = performance.now()
  const warmUp = read
  for (let step = 1; step <= 10; step += 1)
    await sendUntil(inputs * (warmUpShare + (step / 10) * (1 - warmUpShare)))
  const seconds = Math.max(1, Math.round((performance.now() - began) / 1000))
  const heapAfter = await heap.settled()
  // After a forced collection, once what is forgotten after a while had its
  // time; the first tenth warms it up.
  console.log(name, {
    ...{ seed, inputs: read, seconds, perSecond: Math.round((read - warmUp) / seconds) },
    ...{ heapBefore, heapAfter },
  })
  if (heapAfter - heapBefore > maxGrowth)
    throw new Error(`${name} keeps ${heapAfter - heapBefore} bytes of what strangers sent`)
}

interface Talk {
  begin(socket: Socket): void
  hear(text: string, socket: Socket): void
  /** What was sent, for the error of a connection that hangs. */
  sent(): Buffer[]
}

/** Resolves when the connection has ended, whoever ended it. */
async function talk(port: number, { begin, hear, sent }: Talk): Promise<void> {
  const socket = connect(port, "127.0.0.1", () => begin(socket))
  let isLate = false
  const limit = setTimeout(() => {
    isLate = true
    socket.destroy()
  }, patienceMs)
  socket.on("data", (chunk: Buffer) => {
    hear(chunk.toString("latin1"), socket)
  })
  socket.on("error", () => {})
  await once(socket, "close").catch(() => {})
  clearTimeout(limit)
  const shown = () => sent().map((bytes) => JSON.stringify(bytes.toString("latin1").slice(0, 2_000)))
  if (isLate) throw new Error(`a connection hangs after ${shown().join(", ")}`)
}

interface Part {
  /** Of a function, by the answer so far. */
  bytes: Buffer | ((answer: string) => Buffer)
  /** How many inputs are in it. Default none. */
  inputs?: number
  /** What the answer to the part before has in it; until it does, this one waits. */
  after?: string
}

/** Whether the last that was heard is a WebSocket's close, by its length. */
const endsInClose = (heard: string) =>
  [...heard.matchAll(/\x88/g)].some(({ index }) => index + 2 + heard.charCodeAt(index + 1) === heard.length)

/**
 * Sends each part once the one before is answered. What is answered has been read, and so has the last, which
 * ends the connection.
 */
export const inParts =
  (parts: readonly Part[]): Exchange =>
  async (port) => {
    const sent: Buffer[] = []
    let answer = ""
    let next = 0
    const send = (socket: Socket) => {
      for (; next < parts.length; next += 1) {
        const part = parts[next]
        if (!part || (part.after !== undefined && !answer.includes(part.after))) return
        const bytes = typeof part.bytes === "function" ? part.bytes(answer) : part.bytes
        answer = ""
        sent.push(bytes)
        socket.write(bytes)
      }
      socket.end()
    }
    await talk(port, {
      begin: send,
      hear(text, socket) {
        if (next === parts.length) return
        answer += text
        const isClosed = endsInClose(answer)
        send(socket)
        // A program that has closed would wait half a minute for the close of the other side.
        if (isClosed) socket.end()
        // What is waited for may come in two pieces.
        answer = answer.slice(-100)
      },
      sent: () => sent,
    })
    const read = next === parts.length ? parts : parts.slice(0, Math.max(0, next - 1))
    return read.reduce((sum, { inputs = 0 }) => sum + inputs, 0)
  }

/** An answer's first line, but for those that only say that one may go on. */
const statusLine = /HTTP\/1\.1 [2-5]\d\d /g

/**
 * Sends the requests of each row without waiting, and the next row once these are answered. What follows one
 * after which the program ended the connection has not been read, and is sent over another. The end is said
 * with the last row only: Node gives up what is still asked for by somebody who has said it.
 */
const inRows =
  (rows: readonly (readonly Buffer[])[]): Exchange =>
  async (port) => {
    for (let left = rows; left.length > 0; ) {
      let at = 0
      let answers = 0
      let tail = ""
      const send = (socket: Socket) => {
        socket.write(Buffer.concat(left[at] ?? []))
        if (at === left.length - 1) socket.end()
      }
      await talk(port, {
        begin: send,
        hear(text, socket) {
          const heard = tail + text
          answers += heard.match(statusLine)?.length ?? 0
          tail = heard.slice(-("HTTP/1.1 200 ".length - 1))
          const asked = left[at]?.length ?? 0
          if (answers < asked || at === left.length - 1) return
          answers -= asked
          at += 1
          send(socket)
        },
        sent: () => left.slice(0, at + 1).flat(),
      })
      const [cut = [], ...others] = left.slice(at)
      // One that ends its connection without an answer is known by being the first there.
      const unread = cut.slice(at === 0 ? Math.max(1, answers) : answers)
      left = unread.length > 0 ? [unread, ...others] : others
    }
    return rows.flat().length
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

/**
 * Texts of a kind, digits of them changed but for those of the first few bytes, which say what kind it is.
 */
export function createTexts(seed: number, sane: fc.Arbitrary<unknown>, kept = 4): (chance: Chance) => Buffer {
  const sample = <T>(arbitrary: fc.Arbitrary<T>, numRuns: number) => fc.sample(arbitrary, { seed, numRuns })
  const bytesOf = (value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(String(value))
  const pool = sample(sane, 8_000)
    .map(bytesOf)
    .filter(({ byteLength }) => byteLength < 4_000)
  return (chance) => {
    const text = Buffer.from(chance.pick(pool))
    for (let at = kept; at < text.length; at += 1) {
      const isDigit = (text[at] ?? 0) >= 0x30 && (text[at] ?? 0) <= 0x39
      if (isDigit && chance.happens(0.2)) text[at] = chance.between(0x31, 0x39)
    }
    return text
  }
}

/** A text around ever more levels: what is read easily, and hard to write again. */
export const deepBetween = (before: string, after: string): Buffer[] =>
  [60, 64, 65, 99, 101, 1_000, 4_380, 100_000].flatMap((depth) =>
    [
      ["[", "]"],
      ['{"a":', "}"],
    ].map(([open = "", close = ""]) =>
      Buffer.from(`${before}${open.repeat(depth)}1${close.repeat(depth)}${after}`),
    ),
  )

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

export interface Frames {
  /** What opens the connection. */
  hello: readonly Part[]
  lasting(chance: Chance): Payload
  /** Answered by `sign`, and so the proof that all before it was read. */
  question: Buffer
  sign: string
  last(chance: Chance): Payload
}

/**
 * A WebSocket on which many frames are sent; what may end it comes last, or all that follows would go unread.
 */
export function inventFrames(chance: Chance, { hello, lasting, question, sign, last }: Frames): Exchange {
  const framed = ({ bytes, opcode = 1 }: Payload) => frameOf(bytes, opcode)
  const frames = Array.from({ length: chance.between(10, 120) }, () => framed(lasting(chance)))
  const end = [framed(last(chance)), ...(chance.happens(0.3) ? [chance.pick(badFrames)] : [])]
  return inParts([
    ...hello,
    { bytes: Buffer.concat([...frames, framed({ bytes: question })]), inputs: frames.length },
    { bytes: Buffer.concat([...end, closing]), inputs: end.length, after: sign },
  ])
}

export interface Requests {
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
  ...[9, 99_999_999, 2 ** 32, 2 ** 53].map(
    (length) => `POST /api/realtime/publish HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n{`,
  ),
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

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]

/**
 * Many requests in a row on one connection. What may end it comes later, or whatever isn't answered by then
 * would be given up with it.
 */
export function inventRequests(chance: Chance, { addresses, headers, body }: Requests): Exchange {
  const request = (method: string, address: string) => {
    const content = chance.happens(0.5) ? body(chance) : Buffer.alloc(0)
    const lines =
      `${method} ${address} HTTP/1.1\r\nHost: x\r\n` +
      headers
        .filter(() => chance.happens(0.3))
        .map((header) => (typeof header === "string" ? header : header(chance)))
        .join("") +
      `Content-Length: ${content.length}\r\n\r\n`
    return Buffer.concat([Buffer.from(lines, "latin1"), content])
  }
  // What doesn't begin as a path does is no request to Node.
  const nearly = (address: string) =>
    `/${damaged(chance, Buffer.from(address.slice(1)))
      .toString("latin1")
      .replace(/[\s\0-\x20\x7f-\xff]/g, "~")}`
  const row = Array.from({ length: chance.between(5, 40) }, () => {
    const address = chance.pick(addresses)
    return request(chance.pick(methods), chance.happens(0.2) ? nearly(address) : address)
  })
  const [first = goodbye] = row
  const odd = () =>
    chance.happens(0.3)
      ? request("TRACE", chance.pick(addresses))
      : request(chance.pick(methods), chance.pick(oddAddresses))
  const broken = () => (chance.happens(0.7) ? chance.pick(requestBreakers) : damaged(chance, first))
  return inRows([row, ...(chance.happens(0.5) ? [[odd()]] : []), [chance.happens(0.5) ? goodbye : broken()]])
}
