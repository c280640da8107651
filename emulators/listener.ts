import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { createServer as createTLSServer, type ServerOptions as TLSServerOptions } from "node:https"
import type { AddressInfo, Socket } from "node:net"
import { WebSocket, WebSocketServer } from "ws"
import type { Inspector } from "./page/inspector.ts"

export interface ListenerOptions {
  /** Any free one, unless told. */
  port?: number
  /** 127.0.0.1 unless given, so that nothing outside this machine reaches it. */
  host?: string
  /** A certificate makes it `https:` and `wss:`. Without one it is `http:` and `ws:`. */
  tls?: Pick<TLSServerOptions, "key" | "cert">
  /** Bounds memory only; a service has limits of its own, and its own words for them. */
  maxBytes: number
  /** Shows what passes, and takes faults. */
  page: Inspector
  /** What the page leaves. */
  answer(request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<void> | void
  /** Says whether the service has sockets at this path; one of another path is answered 404. */
  hasSocketsAt(path: string): boolean
  /** Called with each socket, once its handshake is done. */
  open(wire: Wire, request: IncomingMessage): Conversation
}

/** A WebSocket, for whoever speaks on it. */
export interface Wire extends Pick<WebSocket, "close" | "terminate" | "ping"> {
  /** Ends the socket of a client that doesn't read what it is sent. */
  send(frame: string | Uint8Array): void
}

/** What is made of a WebSocket: whom its frames and its end are told. */
export interface Conversation {
  receive(frame: string | Uint8Array): void
  closed(): void
}

export interface Listener {
  /** As in `http://127.0.0.1:6001`. */
  readonly url: string
  readonly host: string
  readonly port: number
  /** Cuts every connection, one in the middle of a handshake too, and frees the port. */
  close(): Promise<void>
}

/** So much is kept for a client that doesn't read; then it is cut off, as it is anywhere that has other clients. */
export const maxUnreadBytes = 16 * 1024 * 1024

/** After an answer that came early, so long the client has to read it. */
const lingerMs = 1_000

/**
 * Puts a service on a port. Whatever a stranger sends has an answer, every socket ends, no more of a body is read than may be, and
 * what a service throws costs the request or the socket that made it throw.
 */
export async function startListener(options: ListenerOptions): Promise<Listener> {
  const { port = 0, host = "127.0.0.1", tls, maxBytes, page, answer, hasSocketsAt, open } = options
  const server = tls ? createTLSServer(tls) : createServer()
  const webSockets = new WebSocketServer({ noServer: true, maxPayload: maxBytes })
  const sockets = new Set<Socket>()

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (page.answer(request, response)) return
      const body = await readWithin(request, maxBytes)
      if (!body) return cutOff(request, response)
      await answer(request, response, body)
    } catch (error) {
      // A client that went away while it was sending needs no answer.
      if (request.destroyed && !request.complete) return
      report(error)
      if (response.headersSent) response.destroy()
      else response.writeHead(500, { connection: "close" }).end()
    }
  }

  function converse(socket: WebSocket, request: IncomingMessage): void {
    // An unreadable frame is an error first and a close next; the close is enough.
    socket.on("error", () => socket.terminate())
    const guarded = (act: () => void) => {
      try {
        act()
      } catch (error) {
        report(error)
        socket.close(1011)
      }
    }
    const wire: Wire = {
      send(frame) {
        if (socket.bufferedAmount > maxUnreadBytes) socket.terminate()
        else socket.send(frame)
      },
      ping: () => socket.ping(),
      close: (code, reason) => socket.close(code, reason),
      terminate: () => socket.terminate(),
    }
    guarded(() => {
      const conversation = open(wire, request)
      socket.on("message", (data: Buffer, isBinary) =>
        guarded(() => conversation.receive(isBinary ? data : data.toString())),
      )
      socket.on("close", () => guarded(conversation.closed))
      if (socket.readyState === WebSocket.CLOSED) conversation.closed()
    })
  }

  server.on("connection", (socket: Socket) => {
    sockets.add(socket)
    socket.on("close", () => sockets.delete(socket))
  })
  server.on("request", (request, response) => void take(request, response))
  server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => socket.destroy())
    if (hasSocketsAt(request.url?.split("?")[0] ?? "/"))
      webSockets.handleUpgrade(request, socket, head, converse)
    else
      socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", () =>
        socket.destroy(),
      )
  })

  server.listen(port, host)
  await once(server, "listening")
  const address = server.address() as AddressInfo
  let closing: Promise<void> | undefined

  return {
    url: `${tls ? "https" : "http"}://${host}:${address.port}`,
    host,
    port: address.port,
    close() {
      closing ??= new Promise((resolve) => {
        server.close(() => resolve())
        page.close()
        for (const socket of sockets) socket.destroy()
      })
      return closing
    },
  }
}

/** A body; null if it is longer, of which no more is read than shows it. */
async function readWithin(request: IncomingMessage, maxBytes: number): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length
    if (bytes > maxBytes) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Stops reading, answers and ends; a socket closed at once would lose the answer of a client that still sends. */
function cutOff({ socket }: IncomingMessage, response: ServerResponse): void {
  response.once("finish", () => {
    socket.pause()
    socket.end()
    setTimeout(() => socket.destroy(), lingerMs).unref()
  })
  response.writeHead(413, { "content-type": "text/plain" }).end("Request body too large\n")
}

/** Of a service that is tried out, whoever tries it should hear. */
function report(error: unknown): void {
  console.error("[emulators] unable to answer:", error)
}
