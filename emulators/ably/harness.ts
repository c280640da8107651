import { createHmac } from "node:crypto"
import { decode } from "@msgpack/msgpack"
import * as Ably from "ably"
import { expect, vi } from "vitest"
import { WebSocket } from "ws"
import { Action, type ActionName, type ProtocolMessage } from "./protocol.ts"
import type { AblyEmulator } from "./server.ts"

/** Both formats of the wire; most suites run in each. */
export const FORMATS = [
  { format: "msgpack", useBinaryProtocol: true },
  { format: "json", useBinaryProtocol: false },
] as const

type WithDispose<T> = T & AsyncDisposable

/** The official SDK, unmodified, pointed at the emulator; closes itself at the end of the test. */
export function openRealtime(
  emulator: AblyEmulator,
  options: Ably.ClientOptions = {},
): WithDispose<Ably.Realtime> {
  const hasAuth = options.token || options.authCallback || options.authUrl || options.key
  const client = new Ably.Realtime({
    ...emulator.clientOptions,
    ...(hasAuth ? {} : { key: emulator.key }),
    logLevel: 0,
    disconnectedRetryTimeout: 50,
    suspendedRetryTimeout: 50,
    ...options,
  })
  return Object.assign(client, {
    async [Symbol.asyncDispose]() {
      client.close()
    },
  })
}

export function openRest(emulator: AblyEmulator, options: Ably.ClientOptions = {}): Ably.Rest {
  const hasAuth = options.token || options.authCallback || options.authUrl || options.key
  return new Ably.Rest({
    ...emulator.clientOptions,
    ...(hasAuth ? {} : { key: emulator.key }),
    logLevel: 0,
    ...options,
  })
}

/** A JWT as an application's server makes it, with nothing of ours involved. */
export function signJwt(
  claims: Record<string, unknown>,
  { secret = "secret", kid = "app.key", now = Date.now() } = {},
) {
  const iat = Math.floor(now / 1000)
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url")
  const text = `${encode({ alg: "HS256", typ: "JWT", kid })}.${encode({ iat, exp: iat + 3600, ...claims })}`
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`
}

/** Waits until the assertion holds. */
export function until<T>(assertion: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(assertion, { timeout: 15_000, interval: 5 })
}

export async function connected(client: Ably.Realtime): Promise<void> {
  await client.connection.whenState("connected")
}

/** What a rejected SDK call was rejected with. */
export async function errorOf(operation: Promise<unknown>): Promise<Ably.ErrorInfo> {
  return operation.then(
    () => expect.fail("the operation was not refused"),
    (error: Ably.ErrorInfo) => error,
  )
}

export interface RawSocket extends AsyncDisposable {
  readonly frames: ProtocolMessage[]
  readonly isClosed: boolean
  /** WebSocket pings so far. */
  readonly pings: number
  send(frame: object | string | Uint8Array): void
  /** The first frame with this action that the assertion accepts, waiting for it. */
  next(action: ActionName, accept?: (frame: ProtocolMessage) => boolean): Promise<ProtocolMessage>
}

/** A client that sends what no SDK would. Objects are sent as JSON, strings and bytes as they are. */
export async function openRaw(
  emulator: AblyEmulator,
  query: Record<string, string> = {},
): Promise<RawSocket> {
  const params = new URLSearchParams({ key: emulator.key, v: "6", ...query })
  const socket = new WebSocket(`ws://${emulator.host}:${emulator.port}/?${params}`)
  const frames: ProtocolMessage[] = []
  let isClosed = false
  let pings = 0
  socket.on("ping", () => {
    pings++
  })
  socket.on("message", (data: Buffer, isBinary: boolean) => {
    frames.push(isBinary ? (decode(data) as ProtocolMessage) : JSON.parse(data.toString("utf8")))
  })
  socket.on("close", () => {
    isClosed = true
  })
  socket.on("error", () => {})
  await new Promise((resolve) => socket.once("open", resolve))
  return {
    frames,
    get isClosed() {
      return isClosed
    },
    get pings() {
      return pings
    },
    send(frame) {
      socket.send(typeof frame === "string" || frame instanceof Uint8Array ? frame : JSON.stringify(frame))
    },
    next: (action, accept = () => true) =>
      until(() => {
        const frame = frames.find((one) => one.action === Action[action] && accept(one))
        if (!frame) throw new Error(`no ${action} frame among ${JSON.stringify(frames)}`)
        return frame
      }),
    async [Symbol.asyncDispose]() {
      socket.terminate()
    },
  }
}

/**
 * The SDK at the vendor's own host, on `globalThis.WebSocket`, which is the only one that msw replaces: the Node build's own
 * (`ws`) would connect and then carry nothing. JSON, because the Node build's msgpack wants `ws`'s buffers.
 */
export function openRealtimeAtVendor(key: string): WithDispose<Ably.Realtime> {
  const platform = (
    Ably.Rest as unknown as { Platform: { Config: { WebSocket: unknown; binaryType: string } } }
  ).Platform
  platform.Config.WebSocket = globalThis.WebSocket
  platform.Config.binaryType = "arraybuffer"
  const client = new Ably.Realtime({
    key,
    useBinaryProtocol: false,
    logLevel: 0,
    disconnectedRetryTimeout: 50,
  })
  return Object.assign(client, {
    async [Symbol.asyncDispose]() {
      client.close()
    },
  })
}
