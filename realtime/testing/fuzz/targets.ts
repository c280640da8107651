import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import fc from "fast-check"
import { Server } from "socket.io"
import { io, type Socket } from "socket.io-client"
import { createManualClock as createAblyClock } from "../../../emulators/ably/clock.ts"
import { createAblyService } from "../../../emulators/ably/service.ts"
import { createPusherEmulator } from "../../../emulators/pusher/emulator.ts"
import {
  parseLogHead,
  parseLogPage,
  parseSignal,
  parseUser,
  parseWireMessage,
  parseWireMessages,
} from "../../message.ts"
import * as ably from "../../providers/ably/mapping.ts"
import * as pusher from "../../providers/pusher/mapping.ts"
import { attachGateway, createBroadcaster } from "../../providers/socketio/gateway.ts"
import * as socketio from "../../providers/socketio/mapping.ts"
import { parseSnapshotPage } from "../../snapshot.ts"
import { parseStatePage, parseStatePatches } from "../../state.ts"
import { contractChannels, createContractRealtime } from "../transport-contract/backend.ts"
import {
  anyText,
  anything,
  channel,
  deepText,
  message,
  messages,
  nearly,
  outgoing,
  signal,
  user,
  word,
} from "./inputs.ts"

/** Something that strangers send to, as a running one of it. */
export interface Target extends AsyncDisposable {
  /** Resolves when it has dealt with the input; rejects when it failed, hung or stopped serving others. */
  take(input: unknown): Promise<void>
}

export interface FuzzTarget {
  inputs: fc.Arbitrary<unknown>
  open(): Promise<Target>
}

/** Longer than any answer takes on a busy machine. */
const patienceMs = 10_000

async function inTime<T>(what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} hangs`)), patienceMs)
  })
  return Promise.race([work, limit]).finally(() => clearTimeout(timer))
}

/** What is reported as a fault of the server's own, which no input may cause. */
function createFaults() {
  const faults: unknown[] = []
  return {
    onError: (error: unknown) => void faults.push(error),
    check() {
      const [fault] = faults.splice(0)
      if (fault) throw fault
      if (({} as { polluted?: unknown }).polluted !== undefined)
        throw new Error("Object.prototype was changed")
    },
  }
}

/** The WebSocket below a client's socket. */
const wireOf = (socket: Socket) =>
  (socket.io.engine.transport as unknown as { ws: { send(data: string | Uint8Array): void } | null }).ws

const uuid = "01890000-0000-7000-8000-000000000000"
const alice = { id: "alice" }

export const fuzzTargets: Record<string, FuzzTarget> = {
  "the mappings": {
    inputs: fc.oneof(anything, message, signal, fc.array(message, { maxLength: 3 }), user, fc.string()),
    async open() {
      const readers: ((input: unknown) => unknown)[] = [
        ...[parseLogHead, parseLogPage, parseSignal, parseUser, parseWireMessage, parseWireMessages],
        ...[parseStatePage, parseStatePatches],
        (input) => parseStatePatches([input]),
        (input) =>
          parseSnapshotPage({ head: { epoch: "", seq: 0, first: 1 }, messages: [], snapshot: input }),
        ...[socketio.fromAnswer, socketio.fromConnectError],
        (input) => pusher.fromMessagesEvent("room:1", input),
        (input) => pusher.fromSignalEvent("room:1", input),
        (input) => pusher.fromMemberIds([input]),
        (input) => pusher.fromMembers([input]),
        (input) => pusher.fromPusherName(typeof input === "string" ? input : ""),
        ...[pusher.fromWebhook, pusher.fromConnectionError, pusher.fromRequestError],
        (input) => ably.fromAblyMessage("room:1", { data: input }),
        (input) => ably.fromAblyMessage("room:1", { data: JSON.stringify(input) }),
        ...[
          ably.fromClientId,
          ably.fromMessagesChannel,
          ably.fromWebhook,
          ably.webhookDate,
          ably.fromAblyError,
        ],
      ]
      const isRefusal = (error: unknown) => error instanceof Error && error.name === "RealtimeError"
      return {
        async take(input) {
          for (const read of readers)
            try {
              read(input)
            } catch (error) {
              if (!isRefusal(error)) throw error
            }
        },
        async [Symbol.asyncDispose]() {},
      }
    },
  },

  "the HTTP routes": {
    inputs: fc.record({
      method: fc.constantFrom("GET", "POST"),
      path: word(
        "history",
        "head",
        "counts",
        "members",
        "config",
        "publish",
        "signal",
        "state",
        "snapshot",
        "credentials/memory",
        "webhooks/x",
      ),
      query: fc.dictionary(
        word("channel", "after", "before", "limit"),
        fc.oneof(channel, fc.string(), fc.nat().map(String)),
      ),
      type: fc.constantFrom("application/json", "application/json; charset=utf-8", "text/plain", ""),
      body: fc.oneof(
        nearly({
          ...{ channel, messages, event: word("typing"), payload: nearly({ isTyping: fc.boolean() }) },
          ...{ keys: fc.array(anyText), before: fc.nat() },
        }).map((body) => JSON.stringify(body)),
        anyText,
        deepText.map(
          (deep) => `{"channel":"room:1","messages":[{"id":"${uuid}","event":"anything","payload":${deep}}]}`,
        ),
        fc.uint8Array(),
      ),
    }),
    async open() {
      const { onError, check } = createFaults()
      const realtime = createContractRealtime({ publishers: [], onError })
      return {
        async take(input) {
          const { method, path, query, type, body } = input as {
            method: "GET" | "POST"
            path: string
            query: Record<string, string>
            type: string
            body: string | Uint8Array<ArrayBuffer>
          }
          const url = `http://fuzz.test/api/realtime/${encodeURI(path).replace(/[?#]/g, "")}?${new URLSearchParams(query)}`
          const request = new Request(url, {
            method,
            headers: { "x-contract-user": encodeURIComponent(JSON.stringify(alice)), "content-type": type },
            ...(method === "POST" && { body }),
          })
          const response = await inTime("an answer", realtime.handlers[method](request))
          const answer = await response.json()
          check()
          if (response.status >= 500 && response.status !== 501)
            throw new Error(`answered ${response.status}: ${JSON.stringify(answer)}`)
        },
        [Symbol.asyncDispose]: () => realtime.close(),
      }
    },
  },

  "the gateway's packets": {
    inputs: fc.oneof(
      fc.record({
        event: word(
          "subscribe",
          "unsubscribe",
          "publish",
          "signal",
          "watch",
          "state",
          "enter",
          "leave",
          "disconnect",
        ),
        args: fc.array(fc.oneof(channel, messages, outgoing, word("typing"), anything), { maxLength: 4 }),
      }),
      fc.record({
        frame: fc.oneof(fc.string(), fc.uint8Array(), word("2", "40", "41", "42[", '42["publish"', "451-")),
      }),
    ),
    async open() {
      const { onError, check } = createFaults()
      const http = createServer()
      const server = new Server(http, { serveClient: false, connectTimeout: 1_000 })
      const broadcaster = createBroadcaster({ io: server, secret: "a secret of this run, long enough" })
      const realtime = createContractRealtime({ publishers: [broadcaster.publisher], onError })
      const gateway = attachGateway({ broadcaster, core: realtime.core, onError })
      await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
      const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
      const { ticket } = (await broadcaster.publisher.credentials({
        ...{ user: alice, body: {} },
        authorize: async () => {},
        acceptPresence: async () => null,
      })) as { ticket: string }
      const options = { transports: ["websocket"], forceNew: true, reconnection: false, auth: { ticket } }
      const room = contractChannels.room({ room: "1" }).name

      async function connect(): Promise<Socket> {
        const socket = io(url, options)
        await inTime("a connection", new Promise((resolve) => socket.once("connect", () => resolve(null))))
        return socket
      }
      const bystander = await connect()
      let odd = await connect()
      return {
        async take(input) {
          const { event, args, frame } = input as {
            event?: string
            args?: unknown[]
            frame?: string | Uint8Array
          }
          // An earlier frame may have cost it the connection, of which the socket learns late.
          if (!odd.connected || !wireOf(odd)) odd = await connect()
          if (frame !== undefined) {
            wireOf(odd)?.send(frame)
          } else {
            // What the client library refuses to send isn't the gateway's to answer.
            const isReserved = [
              "connect",
              "connect_error",
              "disconnect",
              "disconnecting",
              "newListener",
              "removeListener",
            ]
            if (!isReserved.includes(event ?? "")) odd.emit(event ?? "", ...(args ?? []))
          }
          await inTime("somebody else's request", bystander.emitWithAck("subscribe", room, null))
          check()
        },
        async [Symbol.asyncDispose]() {
          gateway.stop()
          odd.disconnect()
          bystander.disconnect()
          await server.close()
          await realtime.close()
        },
      }
    },
  },

  "Pusher's emulator": {
    inputs: fc.oneof(
      anyText,
      fc.uint8Array(),
      nearly({
        event: word("pusher:subscribe", "pusher:unsubscribe", "pusher:signin", "pusher:ping", "client-a"),
        channel: word("private-room", "presence-room", "private-encrypted-room", "cache-room", "room"),
        data: fc.oneof(
          nearly({ channel: word("private-room", "room"), auth: fc.string(), channel_data: fc.string() }),
          anyText,
        ),
      }).map((frame) => JSON.stringify(frame)),
      fc.record({
        method: fc.constantFrom("GET", "POST", "DELETE"),
        path: word(
          "/apps/app-id/events",
          "/apps/app-id/batch_events",
          "/apps/app-id/channels",
          "/apps/app-id/channels/x/users",
        ),
        query: fc.string(),
        body: fc.oneof(
          fc.string(),
          anything.map((body) => JSON.stringify(body) ?? ""),
        ),
      }),
    ),
    async open() {
      const emulator = createPusherEmulator({})
      const connect = () => {
        const sent: string[] = []
        const socket = emulator.connect(
          { url: "/app/app-key?protocol=7", isTLS: false },
          { send: (data) => void sent.push(String(data)), close: () => {}, terminate: () => {} },
        )
        return { socket, sent }
      }
      return {
        async take(input) {
          if (typeof input === "object" && input !== null && "method" in input) {
            const request = {
              headers: {},
              ...(input as { method: string; path: string; query: string; body: string }),
            }
            const answer = await emulator.handle(request)
            if (typeof answer === "object" && answer.status >= 500)
              throw new Error(`answered ${answer.status}`)
            return
          }
          const odd = connect()
          odd.socket.receive(input as string | Uint8Array)
          odd.socket.closed()
          const other = connect()
          other.socket.receive(JSON.stringify({ event: "pusher:ping", data: {} }))
          if (!other.sent.some((frame) => frame.includes("pusher:pong")))
            throw new Error("nobody answers any more")
          other.socket.closed()
        },
        async [Symbol.asyncDispose]() {},
      }
    },
  },

  "Ably's emulator": {
    inputs: fc.oneof(
      anyText,
      fc.uint8Array(),
      nearly({
        action: fc.integer({ min: -1, max: 25 }),
        channel: word("room", "mutable:room", "[meta]log", "[filter=bmFtZQ==]room"),
        channelSerial: fc.string(),
        msgSerial: fc.nat({ max: 5 }),
        flags: fc.nat(),
        params: fc.dictionary(word("rewind", "modes", "occupancy"), fc.string()),
        messages,
        presence: messages,
        annotations: messages,
      }).map((frame) => JSON.stringify(frame)),
    ),
    async open() {
      const clock = createAblyClock()
      const service = createAblyService({ seed: 1, clock })
      const [app] = service.apps.values()
      const [key] = app?.keys ?? []
      const connect = () => {
        const sent: string[] = []
        const session = service.accept(
          {
            send: (data) => void sent.push(String(data)),
            ping: () => {},
            close: () => {},
            terminate: () => {},
          },
          new URLSearchParams({ key: `${key?.name}:${key?.secret}`, v: "6" }),
        )
        return { sent, session }
      }
      return {
        async take(input) {
          const odd = connect()
          odd.session.receive(input as string | Uint8Array)
          if (odd.sent.some((frame) => frame.includes('"code":50000'))) throw new Error(odd.sent.join("\n"))
          odd.session.closed()
          const other = connect()
          other.session.receive(JSON.stringify({ action: 0, id: "alive" }))
          if (!other.sent.at(-1)?.includes("alive")) throw new Error("nobody answers any more")
          other.session.closed()
          // What a connection leaves behind is kept for two minutes, for its return.
          clock.advance(600_000)
        },
        async [Symbol.asyncDispose]() {},
      }
    },
  },
}
