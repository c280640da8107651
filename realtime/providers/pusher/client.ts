import Pusher, { type Options } from "pusher-js"
import { randomBetween } from "../../back-off.ts"
import type { TransportOptions } from "../../client/create-realtime-client.ts"
import { isRealtimeError, RealtimeError } from "../../errors.ts"
import { createReporter } from "../../guard.ts"
import { createJoinedChannels } from "../../joined-channels.ts"
import { requireAddress } from "../../publisher.ts"
import { requireVariables } from "../../required.ts"
import type { RealtimeTransport, TransportSubscription } from "../../transport.ts"
import { createStatus } from "../../transport-status.ts"
import { withResolvers } from "../../with-resolvers.ts"
import { pusherCapabilities } from "./capabilities.ts"
import type { ChannelState, Joined, Signable } from "./joined.ts"
import {
  fromConnectionError,
  fromMessagesEvent,
  fromPusherState,
  fromSignalEvent,
  messagesChannel,
  messagesEvent,
  provider,
  signalEvent,
  stateEvent,
} from "./mapping.ts"
import { createPresence, showCount } from "./presence.ts"
import { createSigning } from "./signing.ts"

/** What `createPusherTransport` takes. */
export interface PusherTransportOptions extends TransportOptions {
  /**
   * The first pause before asking again for a signature that failed in passing; it doubles. Default 500 ms.
   */
  retryMs?: number
  /** How long without a connection counts as long; then it is started over. Default 10 s. */
  unavailableTimeoutMs?: number
}

/** What the service sent. */
interface Frame {
  event: string
  channel?: string
  data?: unknown
}

/**
 * Browser: Pusher Channels, or a server of its protocol, over the official client. Throws `invalid-config`
 * where that would connect to nowhere.
 */
export function createPusherTransport(options: PusherTransportOptions): RealtimeTransport {
  const { config, credentials, retryMs = 500, unavailableTimeoutMs = 10_000 } = options
  requireVariables(provider, {
    PUSHER_KEY: config.key,
    "PUSHER_CLUSTER or PUSHER_HOST": config.host ?? config.cluster,
  })
  requireAddress(config, "host")
  const onError = createReporter(options.onError)
  const status = createStatus(onError)
  const channels = createJoinedChannels<ChannelState>()
  const signables = new Map<string, Signable>()
  let lastError: RealtimeError | undefined
  let wasConnected = false
  let pusher: Pusher | null = null
  /** An error on the connection that could be about several pending subscriptions. */
  let unexplained: unknown
  let isStartingOver = false
  /** The service has confirmed whose connection this is. */
  let isSignedIn = false
  let startsOverLater: ReturnType<typeof setTimeout> | undefined

  const isOpenAs = (socketId: string) => pusher?.connection.socket_id === socketId
  const signing = createSigning({ credentials, signables, isOpenAs, retryMs, onError })
  const presence = createPresence({ pusher: () => pusher, signables, onError })

  function open(): Pusher {
    const opened = new Pusher(String(config.key), clientOptions())
    opened.connection.bind("state_change", ({ current }: { current: string }) => follow(current))
    opened.connection.bind("error", (error: unknown) => {
      lastError = fromConnectionError(error)
      if (opened.connection.state === "connected" && isRefusal(error)) attribute(error)
    })
    // pusher-js has seen it first.
    opened.connection.bind("message", ({ event, channel, data }: Frame) => {
      if (event === "pusher:signin_success") isSignedIn = true
      if (event === "pusher:subscription_error" && channel) refused(channel, fromSubscriptionError(data))
      if (event === "pusher_internal:subscription_succeeded" && unexplained !== undefined)
        attribute(unexplained)
    })
    opened.signin()
    return opened
  }

  function clientOptions(): Options {
    const { cluster, host, port, tls } = config
    return {
      cluster: typeof cluster === "string" ? cluster : "",
      forceTLS: tls !== false,
      // Without TLS a failed attempt must not be followed by one that speaks TLS to the plain port.
      enabledTransports: tls === false ? ["ws"] : ["ws", "wss"],
      ...(typeof host === "string" && { wsHost: host }),
      ...(typeof port === "number" && { wsPort: port, wssPort: port }),
      unavailableTimeout: unavailableTimeoutMs,
      channelAuthorization: {
        customHandler: ({ socketId, channelName }, callback) => {
          // pusher-js would take what comes late for an answer about the connection that is there by now.
          const inTime = <Answer>(then: (answer: Answer) => void) => {
            return (answer: Answer) => isOpenAs(socketId) && then(answer)
          }
          signing.sign(socketId, channelName).then(
            inTime((signature) => callback(null, signature)),
            inTime((error: Error) => {
              callback(error, null)
              refused(channelName, asRealtimeError(error))
            }),
          )
        },
      },
      userAuthentication: {
        customHandler: ({ socketId }, callback) => {
          signing.signIn(socketId).then(
            (signature) => callback(null, signature),
            (error: Error) => callback(error, null),
          )
        },
      },
    } as Options
  }

  /**
   * Finds out whom an error on the connection is about. Pusher says there what it refuses, an invalid
   * signature or a full presence channel, and pusher-js hands on no more than the words. They name the
   * channel, or else it is the one that is still pending when the others are through.
   */
  function attribute(error: unknown): void {
    const pending = (pusher?.allChannels() ?? []).filter(({ subscriptionPending }) => subscriptionPending)
    const text = refusalText(error)
    // The longest: one channel's name may begin with another's.
    const named = pending
      .filter(({ name }) => text.includes(name))
      .sort((one, other) => other.name.length - one.name.length)
    const found = named[0] ?? (pending.length === 1 ? pending[0] : undefined)
    unexplained = found || pending.length === 0 ? undefined : error
    if (found) refused(found.name, fromSubscriptionError(error))
  }

  /**
   * Our server or Pusher said no to a channel. What Pusher says leaves the channel pending in pusher-js, for
   * ever: it would neither leave it nor join it again.
   */
  function refused(name: string, reason: RealtimeError): void {
    const subscription = pusher?.channel(name)
    if (subscription) subscription.subscriptionPending = false
    const signable = signables.get(name)
    if (!signable) pusher?.unsubscribe(name)
    else if (signable.kind === "messages") signable.channel.observer.onDenied(reason)
    else presence.refused(signable, reason)
  }

  /** Ends the pause that pusher-js makes between two attempts; the states on the way are told to nobody. */
  function startOver(): void {
    isStartingOver = true
    pusher?.disconnect()
    pusher?.connect()
    isStartingOver = false
  }

  function follow(current: string): void {
    if (isStartingOver) return
    // The server ended the connections of this user: it took back a permission, perhaps not all of them.
    const isTerminated = current === "disconnected" && isSignedIn && lastError?.code === "unauthorized"
    isSignedIn = false
    const state = isTerminated ? "reconnecting" : fromPusherState(current, wasConnected)
    clearTimeout(startsOverLater)
    if (isTerminated) startsOverLater = setTimeout(startOver, randomBetween(0, retryMs))
    if (state === "suspended") {
      // After attempts that were refused at once pusher-js pauses for 15, 30 and then 60 s, and so
      // would all who lost a server that restarts. The jitter keeps them from coming back as one, and
      // leaves a slow network its time.
      startsOverLater = setTimeout(startOver, randomBetween(0, 2 * unavailableTimeoutMs))
    }
    if (state === "connected") {
      wasConnected = true
      lastError = undefined
      status.set({ state })
      return
    }
    unexplained = undefined
    for (const channel of channels) {
      presence.settle(channel)
      channel.detached()
    }
    if (state !== status.current.state) status.set({ state, error: lastError })
  }

  function joinMessages(channel: Joined, client: Pusher): void {
    const { observer } = channel
    const name = messagesChannel(channel.name)
    signables.set(name, { channel, kind: "messages" })
    const messages = client.subscribe(name)
    channel.messages = messages
    messages.bind("pusher:subscription_succeeded", () => channel.attached())
    messages.bind("pusher:subscription_count", (data: unknown) => {
      const { subscription_count: count } = (data ?? {}) as { subscription_count?: unknown }
      if (typeof count !== "number") return
      channel.subscribers = count
      if (channel.isFull) showCount(channel)
    })
    messages.bind(messagesEvent, (data: unknown) => {
      const received = fromMessagesEvent(channel.name, data)
      if (received.length > 0) observer.onMessages(received)
    })
    messages.bind(stateEvent, (data: unknown) => observer.onState?.(data))
    messages.bind(signalEvent, (data: unknown) => {
      const signal = fromSignalEvent(channel.name, data)
      if (signal) observer.onSignal(signal)
    })
  }

  return {
    provider,
    capabilities: pusherCapabilities,
    get status() {
      return status.current
    },
    onStatus: status.onStatus,
    connect() {
      const { state } = status.current
      if (state === "closed" || state === "connected") return
      if (!pusher) {
        pusher = open()
        for (const channel of channels) {
          joinMessages(channel, pusher)
          presence.refresh(channel)
        }
      } else if (state !== "connecting") {
        startOver()
        follow(pusher.connection.state)
      }
    },
    subscribe(name, observer): TransportSubscription {
      const channel = channels.join(name, observer, {
        messages: null,
        presence: null,
        entering: null,
        subscribers: 0,
      })
      if (pusher) joinMessages(channel, pusher)
      return {
        watchPresence() {
          if (channel.watchesPresence) return
          channel.watchesPresence = true
          if (!channel.presence) presence.refresh(channel)
        },
        async enterPresence(data) {
          channel.data = data
          presence.refresh(channel)
          presence.settle(channel)
          if (status.current.state !== "connected") return
          channel.entering = withResolvers()
          await channel.entering.promise
        },
        async leavePresence() {
          if (channel.data === undefined) return
          channel.data = undefined
          channel.entered = undefined
          presence.settle(channel)
          presence.refresh(channel)
        },
        unsubscribe() {
          if (!channel.leave()) return
          presence.settle(channel)
          presence.leave(channel)
          channel.messages?.unbind()
          signables.delete(messagesChannel(name))
          pusher?.unsubscribe(messagesChannel(name))
        },
      }
    },
    async close() {
      if (status.current.state === "closed") return
      for (const channel of channels) presence.settle(channel)
      channels.clear()
      signables.clear()
      status.set({ state: "closed" })
      clearTimeout(startsOverLater)
      pusher?.disconnect()
    },
  }
}

function asRealtimeError(error: unknown): RealtimeError {
  if (isRealtimeError(error)) return error
  return new RealtimeError("provider-unavailable", {
    provider,
    message: "unable to join; Pusher refused",
    cause: error,
  })
}

/** The words of a refusal, which stand in one place on the channel and in another on the connection. */
function refusalText(error: unknown): string {
  const { error: text, data } = (error ?? {}) as { error?: unknown; data?: { message?: unknown } }
  const found = typeof text === "string" ? text : data?.message
  return typeof found === "string" ? found : "unknown"
}

/**
 * Whether the service said no to something. pusher-js tells here of the end of a socket too, by its code and
 * while the state is still `connected`: a WebSocket's own below 4000, 4100–4199 by a service that is
 * overloaded, 4200–4299 by one that moves on or, with the connection going on, that doesn't know what it was
 * sent (of a sign-in, Reverb before 1.8).
 */
function isRefusal(error: unknown): boolean {
  const { type, data } = (error ?? {}) as { type?: unknown; data?: unknown }
  const { code } = (data ?? {}) as { code?: unknown }
  if (type !== "PusherError") return false
  return typeof code !== "number" || (code >= 4000 && code < 4100) || code >= 4300
}

function fromSubscriptionError(error: unknown): RealtimeError {
  const text = refusalText(error)
  const isFull = /limit|maximum|capacity/i.test(text)
  const message = `unable to join; Pusher refused: ${text}`
  return new RealtimeError(isFull ? "rate-limited" : "unauthorized", {
    provider,
    message,
    retryable: false,
    cause: error,
  })
}

/**
 * By the name that every provider has it by: `createThroughline({ pusher: () =>
 * import("throughline/pusher/client") })`.
 */
export { createPusherTransport as createTransport }
