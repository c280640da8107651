import { subscribe, unsubscribe } from "node:diagnostics_channel"
import { get as getHttp, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { get as getHttps } from "node:https"
import type { Duplex } from "node:stream"

/** Somebody who answers part of what comes to another's server. */
export interface Tenant {
  /** Answers what is its own, and returns true; anything else is left alone. */
  request(request: IncomingMessage, response: ServerResponse): boolean
  /** Takes a socket of its own, and returns true. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean
  /**
   * Its server has begun to close. Ends what it holds, so that the server's end can come;
   * `cut` ends every connection at once.
   */
  leave(server: Server, cut: () => void): Promise<void>
}

export interface FindOptions {
  tenant: Tenant
  /** Whether this path says that a server is the app's. */
  isOurs(pathname: string): boolean
  /**
   * Where the app's own server listens, as far as is known, as in
   * `http://localhost:3000`; asked before each attempt.
   */
  origin(): string
  /** Once, when the first server is had. */
  onFound(server: Server): void
}

export interface Search {
  /**
   * Asks the app's server for a path of ours, so that it need not wait for a page.
   * True if it came to this process.
   */
  knock(): Promise<boolean>
  /** Looks no further. What it has found stays shared. */
  stop(): void
  /** Gives back all that it has found, as it was. */
  release(): void
}

const channel = "http.server.request.start"
const knockTimeoutMs = 1_000
/** Marks a listener as one of ours, under a name that every copy of this module knows. */
const isRefusal = Symbol.for("throughline.refusal")

/**
 * Moves in with the server of HTTP that this process has, whoever made it: Node says with each request which
 * server it came to, before anybody answers it.
 * https://nodejs.org/docs/latest-v24.x/api/diagnostics_channel.html#http
 */
export function findServer({ tenant, isOurs, origin, onFound }: FindOptions): Search {
  const shared = new Map<Server, () => void>()
  const knockPath = `/_realtime/${crypto.randomUUID()}`
  let knocks = 0

  function look(message: unknown): void {
    const { request, server } = message as { request: IncomingMessage; server: Server }
    if (shared.has(server)) return
    const pathname = request.url?.split("?", 1)[0] ?? ""
    if (pathname !== knockPath && !isOurs(pathname)) return
    const unshare = shareServer(server, {
      ...tenant,
      request(request, response) {
        if (request.url !== knockPath) return tenant.request(request, response)
        knocks += 1
        response.writeHead(204).end()
        return true
      },
    })
    shared.set(server, unshare)
    server.once("close", () => shared.delete(server))
    onFound(server)
  }
  subscribe(channel, look)

  return {
    async knock() {
      const before = knocks
      await askFor(new URL(knockPath, origin()))
      return knocks > before
    },
    stop: () => unsubscribe(channel, look),
    release() {
      for (const unshare of shared.values()) unshare()
      shared.clear()
    },
  }
}

/** Whatever the answer is, and whether there is one. */
function askFor(url: URL): Promise<void> {
  const options = { agent: false, timeout: knockTimeoutMs }
  return new Promise((resolve) => {
    const request =
      // This machine's own, whose certificate is whatever a developer has made.
      url.protocol === "https:"
        ? getHttps(url, { ...options, rejectUnauthorized: false })
        : getHttp(url, options)
    request.on("response", (response) => void response.resume())
    request.on("timeout", () => request.destroy())
    request.on("error", () => resolve())
    request.on("close", () => resolve())
  })
}

/**
 * Asks the tenant first, before whoever else listens to the server, now or later: Next.js ends the sockets of
 * paths that it has a route for, and leaves others open. All that isn't the tenant's goes on as if nobody had
 * asked. When somebody closes the server, the tenant leaves. Returns what gives the server back.
 */
export function shareServer(server: Server, tenant: Tenant): () => void {
  const { emit, close } = server
  /** Node forgets a connection once somebody has taken it. */
  const taken = new Set<Duplex>()
  let isShared = true
  function emitShared(event: string | symbol, ...args: unknown[]): boolean {
    if (!isShared) return Reflect.apply(emit, server, [event, ...args])
    if (event === "request" && tenant.request(args[0] as IncomingMessage, args[1] as ServerResponse))
      return true
    if (event === "upgrade" && takes(...(args as [IncomingMessage, Duplex, Buffer]))) return true
    return Reflect.apply(emit, server, [event, ...args])
  }
  const closeShared: Server["close"] = (done) => {
    const closing = Reflect.apply(close, server, [done])
    if (isShared) void tenant.leave(server, cut)
    return closing
  }
  server.emit = emitShared
  server.close = closeShared
  // Without a listener Node hands nobody an upgrade. Whoever else listens
  // decides about what isn't the tenant's.
  const refuse = Object.assign(
    (_request: IncomingMessage, socket: Duplex) => {
      const isNobodys = server.listeners("upgrade").every((listener) => isRefusal in listener)
      if (isNobodys && !socket.writableEnded)
        socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n")
    },
    { [isRefusal]: true },
  )
  server.on("upgrade", refuse)

  function cut(): void {
    server.closeAllConnections()
    for (const socket of taken) socket.destroy()
  }

  function takes(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const ignore = () => {}
    // A client that goes away in the middle of a handshake must not take the process with it.
    socket.on("error", ignore)
    if (!tenant.upgrade(request, socket, head)) {
      socket.off("error", ignore)
      return false
    }
    taken.add(socket)
    socket.once("close", () => taken.delete(socket))
    return true
  }

  return () => {
    isShared = false
    server.off("upgrade", refuse)
    // Whoever has come after us goes on through ours, which does nothing any more.
    if (server.emit === emitShared) server.emit = emit
    if (server.close === closeShared) server.close = close
  }
}
