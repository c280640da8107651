/** What the emulator's tests talk to it with: the official SDKs, and a bare socket on the core. */
import Pusher from "pusher"
import PusherJs, { type Channel, type Options } from "pusher-js"
import { vi } from "vitest"
import { createManualClock, type ManualClock } from "./clock.ts"
import { createPusherEmulator, type PusherEmulator, type PusherEmulatorOptions } from "./emulator.ts"
import type { PusherService } from "./services.ts"

/** Against hanging, on a busy machine too; no measure of anything. */
const LIMIT_MS = 15_000
vi.setConfig({ testTimeout: 2 * LIMIT_MS })

export interface SdkClientOptions {
  /** Id or key of the app; the first unless told. */
  app?: string
  /** Who joins presence channels. */
  member?: { user_id: string; user_info?: Record<string, unknown> }
  /** Who signs in. */
  user?: { id: string; user_info?: Record<string, unknown>; watchlist?: string[] }
  options?: Partial<Options>
}

interface PusherError {
  data?: { code?: number | null; message?: string }
}

export interface SdkClient extends Disposable {
  readonly pusher: PusherJs
  readonly socketId: string
  /** The errors that the connection has told of. */
  readonly errors: { code: number | null | undefined; message: string | undefined }[]
  connected(): Promise<void>
  /** Resolves once the service has confirmed. */
  subscribe(channel: string): Promise<Channel>
}

/** pusher-js, authorized by the server library with the app's own secret, as an application would do it. */
export function createSdkClient(emulator: PusherService, settings: SdkClientOptions = {}): SdkClient {
  const app = emulator.app(settings.app)
  const library = createServerLibrary(emulator, settings.app)
  const pusher = new PusherJs(app.key, {
    ...emulator.clientOptions(),
    channelAuthorization: {
      customHandler: ({ socketId, channelName }, callback) =>
        callback(null, library.authorizeChannel(socketId, channelName, memberFor(channelName, settings))),
    },
    userAuthentication: {
      customHandler: ({ socketId }, callback) =>
        callback(null, library.authenticateUser(socketId, settings.user ?? { id: "nobody" })),
    },
    ...settings.options,
  })
  const errors: SdkClient["errors"] = []
  pusher.connection.bind("error", (error: PusherError & { error?: PusherError }) => {
    // An error event comes as it is; an error of the socket wraps it.
    const data = error.data ?? error.error?.data
    errors.push({ code: data?.code, message: data?.message })
  })

  return {
    pusher,
    get socketId() {
      return pusher.connection.socket_id
    },
    errors,
    connected: () => until(() => pusher.connection.state === "connected"),
    async subscribe(name) {
      const channel = pusher.subscribe(name)
      await until(() => channel.subscribed)
      return channel
    },
    [Symbol.dispose]: () => pusher.disconnect(),
  }
}

function memberFor(channel: string, { member }: SdkClientOptions): Pusher.PresenceChannelData | undefined {
  return channel.startsWith("presence-") ? member : undefined
}

export function createServerLibrary(
  emulator: PusherService,
  idOrKey?: string,
  options: Partial<Pusher.Options> = {},
): Pusher {
  return new Pusher({ ...emulator.serverOptions(idOrKey), ...options })
}

export interface Received {
  event: string
  data: unknown
  user_id?: string
}

/** What reaches the channel's listeners from now on. */
export function record(channel: Channel): Received[] {
  const received: Received[] = []
  channel.bind_global((event: string, data: unknown) => received.push({ event, data }))
  return received
}

/** Waits for a condition. */
export async function until(condition: () => unknown): Promise<void> {
  await vi.waitFor(
    () => {
      if (!condition()) throw new Error(`waited in vain for ${condition}`)
    },
    { timeout: LIMIT_MS, interval: 5 },
  )
}

/** What passes over the sockets of pusher-js from now on; the SDK is as it is, only its sockets are listened to. */
export interface SocketTap extends Disposable {
  readonly urls: string[]
  readonly sent: Frame[]
  /** As they came; `data` of what isn't text. */
  readonly received: unknown[]
  /** What it has sent by this name. */
  sentOf(event: string): Frame[]
  /** What it was sent by this name. */
  receivedOf(event: string): Frame[]
}

/** Of the build for Node, unless told. */
export function tapSockets(runtime: typeof PusherJs.Runtime = PusherJs.Runtime): SocketTap {
  const { createWebSocket } = runtime
  const urls: string[] = []
  const sent: Frame[] = []
  const received: unknown[] = []
  runtime.createWebSocket = (url) => {
    const socket = createWebSocket.call(runtime, url) as ReturnType<typeof createWebSocket> & EventTarget
    const send = socket.send.bind(socket)
    socket.send = (text) => {
      sent.push(JSON.parse(text))
      send(text)
    }
    socket.addEventListener("message", (event) => received.push((event as MessageEvent).data))
    urls.push(url)
    return socket
  }
  return {
    urls,
    sent,
    received,
    sentOf: (event) => sent.filter((frame) => frame.event === event),
    receivedOf: (event) =>
      received.map((text) => JSON.parse(String(text))).filter((frame) => frame.event === event),
    [Symbol.dispose]: () => {
      runtime.createWebSocket = createWebSocket
    },
  }
}

export interface Frame {
  event: string
  channel?: string
  data?: unknown
  user_id?: string
}

export interface BareSocket {
  readonly frames: Frame[]
  /** The frames with this event's name. */
  of(event: string): Frame[]
  readonly socketId: string
  readonly closed: { code: number; reason: string } | "terminated" | undefined
  /** Says a text as it is, or a frame as JSON. */
  say(frame: string | Uint8Array | object): void
  hangUp(): void
}

/** A socket on the core, without a network: what it is told is there at once. */
export function openSocket(
  emulator: PusherEmulator,
  url = "/app/app-key?protocol=7",
  isTLS = false,
): BareSocket {
  const frames: Frame[] = []
  let closed: BareSocket["closed"]
  const connection = emulator.connect(
    { url, isTLS },
    {
      send: (text) => frames.push(JSON.parse(text)),
      close: (code, reason) => {
        closed = { code, reason }
      },
      terminate: () => {
        closed = "terminated"
      },
    },
  )
  const of = (event: string) => frames.filter((frame) => frame.event === event)
  return {
    frames,
    of,
    get socketId() {
      return JSON.parse(String(of("pusher:connection_established")[0]?.data)).socket_id
    },
    get closed() {
      return closed
    },
    say: (frame) =>
      connection.receive(
        typeof frame === "string" || frame instanceof Uint8Array ? frame : JSON.stringify(frame),
      ),
    hangUp: () => connection.closed(),
  }
}

export function createTestEmulator(
  options: Omit<PusherEmulatorOptions, "clock"> = {},
): PusherEmulator & { clock: ManualClock } {
  const clock = createManualClock()
  return { ...createPusherEmulator({ ...options, clock, seed: options.seed ?? 1 }), clock }
}

/** A signer for bare sockets. */
export function authorize(socketId: string, channel: string, member?: Pusher.PresenceChannelData): object {
  const encryptionMasterKeyBase64 = Buffer.alloc(32).toString("base64")
  const app = { appId: "1", key: "app-key", secret: "app-secret", host: "unused" }
  const library = new Pusher({ ...app, encryptionMasterKeyBase64 })
  return { channel, ...library.authorizeChannel(socketId, channel, member) }
}

/** Subscribes a bare socket, signed. */
export function join(socket: BareSocket, channel: string, member?: Pusher.PresenceChannelData): void {
  socket.say({ event: "pusher:subscribe", data: authorize(socket.socketId, channel, member) })
}
