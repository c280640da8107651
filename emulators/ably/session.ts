import { authenticateKey, authenticateToken, resolveClientId } from "./auth.ts"
import { decodeFrame, encodeFrame, type Format } from "./codec.ts"
import { createConnection } from "./connection.ts"
import { type AblyError, ablyError, toAblyError } from "./errors.ts"
import { CONNECT_FAULTS, faultError } from "./faults.ts"
import type { AblyService, Connection, Credentials, Session, Socket, Transport } from "./model.ts"
import { createPipe } from "./pipe.ts"
import { Action, type ProtocolMessage } from "./protocol.ts"

const OLDEST_PROTOCOL = 2

export function createSession(service: AblyService, socket: Socket, query: URLSearchParams): Session {
  const format: Format = query.get("format") === "msgpack" ? "msgpack" : "json"
  let connection: Connection | undefined
  let isSilent = false
  let isOver = false
  let cancelHeartbeat = () => {}

  const subject = () => ({
    appId: connection?.app.id,
    connectionId: connection?.id,
    clientId: connection?.clientId,
  })
  const faultySocket = {
    cut: () => cut(),
    silence() {
      isSilent = true
    },
    disconnect: (error: AblyError) => refuse(Action.DISCONNECTED, error),
    fail: (error: AblyError) => refuse(Action.ERROR, error),
    reply: (message: ProtocolMessage) => outbound.push(message),
  }
  const common = { faults: service.faults, clock: service.clock, subject, socket: faultySocket }
  const inbound = createPipe({ ...common, direction: "inbound", deliver: handle })
  const outbound = createPipe({ ...common, direction: "outbound", deliver: write })
  const transport: Transport = {
    send(message) {
      if (!isOver && !isSilent) outbound.push(message)
    },
    close() {
      finish()
      socket.close()
    },
  }

  /** Whoever can't be written to is cut: a recipient's trouble is neither the publisher's nor the other recipients'. */
  function write(message: ProtocolMessage) {
    if (isOver || isSilent) return
    try {
      socket.send(encodeFrame(message, format))
    } catch {
      cut()
    }
  }

  function handle(message: ProtocolMessage) {
    if (isOver || isSilent) return
    try {
      connection?.receive(message)
    } catch (error) {
      connection?.fail(toAblyError(error))
    }
  }

  function cut() {
    finish()
    socket.terminate()
  }

  /** The connection learns of the end once, unless another socket has taken over. */
  function finish() {
    if (isOver) return
    isOver = true
    cancelHeartbeat()
    inbound.close()
    outbound.close()
    service.sessions.delete(session)
    if (connection?.transport === transport) connection.drop()
  }

  /** §4: the upgrade has succeeded, so the reason travels in a frame. */
  function refuse(action: number, error: AblyError) {
    write({ action, error: error.toErrorInfo() })
    finish()
    socket.close()
  }

  /** §4.3: something at least every `maxIdleInterval`. */
  function beat(intervalMs: number) {
    cancelHeartbeat = service.clock.schedule(() => {
      if (!isSilent) {
        if (query.get("heartbeats") === "true") transport.send({ action: Action.HEARTBEAT })
        else socket.ping()
      }
      if (!isOver) beat(intervalMs)
    }, intervalMs)
  }

  function begin() {
    const version = Number(query.get("v") ?? OLDEST_PROTOCOL)
    if (!(version >= OLDEST_PROTOCOL)) throw ablyError(40017)
    const credentials = authenticate(service, query)
    const clientId = query.get("clientId") ?? undefined
    if (clientId === "") throw ablyError(40012)
    const resolved = resolveClientId(credentials, clientId)
    const { app } = credentials
    const live = app.connections.size - app.dropped.size
    if (live >= app.limits.maxConnections) throw ablyError(40111, undefined, 429)
    if (app.overQuota) throw ablyError(40112, undefined, 429)
    const rule = service.faults.strike(CONNECT_FAULTS, () => ({
      appId: app.id,
      clientId: resolved,
    }))
    if (rule) throw faultError(rule, 50003)

    const { resumed, error } = findResumable(
      credentials,
      resolved,
      query.get("resume") ?? query.get("recover"),
    )
    connection =
      resumed ??
      createConnection(service.apps, credentials, {
        echo: query.get("echo") !== "false",
        clientId,
      })
    connection.open(transport, credentials, error)
    // A fault may have struck CONNECTED itself.
    if (!isOver) beat(app.limits.maxIdleInterval)
  }

  const session: Session = {
    get connection() {
      return connection
    },
    receive(frame) {
      if (isOver || isSilent || !connection) return
      try {
        const length = typeof frame === "string" ? Buffer.byteLength(frame) : frame.byteLength
        if (length > connection.app.limits.maxFrameSize)
          throw ablyError(40009, "maximum frame length exceeded")
        inbound.push(decodeFrame(frame))
      } catch (error) {
        connection.fail(toAblyError(error))
      }
    },
    closed: finish,
    cut,
  }

  service.sessions.add(session)
  try {
    begin()
  } catch (thrown) {
    const error = toAblyError(thrown)
    // A server-side trouble passes, so the client is to try again; anything else is the client's.
    refuse(error.statusCode >= 500 || error.statusCode === 429 ? Action.DISCONNECTED : Action.ERROR, error)
  }
  return session
}

function authenticate(service: AblyService, query: URLSearchParams): Credentials {
  const key = query.get("key")
  const token = query.get("access_token") ?? query.get("accessToken")
  if (token) return authenticateToken(service.apps, token)
  if (key) return authenticateKey(service.apps, key)
  throw ablyError(40101, "no authentication information provided")
}

/** §4.5: the same connection while its state is kept; otherwise a new one, with the reason. */
function findResumable(
  { app }: Credentials,
  clientId: string | undefined,
  key: string | null,
): { resumed?: Connection; error?: AblyError } {
  if (!key) return {}
  const match = /^([A-Za-z0-9]+)![A-Za-z0-9]+$/.exec(key)
  if (!match) return { error: ablyError(80018) }
  const candidate = app.connections.get(match[1] ?? "")
  if (!candidate?.hasKey(key)) return { error: ablyError(80008) }
  if (candidate.clientId !== clientId) return { error: ablyError(80011) }
  return { resumed: candidate }
}
