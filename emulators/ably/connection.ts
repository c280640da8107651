import { annotate } from "./annotations.ts"
import { attach, detach, dropAttachment, reviewAttachments, sendSync } from "./attach.ts"
import { assertMayEnterAs, authenticateToken, resolveClientId } from "./auth.ts"
import { parseChannelName } from "./channel-name.ts"
import { type AblyError, ablyError, isTokenError, toAblyError } from "./errors.ts"
import { createRateLimiter, PRESENCE_MILDNESS } from "./limits.ts"
import type { Apps, Connection, Credentials, Publisher, Transport } from "./model.ts"
import { Action, Mode, type ModeName, type ProtocolMessage } from "./protocol.ts"
import { publish } from "./publish.ts"
import { assertPermitted, assertSize } from "./publisher.ts"
import { targets } from "./revocation.ts"
import { readAnnotations, readMessages, readPresence } from "./wire.ts"

/** Keys that a connection had: a client comes back with the latest it was told. */
const REMEMBERED_KEYS = 16
/** Connections of an app that wait for their clients; beyond that, the longest dropped can't be resumed any more. */
const MAX_DROPPED = 10_000

/** How many answers are kept for messages that are sent again after a resume. */
const REMEMBERED_ANSWERS = 1000

export function createConnection(
  apps: Apps,
  initial: Credentials,
  options: { clientId?: string; echo: boolean },
): Connection {
  const { app } = initial
  const { clock, limits, random } = app
  const id = random.string(10)
  const keys = new Set<string>()
  const answers = new Map<number, ProtocolMessage>()
  const rate = createRateLimiter(clock, limits, () => limits.maxInboundRate)
  const presenceRate = createRateLimiter(clock, limits, () => limits.maxInboundRate)
  let key = ""
  let credentials = initial
  let clientId = resolveClientId(initial, options.clientId)
  let transport: Transport | undefined
  let cancelTimers: (() => void)[] = []
  let cancelExpiry = () => {}

  const connection: Connection = {
    id,
    get key() {
      return key
    },
    app,
    echo: options.echo,
    get credentials() {
      return credentials
    },
    get clientId() {
      return clientId
    },
    get transport() {
      return transport
    },
    attachments: new Map(),
    hasKey: (candidate) => keys.has(candidate),
    open(next, nextCredentials, error) {
      const superseded = transport
      if (superseded) connection.drop()
      superseded?.close()
      cancelExpiry()
      transport = next
      credentials = nextCredentials
      app.dropped.delete(connection)
      app.connections.set(id, connection)
      sendConnected(error)
      watchToken()
    },
    receive(message) {
      switch (message.action) {
        case Action.HEARTBEAT:
          // A ping is answered with its own id (§4.3).
          return send({ action: Action.HEARTBEAT, id: message.id })
        case Action.CLOSE:
          send({ action: Action.CLOSED })
          return end()
        case Action.DISCONNECT:
          return transport?.close()
        case Action.AUTH:
          return reauthenticate(message.auth?.accessToken)
        case Action.ATTACH:
          return attach(connection, message)
        case Action.DETACH:
          return detach(connection, message)
        case Action.SYNC:
          return sendSync(connection, message)
        case Action.MESSAGE:
        case Action.PRESENCE:
        case Action.ANNOTATION:
        case Action.OBJECT:
          return acknowledge(message)
        default:
          // Unknown actions are ignored, for the sake of later protocol versions (§4.1).
          return
      }
    },
    drop() {
      transport = undefined
      for (const timer of cancelTimers) timer()
      cancelTimers = []
      for (const attachment of connection.attachments.values()) {
        dropAttachment(connection, attachment, "later")
      }
      connection.attachments.clear()
      cancelExpiry()
      cancelExpiry = clock.schedule(connection.forget, limits.connectionStateTtl)
      app.dropped.add(connection)
      const [first] = app.dropped
      if (app.dropped.size > MAX_DROPPED) first?.forget()
    },
    forget() {
      cancelExpiry()
      app.dropped.delete(connection)
      app.connections.delete(id)
    },
    disconnect(error) {
      send({ action: Action.DISCONNECTED, error: error.toErrorInfo() })
      transport?.close()
    },
    fail(error) {
      send({ action: Action.ERROR, error: error.toErrorInfo() })
      // After a token error the client renews and resumes (§4.4); any other ends the connection.
      if (isTokenError(error)) transport?.close()
      else end()
    },
    announce() {
      if (transport) sendConnected()
    },
    requestReauth() {
      send({ action: Action.AUTH })
    },
    onRevocation(revocation) {
      if (!credentials.token || !targets(revocation, credentials.token)) return
      if (revocation.appliesAt > clock.now()) connection.requestReauth()
      const { token } = credentials
      const cut = () => {
        if (credentials.token === token && transport) connection.disconnect(ablyError(40141))
      }
      if (revocation.appliesAt <= clock.now()) cut()
      else cancelTimers.push(clock.schedule(cut, revocation.appliesAt - clock.now()))
    },
  }

  function send(message: ProtocolMessage) {
    transport?.send(message)
  }

  /** State is discarded and presence left at once (§4.4). */
  function end() {
    for (const attachment of connection.attachments.values()) dropAttachment(connection, attachment, "now")
    connection.attachments.clear()
    const last = transport
    connection.drop()
    connection.forget()
    for (const channel of app.channels.values()) channel.presence.leaveNow(id)
    last?.close()
  }

  function sendConnected(error?: AblyError) {
    key = `${id}!${random.string(16)}`
    keys.add(key)
    const [firstKey] = keys
    if (keys.size > REMEMBERED_KEYS && firstKey !== undefined) keys.delete(firstKey)
    send({
      action: Action.CONNECTED,
      connectionId: id,
      connectionKey: key,
      connectionDetails: {
        connectionKey: key,
        // A token that may be anyone tells the client so.
        clientId: clientId ?? (credentials.token?.clientId === "*" ? "*" : undefined),
        maxMessageSize: limits.maxMessageSize,
        maxInboundRate: limits.maxInboundRate,
        maxFrameSize: limits.maxFrameSize,
        connectionStateTtl: limits.connectionStateTtl,
        maxIdleInterval: limits.maxIdleInterval,
        serverId: "emulator",
        siteCode: "local",
      },
      timestamp: clock.now(),
      ...(error ? { error: error.toErrorInfo() } : {}),
    })
  }

  /** §4.4: AUTH some time before the token's expiry, DISCONNECTED 40142 at it. */
  function watchToken() {
    for (const timer of cancelTimers) timer()
    cancelTimers = []
    const { token } = credentials
    if (!token) return
    const remaining = token.expires - clock.now()
    cancelTimers.push(clock.schedule(() => connection.disconnect(ablyError(40142)), remaining))
    if (remaining > limits.reauthLead) {
      cancelTimers.push(clock.schedule(connection.requestReauth, remaining - limits.reauthLead))
    }
    for (const revocation of app.revocations) {
      if (revocation.appliesAt > clock.now()) connection.onRevocation(revocation)
    }
  }

  /** §4.4 RTC8a: a CONNECTED with new details, or an ERROR; channels that the token no longer covers fail. */
  function reauthenticate(accessToken: string | undefined) {
    try {
      if (!accessToken) throw ablyError(40000, "AUTH carries auth.accessToken")
      const next = authenticateToken(apps, accessToken)
      if (next.app !== app) throw ablyError(40102, "the token is of another application")
      const nextClientId = resolveClientId(next, options.clientId)
      if (clientId !== undefined && nextClientId !== clientId)
        throw ablyError(40102, "the token is of another clientId")
      credentials = next
      clientId = nextClientId
    } catch (error) {
      return connection.fail(toAblyError(error))
    }
    sendConnected()
    watchToken()
    reviewAttachments(connection)
  }

  /** §6.1: one answer per frame, in order; a frame sent again after a resume gets the answer that it had. */
  function acknowledge(message: ProtocolMessage) {
    const { msgSerial } = message
    if (msgSerial === undefined) return connection.fail(ablyError(80013, "protocol error: no msgSerial"))
    const known = answers.get(msgSerial)
    if (known) return send(known)
    const answer = answerTo(message, msgSerial)
    answers.set(msgSerial, answer)
    const oldest = answers.keys().next().value
    if (answers.size > REMEMBERED_ANSWERS && oldest !== undefined) answers.delete(oldest)
    send(answer)
  }

  function answerTo(message: ProtocolMessage, msgSerial: number): ProtocolMessage {
    try {
      return { action: Action.ACK, msgSerial, count: 1, res: [{ serials: handle(message, msgSerial) }] }
    } catch (error) {
      return { action: Action.NACK, msgSerial, count: 1, error: toAblyError(error).toErrorInfo() }
    }
  }

  function handle(message: ProtocolMessage, msgSerial: number): string[] {
    if (message.params?._forceNack === "true") throw ablyError(40099)
    const publisher: Publisher = {
      app,
      credentials,
      connectionId: id,
      frameId: `${id}:${msgSerial}`,
      clientId,
    }
    const channel = message.channel ?? ""
    switch (message.action) {
      case Action.MESSAGE: {
        const messages = readMessages(message.messages ?? [])
        assertMode(channel, "PUBLISH")
        assertRate(messages.length)
        return publish(publisher, channel, messages).serials
      }
      case Action.PRESENCE:
        enterPresence(channel, message, publisher)
        return []
      case Action.ANNOTATION: {
        const annotations = readAnnotations(message.annotations ?? [])
        assertMode(channel, "ANNOTATION_PUBLISH")
        assertRate(annotations.length)
        return annotate(publisher, channel, annotations)
      }
      default:
        throw ablyError(40000, "LiveObjects is not enabled for this app")
    }
  }

  function enterPresence(wireName: string, message: ProtocolMessage, publisher: Publisher) {
    const name = parseChannelName(wireName)
    const presence = readPresence(message.presence ?? []).map((one) => ({
      ...one,
      clientId: assertMayEnterAs(credentials, clientId, one.clientId),
    }))
    assertPermitted(credentials, name, "presence")
    if (!connection.attachments.has(wireName)) throw ablyError(91001)
    assertMode(wireName, "PRESENCE")
    assertRate(presence.length / PRESENCE_MILDNESS, presenceRate)
    assertSize(app, presence)
    if (app.overQuota) throw ablyError(40112, undefined, 429)
    app.stats.count("inbound", "realtime", { action: Action.PRESENCE, presence })
    app.channel(name).presence.apply(id, publisher.frameId, presence)
  }

  /** Publishing needs no attachment, but one without the mode forbids it (§6.1, 40165). */
  function assertMode(wireName: string, mode: ModeName) {
    const attachment = connection.attachments.get(wireName)
    if (!attachment || attachment.modes & Mode[mode]) return
    const name = parseChannelName(wireName)
    assertPermitted(credentials, name, OPERATION_OF[mode] ?? "publish")
    throw ablyError(40165, `the client did not request the ${mode} mode when attaching`)
  }

  function assertRate(count: number, counted = rate) {
    if (!counted.take(count)) throw ablyError(42911)
  }

  return connection
}

const OPERATION_OF: Partial<Record<ModeName, "publish" | "presence" | "annotation-publish">> = {
  PUBLISH: "publish",
  PRESENCE: "presence",
  ANNOTATION_PUBLISH: "annotation-publish",
}
