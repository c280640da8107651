import type { App } from "./app.ts"
import { channelInfo, inapplicable, parseInfo } from "./channel-info.ts"
import { channelType } from "./channel-names.ts"
import { HttpError } from "./http.ts"
import type { JsonObject } from "./json.ts"

type Query = ReadonlyMap<string, string>

/** `GET /apps/{id}/channels` (pusher/README.md §10.2): the occupied channels. */
export function getChannels(app: App, query: Query): JsonObject {
  const prefix = query.get("filter_by_prefix") ?? ""
  const wanted = parseInfo(query.get("info"))
  if (wanted.includes("user_count") && !prefix.startsWith("presence-"))
    // The misspelling is the service's.
    throw new HttpError(
      400,
      "user_count may only be requested for presence channels - please supply filter_by_prefix begining with presence-",
    )
  if (wanted.includes("cache")) throw new HttpError(400, "cache may only be requested for one channel")
  if (wanted.includes("subscription_count") && !app.settings.subscriptionCount)
    throw new HttpError(400, "subscription_count is not enabled for this app")

  const names = app.channels
    .occupied()
    .filter((channel) => channel.type !== "server-to-user" && channel.name.startsWith(prefix))
    .map((channel) => channel.name)
  return { channels: Object.fromEntries(names.map((name) => [name, channelInfo(app, name, wanted)])) }
}

/** `GET /apps/{id}/channels/{name}`: also of a channel without subscribers. */
export function getChannel(app: App, name: string, query: Query): JsonObject {
  const wanted = parseInfo(query.get("info"))
  for (const attribute of wanted) {
    const reason = inapplicable(app, name, attribute)
    if (reason !== undefined) throw new HttpError(400, reason)
  }
  return { occupied: app.channels.get(name) !== undefined, ...channelInfo(app, name, wanted) }
}

/** `GET /apps/{id}/channels/{name}/users`: distinct users, without their info. */
export function getUsers(app: App, name: string): JsonObject {
  if (channelType(name) !== "presence")
    throw new HttpError(400, "Users can only be retrieved for presence channels")
  return { users: (app.channels.get(name)?.presence?.ids() ?? []).map((id) => ({ id })) }
}

/** `GET /apps/{id}/channels/{name}/stats`, deprecated: what applies is told without being asked for. */
export function getChannelStats(app: App, name: string): JsonObject {
  return { occupied: app.channels.get(name) !== undefined, ...channelInfo(app, name, ["user_count"]) }
}
