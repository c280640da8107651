import type { App } from "./app.ts"
import { channelType, isCacheChannel } from "./channel-names.ts"
import { HttpError } from "./http.ts"
import type { JsonObject } from "./json.ts"

/** The attributes that `info` may ask for (pusher/README.md §10.2). */
const attributes = ["user_count", "subscription_count", "cache"] as const
export type InfoAttribute = (typeof attributes)[number]

/** Reads a comma-separated `info`. */
export function parseInfo(info: string | undefined): InfoAttribute[] {
  return (info ?? "")
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "")
    .map((word) => {
      const attribute = attributes.find((known) => known === word)
      if (!attribute) throw new HttpError(400, `Unknown info attribute: ${word}`)
      return attribute
    })
}

/** Why a channel doesn't have an attribute; undefined when it has. */
export function inapplicable(app: App, channel: string, attribute: InfoAttribute): string | undefined {
  const isPresence = channelType(channel) === "presence"
  switch (attribute) {
    case "user_count":
      return isPresence
        ? undefined
        : "Cannot retrieve the user count unless the channel is a presence channel"
    case "subscription_count":
      if (!app.settings.subscriptionCount) return "subscription_count is not enabled for this app"
      return isPresence ? "Cannot retrieve the subscription count of a presence channel" : undefined
    case "cache":
      return isCacheChannel(channel)
        ? undefined
        : "Cannot retrieve the cache unless the channel is a cache channel"
  }
}

/** The attributes that apply to the channel; the others are left out. */
export function channelInfo(app: App, name: string, wanted: readonly InfoAttribute[]): JsonObject {
  const channel = app.channels.get(name)
  const info: JsonObject = {}
  for (const attribute of wanted) {
    if (inapplicable(app, name, attribute) !== undefined) continue
    if (attribute === "user_count") info.user_count = channel?.presence?.count ?? 0
    if (attribute === "subscription_count") info.subscription_count = channel?.subscribers.size ?? 0
    if (attribute === "cache") info.cache = cacheInfo(app, name)
  }
  return info
}

/** The cached event's data and how many seconds it has left; null when there is none. */
function cacheInfo(app: App, name: string): JsonObject | null {
  const cached = app.cache.get(name)
  return cached ? { data: cached.data, ttl: Math.ceil(cached.ttlMs / 1000) } : null
}
