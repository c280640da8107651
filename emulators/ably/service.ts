import { createApp } from "./app.ts"
import { breakContinuity, detachByServer } from "./attach.ts"
import { type Clock, createSkewedClock, systemClock } from "./clock.ts"
import { ablyError } from "./errors.ts"
import { createFaults } from "./faults.ts"
import type { Limits } from "./limits.ts"
import type { AblyService, App, AppSetup, Connection, ConnectionMatch, Session, Token } from "./model.ts"
import { createRandom } from "./random.ts"
import { handleRest } from "./rest.ts"
import { createSession } from "./session.ts"
import { postByFetch, type WebhookSender } from "./webhooks.ts"

/** What the service is made from, with a network or without. */
export interface ServiceOptions {
  /** One app with one key unless given. */
  apps?: AppSetup[]
  /** Where it gets its time. The machine's, unless given. */
  clock?: Clock
  /** Makes ids and fault probabilities repeat from run to run; they are random unless it is given. */
  seed?: number
  /** What differs from the service's own, for every app; an app's own come on top. */
  limits?: Partial<Limits>
  /** How webhooks are posted: by `fetch`, unless told. */
  sendWebhook?: WebhookSender
}

/** The service without a network: sockets and requests go in, frames and answers come out. */
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
