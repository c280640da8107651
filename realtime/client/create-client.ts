import type { AnyChannelDefinition, ChannelRef } from "../channel.ts"
import type { OnError, RealtimeError } from "../errors.ts"
import { createReporter } from "../guard.ts"
import { createListeners } from "../listeners.ts"
import { createMessageId } from "../message-id.ts"
import type { OutgoingMessage, PublishResult, RealtimeTransport, TransportStatus } from "../transport.ts"
import { createChannel, type ManagedChannel } from "./channel.ts"
import type { MessageFollower } from "./follow-messages.ts"
import { createHeadCheck, type HeadCheckIntervals } from "./head-check.ts"
import type { RealtimeHttp } from "./http.ts"
import { onReturn } from "./on-return.ts"
import { createOutbox, type OutboxOptions } from "./outbox.ts"
import { createSilentBus } from "./outbox-bus.ts"
import { createMemoryStore } from "./outbox-store.ts"
import { createRateLimit } from "./rate-limit.ts"
import { createSignalAges } from "./signal-ages.ts"
import type { SignalPace } from "./signal-outlet.ts"
import type { Channel, RealtimeClient } from "./types.ts"

/** What `createClient` is made from. */
export interface ClientOptions {
  /**
   * One transport, for a client that is opened once; or what makes one, inert
   * until `connect`, for each opening.
   */
  transport: RealtimeTransport | (() => RealtimeTransport)
  /** The way to the catch-all route: `createHttp({ basePath })`. */
  http: RealtimeHttp
  /** The largest payload, in bytes of JSON, as the server's configuration says. Default 32 KiB. */
  maxPayloadBytes?: number
  /** How long somebody who vanished is still shown. Default 4 s. */
  presenceGraceMs?: number
  /**
   * How often the page looks whether it has missed something. Default each minute,
   * every 10 s without a connection.
   */
  headCheck?: HeadCheckIntervals
  /** Where unsent messages are kept; by default they live as long as the page. */
  outbox?: OutboxPlace
  /**
   * Follows messages out of this page and into it: `followMessages(…)`. Absent, nobody does and nothing more
   * travels.
   */
  tracing?: ((onError: OnError) => MessageFollower) | undefined
  /** Where failures go that no caller waits for. Default: `console.error`. */
  onError?: OnError
}

/** What the outbox of one person stands on, in all their tabs. */
export type OutboxPlace = Pick<OutboxOptions, "store" | "bus" | "exclusively">

const defaultHeadCheck: HeadCheckIntervals = { connectedMs: 60_000, interruptedMs: 10_000 }

/** A client that can be told that its time is over. */
export interface EndableClient extends RealtimeClient {
  /**
   * Closes the client for good, with a reason: its state is `failed`, and `open` does nothing any more. What
   * is in the outbox stays there. Idempotent.
   */
  end(reason: RealtimeError): void
}

/**
 * Browser: the delivery contract over one transport. `createRealtimeClient` chooses the transport.
 *
 *     made ──open──▶ open ──close──▶ closed ──open──▶ open       any ──end──▶ ended
 *
 * Only while it is open it listens, waits and connects.
 */
export function createClient(options: ClientOptions): EndableClient {
  const { http, maxPayloadBytes = 32 * 1024, presenceGraceMs } = options
  const onError = createReporter(options.onError)
  const follower = options.tracing?.(onError)
  const channels = new Map<string, ManagedChannel>()
  const page = createMessageId()
  const signalAges = createSignalAges({ serverNow: http.serverNow })
  const listeners = createListeners(onError, "onStatus")
  let isOpen = false
  let isWanted = false
  let isSettling = false
  /** The transport has been closed, whatever it says of itself yet. */
  let isClosed = false
  let closing = Promise.resolve()
  let ended: TransportStatus | null = null
  let stopWatching = () => {}
  const make = typeof options.transport === "function" ? options.transport : null
  let transport = createTransport()
  let pace: ({ provider: string } & SignalPace) | undefined
  /** Of the provider in use: each has a rate of its own. */
  function signalPace(): SignalPace {
    const { provider, capabilities } = transport
    if (pace?.provider !== provider) {
      const { maxSignalsPerSecond, latestSignalsPerSecond } = capabilities
      pace = {
        provider,
        latestPerSecond: latestSignalsPerSecond,
        limit: createRateLimit(maxSignalsPerSecond),
      }
    }
    return pace
  }

  function checkAll(): void {
    for (const channel of channels.values()) channel.check()
  }

  const isConnected = () => transport.status.state === "connected"

  /**
   * Over the connection, where there is one that takes messages; else over HTTP. What a connection that
   * was lost may have brought goes again by the other way, with its id; the queue that asks has one
   * request of a channel under way at a time.
   */
  async function publish(name: string, messages: readonly OutgoingMessage[]): Promise<PublishResult[]> {
    const deliver = async (sent: readonly OutgoingMessage[]) =>
      (isConnected() && transport.publish?.(name, sent)) || http.publish(name, sent)
    return follower ? follower.send(name, messages, deliver) : deliver(messages)
  }

  const outbox = createOutbox({
    ...(options.outbox ?? inThisPage()),
    deliver: publish,
    onError,
  })
  const headCheck = createHeadCheck({
    intervals: options.headCheck ?? defaultHeadCheck,
    http,
    channels: () => channels.values(),
    isConnected,
    onError,
  })
  let wasConnected = false

  function createTransport(): RealtimeTransport {
    const created = make ? make() : (options.transport as RealtimeTransport)
    created.onStatus(({ state }) => {
      if (created !== transport) return
      listeners.tell()
      if (!isOpen) return
      const isBack = state === "connected"
      // A provider that fails says so at each attempt: a wait that began anew each time would never end.
      if (isBack !== wasConnected) headCheck.schedule()
      wasConnected = isBack
      if (isBack) outbox.wake()
    })
    return created
  }

  function start(): void {
    isOpen = true
    if (isClosed) {
      isClosed = false
      transport = createTransport()
      wasConnected = false
      listeners.tell()
    }
    stopWatching = onReturn(() => {
      void http.checkSession()
      transport.connect()
      checkAll()
      outbox.wake()
    })
    headCheck.start()
    outbox.open()
    for (const channel of channels.values()) channel.open()
    transport.connect()
  }

  function stop(): void {
    isOpen = false
    isClosed = true
    stopWatching()
    headCheck.stop()
    outbox.close()
    // The connection first: closing it leaves every channel at once, so that none has to
    // be left by a request of its own.
    closing = transport.close()
    for (const channel of channels.values()) channel.close()
  }

  /**
   * One step after the other: a listener that is told of one may ask for the next,
   * which waits until this one is done.
   */
  function settle(): void {
    if (isSettling) return
    isSettling = true
    for (;;) {
      if (isWanted && !isOpen && !ended && (make || !isClosed)) start()
      else if (!isWanted && !isClosed) stop()
      else break
    }
    isSettling = false
  }

  return {
    connection: {
      get status() {
        return ended ?? transport.status
      },
      get provider() {
        return transport.provider
      },
      subscribe: listeners.add,
      retry: () => isOpen && transport.connect(),
    },
    open() {
      isWanted = true
      settle()
    },
    channel<D extends AnyChannelDefinition>(ref: ChannelRef<D>): Channel<D> {
      let channel = channels.get(ref.name)
      if (channel) channel.redefine(ref.definition)
      else {
        channel = createChannel({
          ref,
          isOpen: () => isOpen,
          join: (observer) => (isOpen ? transport.subscribe(ref.name, observer) : null),
          http,
          page,
          signalAges,
          signalPace,
          outbox,
          follower,
          maxPayloadBytes,
          presenceGraceMs,
          onError,
        })
        channels.set(ref.name, channel)
        if (isClosed) channel.close()
      }
      return channel as unknown as Channel<D>
    },
    counts: async (refs) => (refs.length === 0 ? [] : http.counts(refs.map(({ name }) => name))),
    checkSession: () => http.checkSession(),
    async close() {
      isWanted = false
      settle()
      await closing
    },
    end(error) {
      if (ended) return
      ended = { state: "failed", error }
      isWanted = false
      // Its last change of state, by which everybody hears of this one.
      if (isClosed) listeners.tell()
      else settle()
    },
  }
}

/** For a page whose unsent messages end with it. */
export const inThisPage = (): OutboxPlace => ({
  store: createMemoryStore(),
  bus: createSilentBus(),
  exclusively: (_, task) => task(),
})
