import type Pusher from "pusher"
import { RealtimeError } from "../../errors.ts"
import type { JsonValue } from "../../json.ts"
import { jsonByteLength } from "../../message.ts"
import { packMessages, packPatches } from "../../packing.ts"
import {
  type CredentialsRequest,
  type ProviderEvent,
  type RealtimePublisher,
  requireRecent,
  type WebhookRequest,
} from "../../publisher.ts"
import { requireVariables } from "../../required.ts"
import { defaultStateRate } from "../../state.ts"
import { pusherCapabilities } from "./capabilities.ts"
import {
  fromMemberIds,
  fromRequestError,
  fromWebhook,
  messagesChannel,
  messagesEvent,
  type PresenceInfo,
  presenceChannel,
  provider,
  signalEvent,
  stateEvent,
  toMemberId,
  toPusherUserId,
} from "./mapping.ts"

/** What `createPusherPublisher` takes: the app's credentials, as Pusher's dashboard shows them. */
export interface PusherPublisherOptions {
  /** The app's number. */
  appId: string
  /** Names the app; pages are told it. */
  key: string
  /** Signs; it never leaves the server. */
  secret: string
  /** As in `eu`. May be empty where `host` is given. */
  cluster: string
  /** A server of Pusher's protocol other than Pusher's own (soketi, Reverb, an emulator). */
  host?: string | undefined
  /** With `host`. Default: that of HTTP or HTTPS. */
  port?: number | undefined
  /** False: plain HTTP and `ws:`, to `host`. Default true. */
  tls?: boolean | undefined
  /** How long one request may take. Default 3 s, so that a second attempt has its chance. */
  timeoutMs?: number
}

/** Pusher's limits: https://pusher.com/docs/channels/library_auth_reference/rest-api */
const maxEventsPerBatch = 10
const maxPresenceInfoBytes = 1_000

/**
 * The vendor's SDK is handed in: it is an optional peer, and bundlers may follow imports of
 * this file where it isn't installed.
 */
export function createPublisher(sdk: typeof Pusher, options: PusherPublisherOptions): RealtimePublisher {
  const { appId, key, secret, cluster, host, port, tls = true, timeoutMs = 3_000 } = options
  requireVariables(provider, {
    ...{ PUSHER_APP_ID: appId, PUSHER_KEY: key, PUSHER_SECRET: secret },
    "PUSHER_CLUSTER or PUSHER_HOST": host || cluster,
  })
  const pusher = new sdk({
    appId,
    key,
    secret,
    useTLS: tls,
    timeout: timeoutMs,
    ...(host ? { host, ...(port !== undefined && { port: String(port) }) } : { cluster }),
  } as Pusher.Options)

  async function trigger(events: Pusher.BatchEvent[]): Promise<void> {
    for (let start = 0; start < events.length; start += maxEventsPerBatch) {
      try {
        await pusher.triggerBatch(events.slice(start, start + maxEventsPerBatch))
      } catch (error) {
        throw fromRequestError(error)
      }
    }
  }

  /**
   * Signs what a browser asks for: to join `messages` of a channel, or its `presence` with or without data to
   * show; or to sign the connection in as its `user`, by which the service knows whose connections to end.
   */
  async function credentials({
    user,
    body,
    authorize,
    acceptPresence,
  }: CredentialsRequest): Promise<JsonValue> {
    const { socketId, channel, kind, data } = body
    const malformed = () =>
      new RealtimeError("invalid-request", { provider, message: "unable to sign; the request is malformed" })
    if (typeof socketId !== "string" || !/^\d+\.\d+$/.test(socketId)) throw malformed()
    if (kind === "user") {
      const { id, name } = user
      return { ...pusher.authenticateUser(socketId, { id: toPusherUserId(id), user_info: { id, name } }) }
    }
    if (typeof channel !== "string") throw malformed()
    await authorize(channel, "subscribe")
    if (kind !== "presence") return { ...pusher.authorizeChannel(socketId, messagesChannel(channel)) }
    const value = data === undefined ? null : { value: await acceptPresence(channel, data) }
    const info: PresenceInfo = { user, data: value, at: Date.now() }
    if (jsonByteLength(info) > maxPresenceInfoBytes) {
      const message = `unable to enter; Pusher holds ${maxPresenceInfoBytes} bytes of presence data`
      throw new RealtimeError("message-too-large", { provider, message })
    }
    const member = { user_id: toMemberId(user, socketId, value !== null), user_info: { ...info } }
    return { ...pusher.authorizeChannel(socketId, presenceChannel(channel), member) }
  }

  async function webhook({ headers, rawBody, now }: WebhookRequest): Promise<ProviderEvent[]> {
    // The library takes no charset beside the type; what was signed is the body alone.
    const webhook = pusher.webhook({
      headers: { ...Object.fromEntries(headers), "content-type": "application/json" },
      rawBody,
    })
    if (!webhook.isValid()) {
      const message = "unable to take the webhook; it isn't signed with PUSHER_KEY and PUSHER_SECRET"
      throw new RealtimeError("unauthorized", { provider, message })
    }
    const { time_ms: date } = (webhook.getData() ?? {}) as { time_ms?: unknown }
    requireRecent(provider, date, now)
    return fromWebhook(webhook.getData())
  }

  return {
    provider,
    webhook,
    async publish(messages) {
      await trigger(
        packMessages(messages, pusherCapabilities.maxDeliveryBytes).map((group) => ({
          channel: messagesChannel(group[0]?.channel ?? ""),
          name: messagesEvent,
          data: JSON.stringify(group),
        })),
      )
    },
    async signal(signal) {
      await trigger([
        { channel: messagesChannel(signal.channel), name: signalEvent, data: JSON.stringify(signal) },
      ])
    },
    state: {
      intervalMs: 1_000 / defaultStateRate,
      async publish(patches) {
        await trigger(
          packPatches(patches, pusherCapabilities.maxDeliveryBytes).map((group) => ({
            channel: messagesChannel(group[0]?.channel ?? ""),
            name: stateEvent,
            data: JSON.stringify(group),
          })),
        )
      },
    },
    // Pusher knows no user of a private channel; it can end a user's connections, which then
    // ask for each of their channels.
    async revoke(userId) {
      try {
        await pusher.terminateUserConnections(toPusherUserId(userId))
      } catch (error) {
        throw fromRequestError(error, "revoke")
      }
    },
    async members(channel) {
      try {
        const response = await pusher.get({ path: `/channels/${presenceChannel(channel)}/users` })
        const { users } = (await response.json()) as { users?: { id?: unknown }[] }
        return fromMemberIds((users ?? []).map(({ id }) => id))
      } catch (error) {
        throw fromRequestError(error, "read the members")
      }
    },
    clientConfig: () => ({
      provider,
      key,
      cluster,
      ...(host && { host, tls, ...(port !== undefined && { port }) }),
    }),
    credentials,
    close: async () => {},
  }
}
