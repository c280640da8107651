import Pusher, { type Channel, type Options } from "pusher-js"
import { backOffMs, pause, randomBetween } from "../../back-off.ts"
import type { TransportOptions } from "../../client/create-realtime-client.ts"
import { isRealtimeError, RealtimeError } from "../../errors.ts"
import { createReporter } from "../../guard.ts"
import { createJoinedChannels, type JoinedChannel } from "../../joined-channels.ts"
import type { JsonValue } from "../../json.ts"
import { requireAddress } from "../../publisher.ts"
import { requireVariables } from "../../required.ts"
import type { RealtimeTransport, TransportSubscription } from "../../transport.ts"
import { createStatus } from "../../transport-status.ts"
import { withResolvers } from "../../with-resolvers.ts"
import { pusherCapabilities } from "./capabilities.ts"
import {
  fromConnectionError,
  fromMembers,
  fromMessagesEvent,
  fromPusherState,
  fromSignalEvent,
  messagesChannel,
  messagesEvent,
  presenceChannel,
  provider,
  signalEvent,
} from "./mapping.ts"

/** What `createPusherTransport` takes. */
export interface PusherTransportOptions extends TransportOptions {
  /**
   * The first pause before asking again for a signature that failed in passing; it doubles. Default 500 ms.
   */
  retryMs?: number
  /** How long without a connection counts as long; then it is started over. Default 10 s. */
  unavailableTimeoutMs?: number
}

interface ChannelState {
  messages: Channel | null
  presence: Channel | null
  /** Whoever waits to hear whether the service took `data`. */
  entering: PromiseWithResolvers<void> | null
  /** The presence channel has as many members as it may have. */
  isFull: boolean
  /** How many connections listen, as far as the service tells. */
  subscribers: number
}

type Joined = JoinedChannel & ChannelState

/** What is signed for a Pusher channel: whose it is among ours, and which of the two. */
interface Signable {
  channel: Joined
  kind: "messages" | "presence"
  /** The presence data that was signed last, none to who only watches. */
  signed?: { data: JsonValue | undefined }
}

/** What the service sent. */
interface Frame {
  event: string
  channel?: string
  data?: unknown
}

const maxRetryMs = 10_000

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

  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null

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
          sign(socketId, channelName).then(
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
          signIn(socketId).then(
            (signature) => callback(null, signature),
            (error: Error) => callback(error, null),
          )
        },
      },
    } as Options
  }

  /**
   * Tells Pusher whose connection this is, so that the server can end it. Everything else works
   * without, so nothing waits for it.
   */
  async function signIn(socketId: string): Promise<{ auth: string; user_data: string }> {
    try {
      const answer = await ask({ socketId, kind: "user" }, "user", () => isOpenAs(socketId))
      // pusher-js would sign in whatever connection is there by now, and the service ends one
      // that shows another's signature.
      if (!isOpenAs(socketId)) throw leftBehind("sign in; the connection was replaced")
      if (typeof answer.user_data !== "string") throw malformedSignature()
      return answer as { auth: string; user_data: string }
    } catch (error) {
      const passes = isRealtimeError(error) && error.retryable
      if (!passes) onError(error, { stage: "sign in" })
      throw error
    }
  }

  const isOpenAs = (socketId: string) => pusher?.connection.socket_id === socketId

  /**
   * Asks the server for a signature. pusher-js never asks twice, not even after a server's passing trouble;
   * so what passes is tried again here, for as long as the same connection waits for it.
   */
  async function ask(
    request: Record<string, JsonValue>,
    kind: string,
    isStillWanted: () => boolean,
  ): Promise<{ auth: string; [field: string]: unknown }> {
    for (let failures = 1; ; failures += 1) {
      try {
        const answer = await credentials(request)
        if (isObject(answer) && typeof answer.auth === "string") return { ...answer, auth: answer.auth }
        throw malformedSignature()
      } catch (error) {
        if (!isRealtimeError(error) || !error.retryable) throw error
        onError(error, { stage: `sign for ${kind}` })
        await pause(backOffMs({ firstMs: retryMs, maxMs: maxRetryMs }, failures, error))
        if (!isStillWanted()) throw error
      }
    }
  }

  /**
   * To pusher-js a channel that is left and joined again meanwhile is joined once:
   * whoever wants it by then is signed for.
   */
  async function sign(socketId: string, name: string): Promise<{ auth: string; channel_data?: string }> {
    for (;;) {
      const signable = signables.get(name)
      if (!signable || !isOpenAs(socketId)) throw leftBehind("join; the channel was left")
      const { channel, kind } = signable
      const { name: ours, data } = channel
      signable.signed = { data }
      const isCurrent = () => signables.get(name) === signable && isOpenAs(socketId)
      const request = {
        socketId,
        channel: ours,
        kind,
        ...(kind === "presence" && data !== undefined && { data }),
      }
      try {
        const signature = await ask(request, kind, isCurrent)
        if (isCurrent()) return signature
      } catch (error) {
        if (isCurrent()) throw error
      }
    }
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
    else refusedPresence(signable, reason)
  }

  function refusedPresence(signable: Signable, reason: RealtimeError): void {
    const { channel } = signable
    if (!isUpToDate(signable)) {
      refreshPresence(channel)
    } else if (reason.code === "rate-limited") {
      channel.isFull = true
      showCount(channel)
      settle(channel)
    } else {
      if (channel.entering) settle(channel, reason)
      else onError(reason, { stage: "presence" })
      if (channel.data === undefined) return
      // As before: with the data of then, as a watcher, or outside.
      channel.dataRefused()
      refreshPresence(channel)
    }
  }

  /** Whether what Pusher answers is about what is wanted now. */
  const isUpToDate = ({ signed, channel }: Signable) => signed !== undefined && signed.data === channel.data

  function settle(channel: Joined, reason?: RealtimeError): void {
    const { entering } = channel
    channel.entering = null
    if (reason) entering?.reject(reason)
    else entering?.resolve()
  }

  /**
   * The presence channel is full, and Pusher names nobody. At least as many are there as it takes; where the
   * app's subscription counting is on, as many as listen.
   */
  function showCount({ observer, subscribers }: Joined): void {
    observer.onPresence({
      count: Math.max(pusherCapabilities.maxPresenceMembers, subscribers),
      members: null,
    })
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
      settle(channel)
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
    messages.bind(signalEvent, (data: unknown) => {
      const signal = fromSignalEvent(channel.name, data)
      if (signal) observer.onSignal(signal)
    })
  }

  /**
   * Joins the presence channel, or joins it again with other data: Pusher
   * fixes a member's data when it joins.
   */
  function joinPresence(channel: Joined, client: Pusher): void {
    // pusher-js can't take back a subscription under way; when it is through, it is looked at again.
    if (channel.presence?.subscriptionPending) return
    const name = presenceChannel(channel.name)
    leavePresence(channel)
    channel.isFull = false
    const signable: Signable = { channel, kind: "presence" }
    signables.set(name, signable)
    const presence = client.subscribe(name)
    channel.presence = presence
    const show = () => {
      if (channel.presence !== presence) return
      const infos: unknown[] = []
      const { members } = presence as unknown as {
        members: { each(visit: (member: { info: unknown }) => void): void }
      }
      members.each(({ info }) => infos.push(info))
      channel.observer.onPresence(fromMembers(infos))
    }
    for (const event of ["pusher:subscription_succeeded", "pusher:member_added", "pusher:member_removed"]) {
      presence.bind(event, show)
    }
    presence.bind("pusher:subscription_succeeded", () => {
      if (channel.presence !== presence) return
      channel.isFull = false
      channel.entered = signable.signed?.data
      if (isUpToDate(signable)) settle(channel)
      else refreshPresence(channel)
    })
  }

  /** Makes the presence channel what is wanted of it now. */
  function refreshPresence(channel: Joined): void {
    if (!pusher) return
    if (channel.wantsPresence) joinPresence(channel, pusher)
    else leavePresence(channel)
  }

  function leavePresence(channel: Joined): void {
    channel.isFull = false
    if (!channel.presence) return
    channel.presence.unbind()
    channel.presence = null
    signables.delete(presenceChannel(channel.name))
    pusher?.unsubscribe(presenceChannel(channel.name))
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
          refreshPresence(channel)
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
        isFull: false,
        subscribers: 0,
      })
      if (pusher) joinMessages(channel, pusher)
      return {
        watchPresence() {
          if (channel.watchesPresence) return
          channel.watchesPresence = true
          if (!channel.presence) refreshPresence(channel)
        },
        async enterPresence(data) {
          channel.data = data
          refreshPresence(channel)
          settle(channel)
          if (status.current.state !== "connected") return
          channel.entering = withResolvers()
          await channel.entering.promise
        },
        async leavePresence() {
          if (channel.data === undefined) return
          channel.data = undefined
          channel.entered = undefined
          settle(channel)
          refreshPresence(channel)
        },
        unsubscribe() {
          if (!channel.leave()) return
          settle(channel)
          leavePresence(channel)
          channel.messages?.unbind()
          signables.delete(messagesChannel(name))
          pusher?.unsubscribe(messagesChannel(name))
        },
      }
    },
    async close() {
      if (status.current.state === "closed") return
      for (const channel of channels) settle(channel)
      channels.clear()
      signables.clear()
      status.set({ state: "closed" })
      clearTimeout(startsOverLater)
      pusher?.disconnect()
    },
  }
}

const leftBehind = (what: string) =>
  new RealtimeError("not-connected", { provider, message: `unable to ${what}` })

const malformedSignature = () =>
  new RealtimeError("internal", { provider, message: "unable to join; the signature is malformed" })

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
