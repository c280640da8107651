import { type App, type AppSetup, createApp } from "./app.ts"
import { breakContinuity, detachByServer } from "./attach.ts"
import { type Clock, createSkewedClock, type SkewedClock, systemClock } from "./clock.ts"
import type { Connection } from "./connection.ts"
import { ablyError } from "./errors.ts"
import { createFaults, type FaultMatch, type Faults } from "./faults.ts"
import type { Limits } from "./limits.ts"
import { createRandom, type Random } from "./random.ts"
import { handleRest } from "./rest.ts"
import type { RestRequest, RestResponse } from "./route.ts"
import { createSession, type Session, type Socket } from "./session.ts"
import type { Token } from "./tokens.ts"
import { postByFetch, type WebhookSender } from "./webhooks.ts"

export interface ServiceOptions {
  /** One app with one key unless given. */
  apps?: AppSetup[]
  clock?: Clock
  /** Makes ids and fault probabilities repeat. */
  seed?: number
  /** For every app; an app's own come on top. */
  limits?: Partial<Limits>
  /** How webhooks are posted: by `fetch`, unless told. */
  sendWebhook?: WebhookSender
}

/** Which connections an operation is about; nothing means all. */
export type ConnectionMatch = Pick<FaultMatch, "appId" | "connectionId" | "clientId">

/** The whole service without any I/O: mounts feed it sockets and requests. */
export interface AblyService {
  readonly apps: ReadonlyMap<string, App>
  readonly clock: SkewedClock
  readonly random: Random
  readonly faults: Faults
  readonly sessions: Set<Session>
  accept(socket: Socket, query: URLSearchParams): Session
  request(request: RestRequest): Promise<RestResponse | undefined>
  addApp(setup: AppSetup): App
  removeApp(appId: string): void

  /** Ends sockets without a closing frame; the connections can be resumed. */
  dropConnections(match?: ConnectionMatch): void
  /** DISCONNECTED with a code, 80003 unless given (ably-protocol.md §4.4). */
  disconnect(match?: ConnectionMatch, code?: number): void
  /** ERROR with a code: fatal, unless it is a token error. */
  fail(match: ConnectionMatch, code: number): void
  /** AUTH: asks for a new token. */
  requestReauth(match?: ConnectionMatch): void
  /** DETACHED unasked (§5.2). */
  detach(match: ConnectionMatch & { channel: string }, code?: number): void
  /** ATTACHED unasked, without RESUMED: what was missed on the channel is lost (§5.1). 90003 unless given. */
  breakContinuity(match: ConnectionMatch & { channel: string }, code?: number): void
  /** Tokens expire now, those in use by DISCONNECTED 40142, and are refused from then on. */
  expireTokens(match?: ConnectionMatch): void
  /** The same with 40141. */
  revokeTokens(match?: ConnectionMatch): void
  /** Forgets a connection's state, so that its resume fails with 80008. */
  forgetConnections(match?: ConnectionMatch): void
  /** Forgets a channel's stream, so that no earlier `channelSerial` is honoured (90003). */
  forgetChannel(channel: string, appId?: string): void
  close(): void
}

export function createAblyService(options: ServiceOptions = {}): AblyService {
  const clock = createSkewedClock(options.clock ?? systemClock)
  const random = createRandom(options.seed)
  const apps = new Map<string, App>()

  const service: AblyService = {
    apps,
    clock,
    random,
    faults: createFaults(createRandom(options.seed)),
    sessions: new Set(),
    accept: (socket, query) => createSession(service, socket, query),
    request: (request) => handleRest(service, request),
    addApp(setup) {
      const { limits, sendWebhook = postByFetch } = options
      const app = createApp(setup, { clock, random, sendWebhook, ...(limits ? { limits } : {}) })
      apps.set(app.id, app)
      return app
    },
    removeApp(appId) {
      const app = apps.get(appId)
      apps.delete(appId)
      app?.channels.clear()
      app?.tokens.clear()
      for (const connection of live({ appId })) connection.fail(ablyError(40400, "the application is gone"))
    },
    dropConnections(match) {
      for (const session of sessions(match)) session.cut()
    },
    disconnect(match, code = 80003) {
      for (const connection of live(match)) connection.disconnect(ablyError(code))
    },
    fail(match, code) {
      for (const connection of live(match)) connection.fail(ablyError(code))
    },
    requestReauth(match) {
      for (const connection of live(match)) connection.requestReauth()
    },
    detach({ channel, ...match }, code = 50000) {
      for (const connection of live(match)) detachByServer(connection, channel, ablyError(code))
    },
    breakContinuity({ channel, ...match }, code = 90003) {
      for (const connection of live(match)) breakContinuity(connection, channel, ablyError(code))
    },
    expireTokens(match) {
      endTokens(match, 40142)
    },
    revokeTokens(match) {
      endTokens(match, 40141)
    },
    forgetConnections(match) {
      for (const connection of known(match)) connection.forget()
    },
    forgetChannel(channel, appId) {
      for (const app of apps.values()) {
        if (appId === undefined || app.id === appId) app.channels.get(channel)?.forget()
      }
    },
    close() {
      for (const session of [...service.sessions]) session.cut()
    },
  }

  function sessions(match: ConnectionMatch = {}): Session[] {
    return [...service.sessions].filter((session) =>
      session.connection ? matches(session.connection, match) : Object.keys(match).length === 0,
    )
  }

  function live(match?: ConnectionMatch): Connection[] {
    return known(match).filter((connection) => connection.transport !== undefined)
  }

  function known(match: ConnectionMatch = {}): Connection[] {
    const all = [...apps.values()].flatMap((app) => [...app.connections.values()])
    return all.filter((connection) => matches(connection, match))
  }

  /** Those that nobody is connected with are meant too, unless a connection is named. */
  function tokens({ appId, connectionId, clientId }: ConnectionMatch = {}): Token[] {
    if (connectionId !== undefined) return []
    const all = [...apps.values()].filter((app) => appId === undefined || app.id === appId)
    return all
      .flatMap((app) => [...app.tokens.values()])
      .filter((token) => clientId === undefined || token.clientId === clientId)
  }

  function endTokens(match: ConnectionMatch | undefined, code: 40141 | 40142) {
    const using = known(match).filter((connection) => connection.credentials.token)
    for (const token of [...tokens(match), ...using.map((connection) => connection.credentials.token)]) {
      if (token) token.ended = code
    }
    for (const connection of using) {
      if (connection.transport) connection.disconnect(ablyError(code))
    }
  }

  for (const setup of options.apps ?? [{}]) service.addApp(setup)
  return service
}

function matches(connection: Connection, { appId, connectionId, clientId }: ConnectionMatch): boolean {
  return (
    (appId === undefined || connection.app.id === appId) &&
    (connectionId === undefined || connection.id === connectionId) &&
    (clientId === undefined || connection.clientId === clientId)
  )
}
