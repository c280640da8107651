import { type App, type AppHandle, createApp } from "./app.ts"
import { type Clock, systemClock } from "./clock.ts"
import type { Socket } from "./connection.ts"
import { createControlApi } from "./control-api.ts"
import { closeReason, type ErrorCode, errorMessages } from "./errors.ts"
import { createFaultControl, type FaultControl } from "./fault-control.ts"
import { createFaults, type FaultScope, isNamed } from "./faults.ts"
import { parseHandshake } from "./handshake.ts"
import type { HttpOutcome, HttpRequest } from "./http.ts"
import { createHttpApi } from "./http-api.ts"
import { createRandom } from "./random.ts"
import { defaultApp, type PusherAppSettings } from "./settings.ts"
import type { WebhookSender } from "./webhooks.ts"

/** What the service is made from, with a network or without. */
export interface PusherEmulatorOptions {
  /** One app with id `1`, key `app-key` and secret `app-secret`, unless told. */
  apps?: readonly PusherAppSettings[]
  /** Where it gets its time. The machine's, unless given. */
  clock?: Clock
  /** Makes socket ids and the probabilities of faults repeat from run to run; they are random unless it is given. */
  seed?: number
  /** How webhooks are posted: by `fetch`, unless told. */
  sendWebhook?: WebhookSender
}

/** The handshake of a socket. */
export interface ConnectRequest {
  /** Path and query, as in `/app/{key}?protocol=7`. */
  url: string
  /** Whether it came by `wss:`. */
  isTLS: boolean
  /** Of the host name, where there is one. */
  cluster?: string
  /** The page that connects, as browsers say it. */
  origin?: string
}

/** What a mount does with a socket once it is open. */
export interface ConnectedSocket {
  /** Of none, when the handshake was refused. */
  readonly socketId?: string
  /** Takes a frame of the client. */
  receive(data: string | Uint8Array): void
  /** The client has closed the socket, or lost it. */
  closed(): void
}

/**
 * The service without a network: sockets and requests go in, frames and answers come out, and time is a clock's. The
 * mounts `server.ts` and `msw.ts` put it on the wire.
 */
export interface PusherEmulator {
  /** In the order in which they were given. */
  readonly apps: readonly App[]
  /** By id or key; the first app unless told. */
  app(idOrKey?: string): App
  /** Puts faults in and takes them out. */
  readonly faults: FaultControl
  /** Cuts connections without a close frame, as a network does; answers how many. */
  dropConnections(scope?: FaultScope): number
  /** Takes an open socket. */
  connect(request: ConnectRequest, socket: Socket): ConnectedSocket
  /** Answers a request of the HTTP API. */
  handle(request: HttpRequest): Promise<HttpOutcome>
  /** Cuts every connection and forgets every timer. */
  stop(): void
}

/** Makes the service without a network. */
export function createPusherEmulator(options: PusherEmulatorOptions = {}): PusherEmulator {
  const { clock = systemClock, sendWebhook = postByFetch } = options
  const random = createRandom(options.seed)
  const faults = createFaults(random)
  const apps = (options.apps ?? [defaultApp]).map((settings) =>
    createApp(settings, { clock, random, faults, sendWebhook }),
  )
  const byId = (id: string) => apps.find((app) => app.id === id)
  const byKey = (key: string) => apps.find((app) => app.key === key)
  const httpApi = createHttpApi({ apps: { byId }, clock, faults })

  /** Why a handshake is refused; in the order in which the service finds out (pusher/README.md §1.3). */
  function accept(
    request: ConnectRequest,
  ): { app: AppHandle; protocol: number } | { code: ErrorCode; reason?: string } {
    const handshake = parseHandshake(request.url)
    if (handshake.key === undefined) return { code: 4005 }
    const app = byKey(handshake.key)
    const isElsewhere = request.cluster && app?.settings.cluster && request.cluster !== app.settings.cluster
    if (!app || isElsewhere)
      return {
        code: 4001,
        reason: `App key ${handshake.key} not in this cluster. Did you forget to specify the cluster?`,
      }
    if (!app.settings.enabled) return { code: 4003 }
    if (app.settings.forceTLS && !request.isTLS) return { code: 4000 }
    if ("refusal" in handshake) return { code: handshake.refusal }
    const { allowedOrigins } = app.settings
    if (allowedOrigins && !allowedOrigins.some((allowed) => isNamed(allowed, request.origin)))
      return { code: 4009, reason: "Origin not allowed" }
    return { app, protocol: handshake.protocol }
  }

  const faultControl = createFaultControl(faults, apps)

  const emulator: PusherEmulator = {
    apps,
    app(idOrKey) {
      const app = idOrKey === undefined ? apps[0] : (byId(idOrKey) ?? byKey(idOrKey))
      if (!app)
        throw new TypeError(`[emulators/pusher] unable to find an app; none has the id or key "${idOrKey}"`)
      return app
    },
    faults: faultControl,
    dropConnections: (scope = {}) => faultControl.inject({ ...scope, kind: "cut" }).hits,

    connect(request, wire) {
      const socket = {
        ...wire,
        close: (code: number, reason: string) => wire.close(code, closeReason(reason)),
      }
      const accepted = accept(request)
      if ("app" in accepted) return accepted.app.connect(socket, accepted.protocol)
      // The socket was accepted (101) and is then closed with the code.
      socket.close(accepted.code, accepted.reason ?? errorMessages[accepted.code])
      return { receive: () => {}, closed: () => {} }
    },

    async handle(request) {
      return (await controlApi.handle(request)) ?? (await httpApi.handle(request))
    },

    stop() {
      for (const app of apps) app.stop()
    },
  }
  const controlApi = createControlApi(emulator)
  return emulator
}

const postByFetch: WebhookSender = async ({ url, headers, body }) => {
  const response = await fetch(url, { method: "POST", headers, body, redirect: "manual" })
  // Read to the end, so that the connection can be used again.
  await response.arrayBuffer()
  return response.status
}
