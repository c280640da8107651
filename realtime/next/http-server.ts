import { subscribe, unsubscribe } from "node:diagnostics_channel"
import { get as getHttp, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { get as getHttps } from "node:https"
import type { Duplex } from "node:stream"
import { RealtimeError } from "../errors.ts"
import { internalPath } from "../providers/socketio/server.ts"

/** Somebody who answers part of what comes to another's server. */
export interface Tenant {
  /** What is asked for at or below one of them, as at `/socket.io`; on one server it is nobody else's. */
  readonly paths: readonly string[]
  /** Whose it is: the path of the catch-all route. */
  readonly owner: string
  /** Answers a request that is its own, and returns true. */
  request(request: IncomingMessage, response: ServerResponse): boolean
  /** Takes a socket that is its own, and returns true; one that nobody expects there it leaves alone. */
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
  /** For each server that is had. */
  onFound(): void
  /** The app's server is there, and another tenant at this path of it. */
  onRefused(error: unknown): void
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

/**
 * Moves in with the server of HTTP that this process has, whoever made it: Node says with each request which
 * server it came to, before anybody answers it.
 * https://nodejs.org/docs/latest-v24.x/api/diagnostics_channel.html#http
 */
export function findServer({ tenant, isOurs, origin, onFound, onRefused }: FindOptions): Search {
  const shared = new Map<Server, () => void>()
  const knockPath = `/_realtime/${crypto.randomUUID()}`
  let knocks = 0

  const guest: Tenant = {
    ...tenant,
    paths: [...tenant.paths, knockPath],
    request(request, response) {
      if (request.url !== knockPath) return tenant.request(request, response)
      knocks += 1
      response.writeHead(204).end()
      return true
    },
  }

  function look(message: unknown): void {
    const { request, server } = message as { request: IncomingMessage; server: Server }
    if (shared.has(server)) return
    const pathname = request.url?.split("?", 1)[0] ?? ""
    if (pathname !== knockPath && !isOurs(pathname)) return
    try {
      const giveBack = shareServer(server, guest)
      const leave = () => {
        server.off("close", leave)
        shared.delete(server)
        giveBack()
      }
      shared.set(server, leave)
      server.once("close", leave)
      onFound()
    } catch (error) {
      onRefused(error)
    }
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
      unsubscribe(channel, look)
      for (const leave of shared.values()) leave()
    },
  }
}

/** Whatever the answer is, and whether there is one. */
function askFor(url: URL): Promise<void> {
  const options = { agent: false, signal: AbortSignal.timeout(knockTimeoutMs) }
  return new Promise((resolve) => {
    const request =
      // This machine's own, whose certificate is whatever a developer has made.
      url.protocol === "https:"
        ? getHttps(url, { ...options, rejectUnauthorized: false })
        : getHttp(url, options)
    request.on("response", (response) => void response.on("error", () => {}).resume())
    request.on("error", () => resolve())
    request.on("close", () => resolve())
  })
}

/** The tenants of a server, under a name that every copy of this module knows: each bundle has its own. */
const key = Symbol.for("throughline.tenants")
type SharedServer = Server & {
  [key]?: Tenancy
  /** An option of `createServer`, which older releases of Node lack. */
  shouldUpgradeCallback?: (request: IncomingMessage) => boolean
}

interface Tenancy {
  tenants: Set<Tenant>
  end(): void
}

/**
 * Asks the tenant before whoever else listens to the server, now or later: Next.js ends the sockets of paths
 * that it has a route for, and leaves others open. All that isn't a tenant's goes on as if nobody had asked.
 * When somebody closes the server, its tenants leave. Returns what gives the server back, as it was once the
 * last has left. Throws `invalid-config` where another tenant has one of its paths.
 */
export function shareServer(server: Server, tenant: Tenant): () => void {
  const shared: SharedServer = server
  for (const { paths, owner } of shared[key]?.tenants ?? []) {
    const path = tenant.paths.find((own) => paths.includes(own))
    if (path !== undefined) throw isTaken(path, tenant.owner, owner)
  }
  const tenancy = shared[key] ?? begin(shared)
  shared[key] = tenancy
  tenancy.tenants.add(tenant)
  return () => {
    if (!tenancy.tenants.delete(tenant) || tenancy.tenants.size > 0) return
    delete shared[key]
    tenancy.end()
  }
}

/** Stands before all others, once for all tenants. */
function begin(server: SharedServer): Tenancy {
  const tenants = new Set<Tenant>()
  /** Node forgets a connection once somebody has taken it. */
  const taken = new Set<Duplex>()
  const { emit, close, shouldUpgradeCallback } = server

  function emitShared(event: string | symbol, ...args: unknown[]): boolean {
    if (event === "request") {
      const [request, response] = args as [IncomingMessage, ServerResponse]
      for (const tenant of tenants)
        if (isOwn(tenant, request) && tenant.request(request, response)) return true
    }
    if (event === "upgrade") {
      const [request, socket, head] = args as [IncomingMessage, Duplex, Buffer]
      for (const tenant of tenants) if (takes(tenant, request, socket, head)) return true
    }
    return Reflect.apply(emit, server, [event, ...args])
  }

  const closeShared: Server["close"] = (done) => {
    const closing = Reflect.apply(close, server, [done])
    for (const tenant of tenants) void tenant.leave(server, cut)
    return closing
  }

  function cut(): void {
    server.closeAllConnections()
    for (const socket of taken) socket.destroy()
  }

  function takes(tenant: Tenant, request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if (!isOwn(tenant, request)) return false
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

  /** Whoever else listens decides about what isn't a tenant's. */
  const hasOthers = () => server.listenerCount("upgrade") > 1

  /**
   * A request to go on by another protocol is answered as any other, as Node does itself where nobody listens
   * for upgrades: Java's client offers HTTP/2 (`h2c`) with each, which nobody here speaks.
   */
  function shouldUpgrade(request: IncomingMessage): boolean {
    const protocol = request.headers.upgrade?.toLowerCase()
    if (tenants.size === 0) return shouldUpgradeCallback?.call(server, request) === true
    if (protocol === "websocket" && [...tenants].some((tenant) => isOwn(tenant, request))) return true
    return protocol !== "h2c" && hasOthers() && shouldUpgradeCallback?.call(server, request) === true
  }

  /** Without a listener Node hands nobody an upgrade. An older Node asks nobody whether it should. */
  function refuse(_request: IncomingMessage, socket: Duplex): void {
    if (!hasOthers() && !socket.writableEnded)
      socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n")
  }

  server.emit = emitShared
  server.close = closeShared
  if (shouldUpgradeCallback) server.shouldUpgradeCallback = shouldUpgrade
  server.on("upgrade", refuse)
  return {
    tenants,
    end() {
      server.off("upgrade", refuse)
      // Whoever has come after us goes on through ours, which does nothing any more.
      if (shouldUpgradeCallback && server.shouldUpgradeCallback === shouldUpgrade)
        server.shouldUpgradeCallback = shouldUpgradeCallback
      if (server.close === closeShared) server.close = close
      if (server.emit === emitShared) server.emit = emit
    },
  }
}

function isOwn({ paths }: Tenant, { url = "" }: IncomingMessage): boolean {
  const pathname = url.split("?", 1)[0] ?? ""
  return paths.some((path) => pathname === path || pathname.startsWith(`${path}/`))
}

/** Where the server's other processes publish is one place: the `socketPath` changes nothing of that. */
function isTaken(path: string, owner: string, other: string): RealtimeError {
  const remedy =
    path === internalPath
      ? "Run one of the two throughline() in a process of its own, or both without SOCKET_INTERNAL_SECRET"
      : "Give one of the two throughline() another `socketPath`"
  return new RealtimeError("invalid-config", {
    provider: "socketio",
    message: `unable to answer at ${path} for ${owner}; the gateway of ${other} does. ${remedy}`,
  })
}
