import { channelType, isValidChannelName, serverToUserId } from "./channel-names.ts"
import type { Channels } from "./channels.ts"
import type { ConnectionHandle } from "./connection.ts"
import type { SubscriptionError } from "./errors.ts"
import type { Faults } from "./faults.ts"
import { asId, jsonLength, parseObject } from "./json.ts"
import type { Member } from "./presence.ts"
import { type ClientFrame, errorFrame, subscriptionErrorFrame } from "./protocol.ts"
import type { ResolvedAppSettings } from "./settings.ts"
import { channelStringToSign, hmacSha256Hex, isSameSignature, parseAuth } from "./signatures.ts"

type SubscribeFrame = Extract<ClientFrame, { event: "pusher:subscribe" }>

/** Decides on `pusher:subscribe` (pusher/README.md §3, §4). */
export interface Subscriptions {
  subscribe(connection: ConnectionHandle, frame: SubscribeFrame): void
}

export interface SubscriptionsOptions {
  settings: ResolvedAppSettings
  channels: Channels
  faults: Faults
  /** The connection has joined a private or presence channel. */
  onAuthorized(connection: ConnectionHandle): void
}

export function createSubscriptions(options: SubscriptionsOptions): Subscriptions {
  const { settings, channels, faults } = options
  const { limits } = settings

  function refuse(
    connection: ConnectionHandle,
    channel: string,
    { type, error, status }: SubscriptionError,
  ): void {
    if (settings.subscriptionErrors === "pusher:error") connection.send(errorFrame(null, error))
    else connection.send(subscriptionErrorFrame(channel, { type, error, status }))
  }

  /** Why the `auth` of a private, encrypted or presence channel isn't good (§3.6). */
  function authError(connection: ConnectionHandle, frame: SubscribeFrame): SubscriptionError | undefined {
    const unauthorized = (error: string): SubscriptionError => ({ type: "AuthError", error, status: 401 })
    if (!frame.auth) return unauthorized(`Auth info required to subscribe to ${frame.channel}`)
    const { key, signature } = parseAuth(frame.auth)
    if (key !== settings.key) return unauthorized(`Invalid key in subscription auth data: '${key}'`)
    const text = channelStringToSign(connection.socketId, frame.channel, frame.channel_data)
    if (isSameSignature(signature, hmacSha256Hex(settings.secret, text))) return undefined
    return unauthorized(`Invalid signature: Expected HMAC SHA256 hex digest of ${text}, but got ${signature}`)
  }

  /** Who joins: as the signed data says or, without any, the signed-in user (§4). */
  function memberOf(connection: ConnectionHandle, frame: SubscribeFrame): Member | SubscriptionError {
    const invalid = (error: string): SubscriptionError => ({ type: "AuthError", error, status: 401 })
    const limitReached = (error: string): SubscriptionError => ({ type: "LimitReached", error, status: 4100 })

    const signedIn = connection.user && { user_id: connection.user.id, user_info: connection.user.user_info }
    const data = frame.channel_data === undefined ? signedIn : parseObject(frame.channel_data)
    if (!data) return invalid(`Invalid channel_data for ${frame.channel}: expected a JSON object`)
    const user_id = asId(data.user_id)
    if (user_id === undefined)
      return invalid(`Invalid channel_data for ${frame.channel}: user_id is required`)
    if (user_id.length > limits.userIdLength)
      return limitReached(`user_id exceeds the allowed maximum (${limits.userIdLength} characters)`)
    if (jsonLength(data.user_info) > limits.userInfoBytes)
      return limitReached(`user_info exceeds the allowed maximum (${limits.userInfoBytes} bytes)`)

    const presence = channels.get(frame.channel)?.presence
    if (presence && presence.count >= limits.presenceMembers && !presence.has(user_id))
      return limitReached(
        `Presence channel ${frame.channel} is over its limit of ${limits.presenceMembers} members`,
      )
    return { user_id, user_info: data.user_info }
  }

  return {
    subscribe(connection, frame) {
      const name = frame.channel
      const type = channelType(name)

      const target = { app: settings, socketId: connection.socketId, channels: [name] }
      const [fault] = faults.strike(["refuse-subscription"], target)
      if (fault) {
        const { error = "Connection is unauthorized", status = 401 } = fault
        return refuse(connection, name, { type: "AuthError", error, status })
      }

      if (connection.subscriptions.has(name))
        return connection.send(errorFrame(null, `Existing subscription to channel ${name}`))

      if (connection.subscriptions.size >= limits.subscriptionsPerConnection) {
        const error = `The connection is over its limit of ${limits.subscriptionsPerConnection} subscriptions`
        return refuse(connection, name, { type: "LimitReached", error, status: 4100 })
      }

      if (type === "server-to-user") {
        // Only the signed-in user's own, and without a signature (§7).
        if (connection.user?.id === serverToUserId(name)) return channels.subscribe(connection, name)
        return refuse(connection, name, {
          type: "AuthError",
          error: `Not signed in as the user of ${name}`,
          status: 401,
        })
      }
      if (!isValidChannelName(name, limits)) {
        const error = `Invalid channel name '${name.slice(0, limits.channelNameLength)}'`
        return refuse(connection, name, { type: "InvalidChannel", error, status: 400 })
      }
      if (type === "public") return channels.subscribe(connection, name)

      const error = authError(connection, frame)
      if (error) return refuse(connection, name, error)
      const member = type === "presence" ? memberOf(connection, frame) : undefined
      if (member && "error" in member) return refuse(connection, name, member)
      options.onAuthorized(connection)
      if (connection.isOpen) channels.subscribe(connection, name, member)
    },
  }
}
