import type { Socket as NodeSocket } from "node:net"
import type { Socket, Server as SocketIoServer } from "socket.io"

type TcpSocket = Pick<NodeSocket, "write" | "writable" | "writableCorked" | "cork" | "uncork" | "destroy">

/** The part of `ws` that Engine.IO's WebSocket transport holds: public of it is only `readyState`. */
interface WebSocketOf {
  readyState: number
  _socket?: TcpSocket
  /** 0: it writes at once, nothing is being compressed before it. */
  _sender?: { _state?: number }
}

interface TransportOf {
  name: string
  writable: boolean
  perMessageDeflate?: unknown
  socket?: WebSocketOf
}

interface ConnectionOf {
  readyState: string
  transport: TransportOf
  writeBuffer?: readonly unknown[]
}

const open = 1
/** FIN and the opcode of text; RFC 6455, 5.2. */
const finalText = 0x81

/** An unmasked frame of text in one buffer, as a server sends it; `rest`: the bytes that follow the text. */
export function textFrame(text: string, rest?: Buffer): Buffer {
  const textLength = Buffer.byteLength(text)
  const length = textLength + (rest?.length ?? 0)
  const start = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const frame = Buffer.allocUnsafe(start + length)
  frame[0] = finalText
  if (start === 2) frame[1] = length
  else if (start === 4) {
    frame[1] = 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  frame.write(text, start)
  rest?.copy(frame, start + textLength)
  return frame
}

/** Of Engine.IO's protocol, the mark of a message. */
const message = "4"
/**
 * Of Socket.IO's protocol, the packets that carry an event and an answer;
 * https://socket.io/docs/v4/socket-io-protocol
 */
const eventPacket = 2
const ackPacket = 3

/**
 * The TCP socket under a connection on which nothing waits, so that a frame written to it stands in order
 * with all that Socket.IO has sent and will send. Null for long polling, for compression, for a connection
 * that is behind, and for whatever looks different from the releases this was written for.
 */
function tcpSocketOf(socket: Socket): TcpSocket | null {
  const { readyState, transport, writeBuffer } = socket.conn as unknown as ConnectionOf
  if (readyState !== "open" || transport.name !== "websocket") return null
  if (!transport.writable || writeBuffer?.length !== 0 || transport.perMessageDeflate) return null
  const webSocket = transport.socket
  if (webSocket?.readyState !== open || webSocket._sender?._state !== 0) return null
  const tcp = webSocket._socket
  return tcp?.writable === true && typeof tcp.write === "function" ? tcp : null
}

/** Written to in this turn of the event loop: what only events were written to, and what answers were. */
let corked: TcpSocket[] = []
let answered: TcpSocket[] = []

/** Answers leave first: whoever published waits for one, and needn't until everybody has the message. */
function uncorkAll(): void {
  const written = answered.concat(corked)
  corked = []
  answered = []
  for (const tcp of written) {
    try {
      // One that was given several is uncorked at the first.
      if (tcp.writableCorked > 0) tcp.uncork()
    } catch (error) {
      // The others are uncorked all the same.
      tcp.destroy(error as Error)
    }
  }
}

/** What is written to one socket in one turn of the event loop leaves in one system call. */
function write(tcp: TcpSocket, frame: Buffer, isAnswer: boolean): void {
  const isOpen = tcp.writableCorked === 0
  if (isOpen) tcp.cork()
  if (isOpen || isAnswer) {
    // One callback for all of them, not one for each.
    if (corked.length + answered.length === 0) process.nextTick(uncorkAll)
    const written = isAnswer ? answered : corked
    written.push(tcp)
  }
  tcp.write(frame)
}

/**
 * Server: sends one event to many sockets, past the layers of Socket.IO, Engine.IO and `ws` wherever that
 * makes no difference to anybody: those layers cost more than the system call
 * (docs/decisions/2026-11-24-fewer-commits-cheaper-writes.md). Every other socket gets it by
 * `socket.emit`. On both ways it is JSON, as it comes from the log: bytes, too, look as they do there.
 * `onAnyOutgoing` listeners keep a socket on the long way; Engine.IO's `packetCreate`, `flush` and `drain`
 * don't happen on the short one.
 */
export function emitToEach(
  io: SocketIoServer,
  ids: Iterable<string>,
  event: string,
  ...args: unknown[]
): void {
  const json = JSON.stringify([event, ...args])
  const frame = textFrame(`${message}${eventPacket}${json}`)
  let plain: [string, ...unknown[]] | undefined
  const { sockets } = io.sockets
  for (const id of ids) {
    const socket = sockets.get(id)
    if (!socket) continue
    const tcp = socket.listenersAnyOutgoing().length === 0 ? tcpSocketOf(socket) : null
    if (tcp) write(tcp, frame, false)
    else {
      plain ??= JSON.parse(json) as [string, ...unknown[]]
      socket.emit(...plain)
    }
  }
}

/**
 * The ends of answers with pages that were given to somebody, from the page on: the many who return to one
 * place are given the same one.
 */
const endOf = new WeakMap<object, Buffer>()

interface Packet {
  type: number
  data: readonly unknown[]
  id?: number
}

/**
 * The frame of an answer; of one that is nothing but a page, that page is
 * encoded once for all who are given it.
 */
function toAnswerFrame({ id, data }: Packet): Buffer {
  const start = `${message}${ackPacket}${id}`
  const { ok, page, ...rest } = (data[0] ?? {}) as { ok?: unknown; page?: unknown }
  const isPage = ok === true && typeof page === "object" && page !== null && Object.keys(rest).length === 0
  if (!isPage) return textFrame(`${start}${JSON.stringify(data)}`)
  let end = endOf.get(page)
  if (end === undefined) {
    end = Buffer.from(`${JSON.stringify(page)}}]`)
    endOf.set(page, end)
  }
  return textFrame(`${start}[{"ok":true,"page":`, end)
}

/**
 * Server: the answers to a socket's requests, JSON as well, go the same short
 * way, wherever `emitToEach` would.
 */
export function answerDirectly(socket: Socket): void {
  const internals = socket as unknown as { packet?: (packet: Packet, options?: object) => void }
  const send = internals.packet
  if (typeof send !== "function") return
  internals.packet = (packet, options) => {
    const tcp = packet.type === ackPacket ? tcpSocketOf(socket) : null
    if (tcp) write(tcp, toAnswerFrame(packet), true)
    else send.call(socket, packet, options)
  }
}
