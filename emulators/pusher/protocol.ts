import { asString, isObject, type Json, type JsonObject, parseJson, parseObject } from "./json.ts"

/** A frame on its way to a client. The text is made once, however many connections it goes to. */
export interface ServerFrame {
  readonly event: string
  readonly channel?: string
  readonly text: string
}

/** What a client may say (pusher/README.md §1.4, §3, §5, §7). */
export type ClientFrame =
  | { event: "pusher:ping" | "pusher:pong" }
  | { event: "pusher:subscribe"; channel: string; auth?: string; channel_data?: string }
  | { event: "pusher:unsubscribe"; channel: string }
  | { event: "pusher:signin"; auth: string; user_data: string }
  | { event: `client-${string}`; channel: string; data: Json | undefined }
  | { event: "malformed"; message: string }

/** An event of an application: `data` travels exactly as its publisher gave it (§1.2, §12.7). */
export function eventFrame(
  event: string,
  channel: string,
  data: Json | undefined,
  user_id?: string,
): ServerFrame {
  return { event, channel, text: JSON.stringify({ event, channel, data, user_id }) }
}

/** A `pusher:` or `pusher_internal:` event: its data is encoded once more, as a string (§1.2). */
export function systemFrame(event: string, data: JsonObject, channel?: string): ServerFrame {
  return { event, channel, text: JSON.stringify({ event, channel, data: JSON.stringify(data) }) }
}

/** `pusher:cache_miss` has no data (§9). */
export function bareFrame(event: string, channel: string): ServerFrame {
  return { event, channel, text: JSON.stringify({ event, channel }) }
}

/** The exceptions to the double encoding: an error's data is an object (§1.3, §3.3). Most errors have no code. */
export function errorFrame(code: number | null, message: string): ServerFrame {
  return { event: "pusher:error", text: JSON.stringify({ event: "pusher:error", data: { code, message } }) }
}

export function subscriptionErrorFrame(channel: string, data: JsonObject): ServerFrame {
  const event = "pusher:subscription_error"
  return { event, channel, text: JSON.stringify({ event, channel, data }) }
}

export function parseClientFrame(text: string): ClientFrame {
  const message = parseJson(text)
  if (!isObject(message)) return malformed("Invalid JSON: expected an object")
  const event = asString(message.event)
  if (event === undefined) return malformed("Expected event to be a string")

  if (event.startsWith("client-")) {
    const channel = asString(message.channel)
    if (channel === undefined) return malformed(`Expected channel of ${event} to be a string`)
    return { event: event as `client-${string}`, channel, data: message.data }
  }

  // pusher-js sends an object; clients that encode twice are understood too.
  const data = typeof message.data === "string" ? parseObject(message.data) : message.data
  const fields = isObject(data) ? data : {}
  const channel = asString(fields.channel)

  switch (event) {
    case "pusher:ping":
    case "pusher:pong":
      return { event }
    case "pusher:subscribe":
      if (channel === undefined) return malformed("Expected channel of pusher:subscribe to be a string")
      return { event, channel, auth: asString(fields.auth), channel_data: asString(fields.channel_data) }
    case "pusher:unsubscribe":
      if (channel === undefined) return malformed("Expected channel of pusher:unsubscribe to be a string")
      return { event, channel }
    case "pusher:signin": {
      const auth = asString(fields.auth)
      const user_data = asString(fields.user_data)
      if (auth === undefined || user_data === undefined)
        return malformed("Expected auth and user_data of pusher:signin to be strings")
      return { event, auth, user_data }
    }
    default:
      return malformed(`Unsupported event: ${event}`)
  }
}

function malformed(message: string): ClientFrame {
  return { event: "malformed", message }
}
