import type { AnyChannelDefinition, ChannelRef } from "../channel.ts"
import type { OnError, RealtimeError } from "../errors.ts"
import { createReporter } from "../guard.ts"
import { createMessageId } from "../message-id.ts"
import type { OutgoingMessage, PublishResult, RealtimeTransport } from "../transport.ts"
import { createChannel, type ManagedChannel } from "./channel.ts"
import { createClientConnection } from "./client-connection.ts"
import { createClientLifecycle } from "./client-lifecycle.ts"
import type { MessageFollower } from "./follow-messages.ts"
import { createHeadCheck, type HeadCheckIntervals } from "./head-check.ts"
import type { RealtimeHttp } from "./http.ts"
import { onReturn } from "./on-return.ts"
import { createOutbox, type OutboxOptions } from "./outbox.ts"
import { createSilentBus } from "./outbox-bus.ts"
import { createMemoryStore } from "./outbox-store.ts"
import { createSignalAges } from "./signal-ages.ts"
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
  const { transport: given, http, maxPayloadBytes = 32 * 1024, presenceGraceMs } = options
  const onError = createReporter(options.onError)
  const follower = options.tracing?.(onError)
  const channels = new Map<string, ManagedChannel>()
  const page = createMessageId()
  const signalAges = createSignalAges({ serverNow: http.serverNow })
  const canReopen = typeof given === "function"
  let wasConnected = false
  let isEnded = false
  let closing = Promise.resolve()
  let stopWatching = () => {}

  const isOpen = () => lifecycle.state === "open"
  const isConnected = () => carrier.transport.status.state === "connected"

  const carrier = createClientConnection({
    createTransport: canReopen ? given : () => given,
    isOpen,
    onState(isBack) {
      // A provider that fails says so at each attempt: a wait that began anew each time would never end.
      if (isBack !== wasConnected) headCheck.schedule()
      wasConnected = isBack
      if (isBack) outbox.wake()
    },
    onError,
  })

  /**
   * Over the connection, where there is one that takes messages; else over HTTP. What a connection that
   * was lost may have brought goes again by the other way, with its id; the queue that asks has one
   * request of a channel under way at a time.
   */
  async function publish(name: string, messages: readonly OutgoingMessage[]): Promise<PublishResult[]> {
    const deliver = async (sent: readonly OutgoingMessage[]) =>
      (isConnected() && carrier.transport.publish?.(name, sent)) || http.publish(name, sent)
    return follower ? follower.send(name, messages, deliver) : deliver(messages)
  }

  const outbox = createOutbox({ ...(options.outbox ?? inThisPage()), deliver: publish, onError })
  const headCheck = createHeadCheck({
    intervals: options.headCheck ?? defaultHeadCheck,
    http,
    channels: () => channels.values(),
    isConnected,
    onError,
  })

  const lifecycle = createClientLifecycle({
    mayOpen: (isAgain) => !isEnded && (canReopen || !isAgain),
    start(isAgain) {
      if (isAgain) {
        wasConnected = false
        carrier.renew()
      }
      stopWatching = onReturn(() => {
        void http.checkSession()
        carrier.transport.connect()
        for (const channel of channels.values()) channel.check()
        outbox.wake()
      })
      headCheck.start()
      outbox.open()
      for (const channel of channels.values()) channel.open()
      carrier.transport.connect()
    },
    stop() {
      stopWatching()
      headCheck.stop()
      outbox.close()
      // The connection first: closing it leaves every channel at once, so that none has to
      // be left by a request of its own.
      closing = carrier.transport.close()
      for (const channel of channels.values()) channel.close()
    },
  })

  return {
    connection: carrier.connection,
    open: lifecycle.open,
    channel<D extends AnyChannelDefinition>(ref: ChannelRef<D>): Channel<D> {
      let channel = channels.get(ref.name)
      if (channel) channel.redefine(ref.definition)
      else {
        channel = createChannel({
          ...{ ref, isOpen, http, page, signalAges, signalPace: carrier.signalPace },
          ...{ outbox, follower, maxPayloadBytes, presenceGraceMs, onError },
          capabilities: () => (isConnected() ? carrier.transport.capabilities : null),
          join: (observer) => (isOpen() ? carrier.transport.subscribe(ref.name, observer) : null),
        })
        channels.set(ref.name, channel)
      }
      return channel as unknown as Channel<D>
    },
    counts: async (refs) => (refs.length === 0 ? [] : http.counts(refs.map(({ name }) => name))),
    checkSession: () => http.checkSession(),
    async close() {
      lifecycle.close()
      await closing
    },
    end(error) {
      if (isEnded) return
      isEnded = true
      carrier.fail(error)
      // Its last change of state, by which everybody hears of this one.
      if (lifecycle.state === "closed") carrier.tell()
      else lifecycle.close()
    },
  }
}

/** For a page whose unsent messages end with it. */
export const inThisPage = (): OutboxPlace => ({
  store: createMemoryStore(),
  bus: createSilentBus(),
  exclusively: (_, task) => task(),
})
