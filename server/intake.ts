import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { Socket } from "node:net"
import type { Duplex } from "node:stream"
import proxyAddr from "proxy-addr"
import type { RealtimeErrorCode } from "throughline"
import { networkOf } from "throughline/server"
import { isAllowedOrigin } from "throughline/socketio/gateway"
import { maxFileBytes } from "#lib/files/rules.ts"
import { type Logger, loggedPath } from "#lib/operations/logger.ts"
import { createOnce } from "#lib/operations/once.ts"
import { foreignFormAnswer } from "#lib/security/foreign-form.ts"
import type { ReadAddress } from "./client-address.ts"
import type { PageOrigin } from "./page-origin.ts"
import { answerUnderId } from "./requests.ts"
import { createTally } from "./tally.ts"

/** How much strangers may hold of a server, and for how long. */
export interface HoldOptions {
  /** How many live sockets there may be at once, as in `MAX_CONNECTIONS`. Connections of TCP may be twice as many. Default 20,000. */
  maxConnections?: number | undefined
  /** How many of them from one address, as in `MAX_CONNECTIONS_PER_ADDRESS`. Default 5,000. */
  maxConnectionsPerAddress?: number | undefined
  /** Default `usualPatience`. */
  patience?: Patience | undefined
}

interface Patience {
  /** So long a request's head may take to come, from the moment that its connection is there. */
  headMs: number
  /** So long the whole of a request may take. */
  requestMs: number
  /** So long a connection may be silent in the middle of a request or an answer, neither side taking what the other has; 0: without end. */
  silenceMs: number
}

/** A file of 25 MiB comes in time at 0.7 Mbit/s. A poll is answered within 25 s. */
export const usualPatience: Patience = { headMs: 20_000, requestMs: 300_000, silenceMs: 120_000 }
export const usualMaxConnections = 20_000
export const usualMaxConnectionsPerAddress = 5_000

/**
 * A server that nobody holds by sending slowly, or by never reading: it takes what `takeIn` is asked to take in. Its upgrades are
 * WebSockets: whoever would like to go on by another protocol, as Java's client offers HTTP/2 with each request, has asked for something
 * all the same, and is answered as they asked.
 */
export function createListener({ patience = usualPatience }: HoldOptions): Server {
  const { headMs, requestMs, silenceMs } = patience
  const http = createServer({
    ...{ headersTimeout: headMs, requestTimeout: requestMs },
    connectionsCheckingInterval: Math.min(headMs / 4, 5_000),
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket",
  })
  http.timeout = silenceMs
  return http
}

/** Where a request leads, by what the parser makes of its address. */
export type Target = Pick<URL, "pathname" | "searchParams">

export interface IntakeOptions extends HoldOptions {
  logger: Logger
  /** Whose connections are those of many. */
  trustedProxies: readonly string[]
  readAddress: ReadAddress
  pageOrigin: PageOrigin
  /** What it throws is the request's fault, and answered 400; what it rejects with is ours, and answered 500. */
  answer(request: IncomingMessage, response: ServerResponse, target: Target): Promise<void> | void
  /** Says whether somebody has taken the socket. One that nobody takes is answered 404 and ended. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, target: Target): boolean
}

export interface Intake {
  /**
   * From now on whoever asks how the process is hears that it closes, so that a balancer sends nobody here any more; and each answer is
   * the last on its connection. Resolves once all has been answered and the connections have ended, but for those with an upgrade
   * behind them.
   */
  finish(): Promise<void>
  /** Ends every connection at once, those with an upgrade behind them too, which Node's server forgets. */
  cut(): void
}

/** The longest that anything here takes is a file; whatever takes less counts for itself. */
const maxBodyBytes = maxFileBytes
/** So much is read of a body that nobody wants, that its connection can be used again. */
const maxUnreadBytes = 64 * 1024
/** Where a balancer asks how the process is. */
const probes: ReadonlySet<string> = new Set(["/api/health", "/api/ready"])
/** So long a client has to read an answer that came early; and to say something, while the server closes. */
const lingerMs = 1_000

/**
 * The one way into a server: whatever strangers send has an answer, and every socket an owner. Nothing that is thrown on the way in
 * reaches the process.
 */
export function takeIn(http: Server, options: IntakeOptions): Intake {
  const { logger, readAddress, pageOrigin, answer, upgrade } = options
  const upgraded = new Set<Duplex>()
  boundConnections(http, options)
  let isClosing = false
  /** Those that are asked for and haven't been given. */
  const answers = new Set<ServerResponse>()
  const connections = new Set<Socket>()
  const finished = Promise.withResolvers<void>()
  function forget(connection: Socket): void {
    connections.delete(connection)
    if (isClosing && connections.size === 0) finished.resolve()
  }
  http.on("connection", (socket: Socket) => {
    connections.add(socket)
    socket.once("close", () => forget(socket))
  })
  const log = (error: unknown, { url }: IncomingMessage, what: string) =>
    logger.error({ err: error, path: loggedPath(url) }, what)

  http.on("request", (request, response) => {
    // On whatever is answered, by whomever.
    response.setHeader("X-Content-Type-Options", "nosniff")
    if (isClosing) response.setHeader("Connection", "close")
    answers.add(response)
    response.once("close", () => {
      answers.delete(response)
      // One that began to be given before had no word of it. After Node, which sees by then that nothing more is asked there.
      if (isClosing) setImmediate(() => http.closeIdleConnections())
    })
    const body = boundBody(request, response)
    try {
      readAddress(request)
      pageOrigin.readHost(request)
      const target = readTarget(request)
      answerUnderId(request, response, logger, () => {
        if (!target) return refuse(response, 400)
        // The one method that Node takes and the Web's `Request`, which Next.js makes of it, doesn't.
        if (request.method === "TRACE") return refuse(response, 405)
        if (isClosing && probes.has(target.pathname)) return refuse(response, 503)
        if (isForeignForm(request, target)) {
          pageOrigin.refused(request)
          return refuse(response, 403)
        }
        Promise.resolve(answer(request, response, target)).catch((error: unknown) => {
          // Whoever was reading what was cut off, by us or by the other side, has nothing to tell.
          if (body.isCut || (request.destroyed && !request.complete)) return
          log(error, request, "unable to answer a request")
          refuse(response, 500)
        })
      })
    } catch (error) {
      log(error, request, "unable to take a request in")
      refuse(response, 400)
    }
  })

  http.on("upgrade", (request, socket, head) => {
    upgraded.add(socket)
    forget(request.socket)
    // What speaks on it now asks by itself whether the other side is there.
    request.socket.setTimeout(0)
    socket.on("close", () => upgraded.delete(socket))
    // A client that goes away in the middle of a handshake must not take the process with it.
    socket.on("error", (error) => logger.debug({ err: error }, "a socket failed while upgrading"))
    try {
      readAddress(request)
      pageOrigin.readHost(request)
      const target = readTarget(request)
      if (!target) endUpgrade(socket, "400 Bad Request")
      else if (!upgrade(request, socket, head, target)) endUpgrade(socket, "404 Not Found")
    } catch (error) {
      log(error, request, "unable to take an upgrade in")
      endUpgrade(socket, "400 Bad Request")
    }
  })

  return {
    finish() {
      isClosing = true
      for (const response of answers) if (!response.headersSent) response.setHeader("Connection", "close")
      http.closeIdleConnections()
      // Browsers open some in advance, and Node takes one on which nobody has said a word for busy.
      setTimeout(() => {
        for (const socket of connections) if (socket.bytesRead === 0) socket.destroy()
      }, lingerMs).unref()
      if (connections.size === 0) finished.resolve()
      return finished.promise
    },
    cut() {
      http.closeAllConnections()
      for (const socket of upgraded) socket.destroy()
    },
  }
}

/** A page asks for a few things beside its socket. */
const connectionsPerSocket = 2
/** Of the files that a process may open, an eighth and no less than this isn't for connections, if that leaves them half. */
const leastReserve = 64

/**
 * Closes what comes when there is too much of it already: of all, or of an address that isn't that of a proxy. And whoever connects may
 * take all files but those that the process needs by itself: Next.js reads a page's code when somebody first opens it, and never again
 * once that failed; the database, Redis and providers want connections of their own.
 */
function boundConnections(http: Server, { logger, trustedProxies, ...options }: IntakeOptions): void {
  const { maxConnections: maxSockets = usualMaxConnections } = options
  const { maxConnectionsPerAddress: maxSocketsPerAddress = usualMaxConnectionsPerAddress } = options
  const isProxy = proxyAddr.compile([...trustedProxies])
  const [isFirst, isNewAddress] = [createOnce(), createOnce()]
  const maxFiles = maxOpenFiles()
  const reserve = Math.floor(Math.min(maxFiles / 2, Math.max(leastReserve, maxFiles / 8)))
  const wanted = connectionsPerSocket * maxSockets
  const maxConnections = Math.min(wanted, maxFiles - reserve)
  http.maxConnections = maxConnections
  http.on("drop", () => {
    if (!isFirst("drop")) return
    if (maxConnections === wanted)
      logger.warn({ maxConnections }, "too many connections at once; more are closed (MAX_CONNECTIONS)")
    else
      logger.warn(
        { maxConnections, maxFiles },
        "more connect than this process may have files open for, and are refused; raise the limit (LimitNOFILE, ulimit -n)",
      )
  })
  const maxPerAddress = connectionsPerSocket * maxSocketsPerAddress
  const tally = createTally({ max: Number.POSITIVE_INFINITY, maxPerAddress })
  http.on("connection", (socket: Socket) => {
    const { remoteAddress = "" } = socket
    if (remoteAddress === "" || isProxy(remoteAddress, 0)) return
    const address = networkOf(remoteAddress)
    if (!tally.fullFor(address)) return void socket.once("close", tally.hold(address))
    if (isNewAddress(address))
      logger.warn(
        { address, maxPerAddress },
        "too many connections from one address; more are closed (MAX_CONNECTIONS_PER_ADDRESS)",
      )
    socket.destroy()
  })
}

/** More than there are anywhere where the system sets no limit, or doesn't say. */
function maxOpenFiles(): number {
  // Else the name of each open connection's other end is looked up for it. The types don't know it: https://nodejs.org/docs/latest-v24.x/api/process.html#processreportexcludenetwork
  Object.assign(process.report, { excludeNetwork: true })
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } }
  const soft = userLimits?.open_files?.soft
  return typeof soft === "number" ? soft : Number.MAX_SAFE_INTEGER
}

/** A form of another origin's page, sent by Next.js' scripts or by the browser itself. Next.js would answer that it has failed. */
function isForeignForm(request: IncomingMessage, { pathname }: Target): boolean {
  const { "next-action": action, "content-type": type } = request.headers
  const isForm =
    action !== undefined || (type?.startsWith("multipart/form-data") && !pathname.startsWith("/api/"))
  return isForm === true && !isAllowedOrigin(request, [])
}

/**
 * Null where nobody can say where it leads: no path, an escape that stands for nothing, a NUL. The absolute form, as proxies are sent it,
 * leads where its path does, for everything behind too.
 */
function readTarget(request: IncomingMessage): Target | null {
  request.url = request.url?.replace(/^https?:\/\/[^/?#]*\/?/i, "/")
  const target = request.url?.startsWith("/") ? URL.parse(`http://localhost${request.url}`) : null
  try {
    return target && !decodeURIComponent(target.pathname).includes("\0") ? target : null
  } catch {
    // The one thing that it throws for.
    return null
  }
}

/**
 * Takes no more of a body than anything here reads: one that is longer is answered 413. And whoever has his answer before he has said
 * all isn't listened to any longer, unless it is short: his connection ends.
 */
function boundBody(request: IncomingMessage, response: ServerResponse): { readonly isCut: boolean } {
  const body = { isCut: false }
  // The request lets go of it when somebody destroys the stream.
  const { socket } = request
  const push = request.push.bind(request)
  let bytes = 0
  // Here the parser hands over what it has taken from the socket, and reads no further when it is told false; a listener for `data`
  // would take it away from whoever reads later.
  request.push = (chunk: Buffer | null, encoding) => {
    bytes += chunk?.length ?? 0
    if (bytes <= maxBodyBytes) return push(chunk, encoding)
    if (!body.isCut) refuse(response, 413)
    body.isCut = true
    return false
  }
  response.once("finish", () => {
    const isShort = Number(request.headers["content-length"]) <= maxUnreadBytes
    if (!request.complete && !isShort) hangUp(socket)
  })
  return body
}

/** Reads no more and says that it is over. Destroyed at once, a client that still sends would lose its answer. */
function hangUp(socket: Socket): void {
  // After Node, which goes on reading to throw away what nobody has read.
  setImmediate(() => socket.pause())
  socket.end()
  setTimeout(() => socket.destroy(), lingerMs).unref()
}

/** As the app's routes say it, so that a page reads the reason. */
const json = (code: RealtimeErrorCode, why: string) => ({
  type: "application/json",
  text: JSON.stringify({ error: { code, message: `unable to answer; ${why}` } }),
})
const refusals = {
  400: json("invalid-request", "it is no request"),
  // Next.js hands it on under this very type.
  403: { type: "text/plain", text: foreignFormAnswer },
  405: json("invalid-request", "there is no such method"),
  413: json("message-too-large", `the body has more than ${maxBodyBytes} bytes`),
  500: json("internal", "the server failed"),
  503: { type: "application/json", text: JSON.stringify({ status: "closing" }) },
}

function refuse(response: ServerResponse, status: keyof typeof refusals): void {
  // Half an answer is no answer: its end must not look like one.
  if (response.headersSent) return void response.destroy()
  const { type, text } = refusals[status]
  const headers = { "Content-Type": type, "Cache-Control": "no-store" }
  // Node destroys at once what is closed by a header; who may still be sending is hung up on, with time to read it.
  const maySend = status === 413 || status === 403
  response.writeHead(status, maySend ? headers : { ...headers, Connection: "close" })
  response.end(text)
}

function endUpgrade(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`, () => socket.destroy())
}

/** Waits for what ends a part of the server, and no longer than this: what hangs is named, and left. */
export async function endWithin(
  ms: number,
  part: string,
  ending: Promise<unknown> | undefined,
  logger: Logger,
): Promise<void> {
  const late = Promise.withResolvers<boolean>()
  const timer = setTimeout(late.resolve, ms, true)
  try {
    const isLate = await Promise.race([Promise.resolve(ending).then(() => false), late.promise])
    if (isLate) logger.warn(`closing ${part} took too long; it is left`)
  } catch (error) {
    logger.error({ err: error }, `closing ${part} failed`)
  } finally {
    clearTimeout(timer)
  }
}
