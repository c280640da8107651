import { randomUUID } from "node:crypto"
import type { createAdapter } from "@socket.io/redis-streams-adapter"
import type { createClient } from "redis"
import type { Server } from "socket.io"
import { type BackOff, backOffMs } from "../../back-off.ts"
import { type OnError, RealtimeError } from "../../errors.ts"
import { createReporter } from "../../guard.ts"
import type { ClusterBus, ClusterNote } from "./cluster.ts"
import { provider } from "./mapping.ts"

/** What `connectRedisCluster` takes. */
export interface RedisClusterOptions {
  /** The server of `socket.io` that holds this process's connections. */
  io: Server
  /** As in `redis://127.0.0.1:6379` or `rediss://user:password@host:6380/0`. */
  url: string
  /** Keeps installations that share a Redis apart. Default `throughline`. */
  streamName?: string
  /** How many entries Redis keeps, for gateways that were away for a moment. Default 10,000. */
  maxEntries?: number
  /** Where failures go that no caller waits for. Default: `console.error`. */
  onError?: OnError
}

/** None of Socket.IO's own types of a cluster's messages, which are small numbers. */
const noteType = 1_000
/**
 * What waits for a Redis that is away; what doesn't fit is owed to the others as a gap that the log fills.
 */
const maxQueued = 1_000
const backOff: BackOff = { firstMs: 50, maxMs: 2_000 }
/** So long after it was posted a note that hasn't come back says that the way is blocked. */
const silenceMs = 5_000

/**
 * The part of Socket.IO's adapters for clusters that their subclasses share; the notes
 * travel the way of its own messages.
 */
interface ClusterAdapter {
  publish(message: { type: number; data: object }): unknown
  doPublish(message: { uid: string; nsp: string; type: number; data: object }): Promise<string>
  onMessage(message: { type: number; data?: unknown }, offset?: string): void
}

/** `connectRedisCluster` loads the packages, and says what this does. */
export function createRedisBus(
  sdk: { createAdapter: typeof createAdapter; createClient: typeof createClient },
  options: RedisClusterOptions,
): ClusterBus {
  const { io, url, streamName = "throughline", maxEntries = 10_000 } = options
  const onError = createReporter(options.onError)
  const name = randomUUID()
  let isClosed = false
  const client = sdk.createClient({
    url,
    commandsQueueMaxLength: maxQueued,
    // A connection that died without a word; the adapter's reads wait for 5 s on purpose.
    pingInterval: 5_000,
    socket: {
      socketTimeout: 15_000,
      reconnectStrategy: (attempts) => !isClosed && backOffMs(backOff, attempts + 1),
    },
  })
  let listener: Parameters<ClusterBus["listen"]>[0] = () => {}
  let onConnected: () => void = () => {}
  let wasTold = false
  /** One's own notes come back through the stream: while they do, both ways are open. */
  let posted = 0
  let heard = 0
  let unheardSince = 0

  client.on("error", (cause: Error) => {
    // Once for each time that it goes away, not for each attempt to reach it.
    if (wasTold) return
    wasTold = true
    const message = "unable to reach Redis; this gateway doesn't hear the others until it is back"
    const error = new RealtimeError("provider-unavailable", { provider, message, cause: codeOf(cause) })
    onError(error, { stage: "reach Redis" })
  })
  client.on("ready", () => {
    wasTold = false
    // What was under way when it went may have been lost.
    heard = posted
    onConnected()
  })
  const ends = [watch(client)]
  /**
   * node-redis can't end an attempt to connect: destroyed in its midst, a client connects all the same, and
   * nothing reaches it any more. One that is closed then is destroyed as soon as it has connected.
   */
  function watch(each: typeof client): () => void {
    let isConnecting = false
    const connect = each.connect.bind(each)
    const destroy = () => void (each.isOpen && each.destroy())
    each.connect = () => {
      isConnecting = true
      return connect()
    }
    each.on("reconnecting", () => {
      isConnecting = true
    })
    each.on("error", () => {
      isConnecting = false
    })
    each.on("connect", () => {
      isConnecting = false
      if (isClosed) destroy()
    })
    return () => void (isConnecting || destroy())
  }
  const never = () => new Promise<never>(() => {})
  /** What a copy that is being ended still says is for nobody. */
  const unlessClosed = <Value>(answer: Promise<Value>) =>
    answer.catch((error: unknown) => (isClosed ? never() : Promise.reject(error)))

  // The adapter leaves its copies to end by themselves, up to 5 s later, asks on as long as it isn't closed
  // itself, and takes no notice of how their SUBSCRIBE and connecting end, which would end the process.
  const duplicate = client.duplicate.bind(client)
  client.duplicate = (...args) => {
    const copy = duplicate(...args)
    ends.push(watch(copy as unknown as typeof client))
    const { subscribe, connect, xRead } = copy
    copy.subscribe = (...given) => subscribe.apply(copy, given).catch(() => {})
    copy.connect = () => unlessClosed(connect.call(copy))
    const read = (...given: Parameters<typeof xRead>) =>
      isClosed ? never() : unlessClosed(xRead.apply(copy, given))
    Object.assign(copy, { xRead: read })
    copy.disconnect = () => Promise.resolve()
    return copy
  }
  client.connect().catch((error: unknown) => {
    if (!isClosed) onError(error, { stage: "reach Redis" })
  })
  const createNamespaceAdapter = sdk.createAdapter(client, {
    ...{ streamName, channelPrefix: streamName, maxLen: maxEntries },
    // Notes are JSON; looking through each of them for bytes would cost more than writing it.
    onlyPlaintext: true,
  })
  /** A declaration, for Socket.IO calls it with `new`. */
  function NotingAdapter(namespace: Parameters<typeof createNamespaceAdapter>[0]) {
    const adapter = createNamespaceAdapter(namespace)
    const cluster = adapter as unknown as ClusterAdapter
    const onMessage = cluster.onMessage.bind(adapter)
    cluster.onMessage = (message, offset) => {
      if (message.type !== noteType) return onMessage(message, offset)
      const { from, number, note } = message.data as { from: string; number: number; note: ClusterNote }
      if (from !== name) return listener(note, from, number)
      heard = number
      unheardSince = performance.now()
    }
    return adapter
  }
  io.adapter(NotingAdapter as never)
  const { adapter } = io.of("/") as unknown as { adapter: ClusterAdapter }

  return {
    get isConnected() {
      return client.isReady && (heard >= posted || performance.now() - unheardSince < silenceMs)
    },
    async post(note) {
      if (heard >= posted) unheardSince = performance.now()
      posted += 1
      await adapter.doPublish({
        uid: name,
        nsp: "/",
        type: noteType,
        data: { from: name, number: posted, note },
      })
    },
    listen(given) {
      listener = given
    },
    onConnected(given) {
      onConnected = given
      if (client.isReady) given()
    },
    async close() {
      // One that hasn't come until now is waited for no longer.
      isClosed = true
      for (const end of ends) end()
    },
  }
}

/** As in ECONNREFUSED: the whole error may repeat the address, and in it the password. */
function codeOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.name
}
