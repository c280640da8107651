import { channelType } from "./channel-names.ts"
import type { Channels } from "./channels.ts"
import type { Clock } from "./clock.ts"
import type { Connection } from "./connection.ts"
import { errorMessages } from "./errors.ts"
import { jsonLength } from "./json.ts"
import { byteLength } from "./limits.ts"
import { type ClientFrame, errorFrame, eventFrame } from "./protocol.ts"
import type { ResolvedAppSettings } from "./settings.ts"
import type { Webhooks } from "./webhooks.ts"

type ClientEventFrame = Extract<ClientFrame, { event: `client-${string}` }>

/** Events that a client triggers (pusher/README.md §5). Whatever is wrong with one, the connection stays. */
export interface ClientEvents {
  trigger(connection: Connection, frame: ClientEventFrame): void
}

export interface ClientEventsOptions {
  settings: ResolvedAppSettings
  channels: Channels
  webhooks: Webhooks
  clock: Clock
  onDelivered(recipients: number): void
}

export function createClientEvents(options: ClientEventsOptions): ClientEvents {
  const { settings, channels, webhooks, clock } = options
  const { limits } = settings
  const sentAt = new WeakMap<Connection, number[]>()

  /** Whether the connection has sent its share within the last second; counts this one if not. */
  function isOverRate(connection: Connection): boolean {
    const recent = (sentAt.get(connection) ?? []).filter((at) => at > clock.now() - 1000)
    sentAt.set(connection, recent)
    if (recent.length >= limits.clientEventsPerSecond) return true
    recent.push(clock.now())
    return false
  }

  function errorOf(connection: Connection, { event, channel, data }: ClientEventFrame): string | undefined {
    if (!settings.clientEvents)
      return "To send client events, you must enable this feature in the Settings page of your dashboard."
    const type = channelType(channel)
    if (type !== "private" && type !== "presence")
      return "Client event rejected - only supported on private and presence channels"
    if (!connection.subscriptions.has(channel)) return `Client event rejected - not subscribed to ${channel}`
    if (event.length > limits.eventNameLength)
      return `Client event rejected - the event name exceeds the allowed maximum (${limits.eventNameLength} characters)`
    const bytes = typeof data === "string" ? byteLength(data) : jsonLength(data)
    if (bytes > limits.eventDataBytes) return eventTooLarge(limits.eventDataBytes)
    return undefined
  }

  return {
    trigger(connection, frame) {
      const error = errorOf(connection, frame)
      if (error !== undefined) return connection.send(errorFrame(null, error))
      if (isOverRate(connection)) return connection.send(errorFrame(4301, errorMessages[4301]))

      const { event, channel, data } = frame
      const { socketId } = connection
      const user_id = channels.get(channel)?.presence?.userOf(socketId)
      options.onDelivered(channels.publish(channel, eventFrame(event, channel, data, user_id), socketId))
      webhooks.emit({ name: "client_event", channel, event, data, socket_id: socketId, user_id })
    },
  }
}

/** The service's sentence, over HTTP and to a client alike. */
export function eventTooLarge(maximum: number): string {
  return `The data content of this event exceeds the allowed maximum (${maximum} bytes). See https://pusher.com/docs/channels/server_api/http-api#publishing-events for more info`
}
