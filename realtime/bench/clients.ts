import { once } from "node:events"
import { join } from "node:path"
import { brotliCompressSync } from "node:zlib"
import type { ClientOptions } from "ably"
import { BaseRealtime, FetchRequest, RealtimePresence, WebSocketTransport } from "ably/modular"
import Pusher from "pusher-js"
import { rolldown } from "rolldown"
import { io } from "socket.io-client"
import { createRealtimeClient, type TransportFactory } from "../client/create-realtime-client.ts"
import { createHttp } from "../client/http.ts"
import { createAblyTransport } from "../providers/ably/client.ts"
import * as ably from "../providers/ably/mapping.ts"
import { createPusherTransport } from "../providers/pusher/client.ts"
import * as pusher from "../providers/pusher/mapping.ts"
import { createSocketIoTransport } from "../providers/socketio/client.ts"
import type { ProviderConfig } from "../publisher.ts"
import type { ClientConfig } from "../server/types.ts"
import { contractChannels } from "../testing/transport-contract/backend.ts"
import { waitFor } from "../testing/wait-for.ts"
import { startMetered } from "./meter.ts"
import { quantile } from "./report.ts"

const room = contractChannels.room({ room: "bench" })

type Receive = (text: string) => void
/** Resolves with how to leave, once what is published arrives. */
type Join = (url: string, receive: Receive) => Promise<() => void>

interface Sdk {
  name: string
  transport: TransportFactory
  /** The module that a page loads for it, and the same with nothing but the SDK in it. */
  code: { factory: string; bare: string }
  joinBare: Join
}

/** What every message of a delivery says. */
function receiveAll(delivery: unknown, receive: Receive): void {
  for (const { payload } of delivery as { payload: { text: string } }[]) receive(payload.text)
}

const httpOf = (url: string) => createHttp({ basePath: `${url}/api/realtime` })

/** The server's own, so that nothing that it answers names another version to follow. */
export async function configOf(url: string): Promise<ClientConfig> {
  const config = (await httpOf(url).config()) as unknown as ClientConfig
  return { ...config, basePath: `${url}/api/realtime` }
}

const providerOf = async (url: string) => (await configOf(url)).providers[0] as ProviderConfig

export const sdks: readonly Sdk[] = [
  {
    name: "socketio",
    transport: createSocketIoTransport,
    code: {
      factory: "createSocketIoTransport",
      bare: `import { io } from "socket.io-client"; globalThis.bare = io("")`,
    },
    async joinBare(url, receive) {
      const { ticket } = (await httpOf(url).credentials("socketio", {})) as { ticket: string }
      const socket = io(url, { transports: ["websocket"], forceNew: true, auth: { ticket } })
      socket.on("messages", (delivery: unknown) => receiveAll(delivery, receive))
      await once(socket as never, "connect")
      await socket.emitWithAck("subscribe", room.name, null)
      return () => void socket.close()
    },
  },
  {
    name: "pusher",
    transport: createPusherTransport,
    code: {
      factory: "createPusherTransport",
      bare: `import Pusher from "pusher-js"; globalThis.bare = new Pusher("key", { cluster: "mt1" })`,
    },
    async joinBare(url, receive) {
      const { key, host, port } = await providerOf(url)
      const client = new Pusher(String(key), {
        ...{ cluster: "mt1", forceTLS: false, enabledTransports: ["ws"] as const },
        ...{ wsHost: String(host), wsPort: Number(port) },
        channelAuthorization: {
          ...{ transport: "ajax", endpoint: "" },
          customHandler({ socketId }, callback) {
            const request = { socketId, channel: room.name, kind: "messages" }
            httpOf(url)
              .credentials("pusher", request)
              .then((signature) => callback(null, signature as never), callback as never)
          },
        },
      } as ConstructorParameters<typeof Pusher>[1])
      const channel = client.subscribe(pusher.messagesChannel(room.name))
      channel.bind(pusher.messagesEvent, (delivery: unknown) => receiveAll(delivery, receive))
      await waitFor(() => channel.subscribed)
      return () => client.disconnect()
    },
  },
  {
    name: "ably",
    transport: createAblyTransport,
    code: {
      factory: "createAblyTransport",
      bare: `import { BaseRealtime, FetchRequest, RealtimePresence, WebSocketTransport } from "ably/modular"; globalThis.bare = new BaseRealtime({ plugins: { FetchRequest, RealtimePresence, WebSocketTransport } })`,
    },
    async joinBare(url, receive) {
      const { endpoint, port } = await providerOf(url)
      // The same build of the SDK as ours, in the same parts.
      const client = new BaseRealtime({
        plugins: { FetchRequest, RealtimePresence, WebSocketTransport },
        ...{ endpoint: String(endpoint), port: Number(port), tls: false, disableConnectivityCheck: true },
        transports: ["web_socket"],
        authCallback(_, callback) {
          httpOf(url)
            .credentials("ably", { channels: [room.name] })
            .then((answer) => callback(null, (answer as { token: string }).token))
        },
      } as ClientOptions & ConstructorParameters<typeof BaseRealtime>[0])
      const channel = client.channels.get(ably.messagesChannel(room.name))
      await channel.subscribe(ably.messagesEvent, ({ data }) =>
        receiveAll(typeof data === "string" ? JSON.parse(data) : data, receive),
      )
      return () => client.close()
    },
  },
]

const joinOurs =
  ({ name, transport }: Sdk): Join =>
  async (url, receive) => {
    const config = await configOf(url)
    const client = createRealtimeClient({ config, providers: { [name]: async () => transport } })
    const { ready } = client
      .channel(room)
      .subscribe({ onMessages: (messages) => receiveAll(messages, receive) })
    client.open()
    await ready
    return () => void client.close()
  }

interface Figures {
  /** From the publish to the handler, in ms. */
  "p50 of delivery": number
  "p99 of delivery": number
  /** Of this process, in µs. */
  "CPU per message": number
}

/** A receiver in this process; the provider and the server that publishes to it are in another. */
async function startReceiver(sdk: Sdk, joinRoom: Join, rate: number) {
  const server = await startMetered("server-provider.ts", [sdk.name])
  let latencies: number[] = []
  let cpu = 0
  const leave = await joinRoom(server.url, (text) => {
    latencies.push(performance.timeOrigin + performance.now() - Number.parseFloat(text))
  })
  return {
    async receive(count: number): Promise<void> {
      const expected = latencies.length + count
      const before = process.cpuUsage()
      await fetch(`${server.url}/publish?count=${count}&rate=${rate}`, { method: "POST" })
      await waitFor(() => latencies.length >= expected)
      const { user, system } = process.cpuUsage(before)
      cpu += user + system
      if (latencies.length !== expected) throw new Error(`${latencies.length} of ${expected} messages came`)
    },
    /** Of what was received since the last time. */
    take(): Figures {
      const figures = {
        "p50 of delivery": quantile(latencies, 0.5),
        "p99 of delivery": quantile(latencies, 0.99),
        "CPU per message": cpu / latencies.length,
      }
      latencies = []
      cpu = 0
      return figures
    },
    async [Symbol.asyncDispose]() {
      leave()
      await server[Symbol.asyncDispose]()
    },
  }
}

interface Load {
  messages: number
  rate: number
}

/**
 * What receiving costs this process. Both are connected all the while and receive by turns of a second: a
 * machine that has grown busy, or a function that has grown fast, befalls both.
 */
export const receiving = ({ messages, rate }: Load) =>
  sdks.map((sdk) => ({
    scenario: `receiving over ${sdk.name}, ${rate} messages/s`,
    targets: { "p50 of delivery": "<= 1.03", "p99 of delivery": "<= 1.08", "CPU per message": "<= 1.1" },
    against: "the bare SDK",
    async measure(rounds: number) {
      await using control = await startReceiver(sdk, sdk.joinBare, rate)
      await using ours = await startReceiver(sdk, joinOurs(sdk), rate)
      const measured: { control: Figures; ours: Figures }[] = []
      for (let round = 0; round <= rounds; round += 1) {
        for (let received = 0; received < messages; received += rate) {
          await control.receive(rate)
          await ours.receive(rate)
        }
        const figures = { control: control.take(), ours: ours.take() }
        // The first round warms up.
        if (round > 0) measured.push(figures)
      }
      return measured
    },
  }))

const root = join(import.meta.dirname, "..")

/**
 * What a page downloads for a module, as browsers get it: minified, by brotli, with what it imports in one
 * piece. What is only downloaded where it is needed isn't in it.
 */
export async function downloadOf(code: string): Promise<number> {
  const entry = join(root, "bench", "page.ts")
  const bundle = await rolldown({
    ...{ input: entry, platform: "browser", logLevel: "silent" },
    transform: { define: { "process.env.NODE_ENV": '"production"' } },
    plugins: [
      {
        name: "page",
        load: (id) => (id === entry ? code : null),
        resolveId: (id) => (id === entry ? id : null),
      },
    ],
  })
  const { output } = await bundle.generate({ format: "esm", minify: true })
  const chunks = output.filter((file) => file.type === "chunk")
  const loaded = new Set(chunks.filter(({ isEntry }) => isEntry))
  // What is found on the way is looked at, too.
  for (const { imports } of loaded)
    for (const chunk of chunks) if (imports.includes(chunk.fileName)) loaded.add(chunk)
  return brotliCompressSync([...loaded].map(({ code }) => code).join("")).length
}

const allowedBytes = 5_000

export const bytes = sdks.map(({ name, code: { factory, bare } }) => ({
  scenario: `download for ${name}, the delivery contract included`,
  ...{ metric: "bytes by brotli", against: "the bare SDK" },
  async measure() {
    const control = await downloadOf(bare)
    const ours = await downloadOf(`
      import { createRealtimeClient } from "${root}/client/index.ts"
      import { ${factory} } from "${root}/providers/${name}/client.ts"
      globalThis.ours = (config) => createRealtimeClient({ config, providers: { ${name}: async () => ${factory} } })`)
    return { pair: { control, ours }, target: `<= ${((control + allowedBytes) / control).toFixed(2)}` }
  },
}))
