import { annotate } from "./annotations.ts"
import { type Operation, permits, READ_PRESENCE } from "./capability.ts"
import { parseChannelName } from "./channel-name.ts"
import { ablyError } from "./errors.ts"
import { messageHistory, presenceHistory } from "./history.ts"
import type { Answer, Channel, Route, RouteContext, StoredMessage } from "./model.ts"
import { mutate } from "./mutations.ts"
import { paginate } from "./pagination.ts"
import type { BaseMessage } from "./protocol.ts"
import { publish } from "./publish.ts"
import { assertPermitted, publishableName } from "./publisher.ts"
import { pageAnswer } from "./route.ts"
import { readAnnotations, readMessages } from "./wire.ts"

/** ably/README.md §2.2: `/channels/…`. */
export const channelRoutes: Route[] = [
  {
    method: "POST",
    path: "/channels/:channel/messages",
    handle(context) {
      const publisher = context.publisher()
      const messages = readMessages(context.readBody())
      if (context.query.get("_forceNack") === "true") throw ablyError(40099)
      return { status: 201, body: publish(publisher, context.params.channel ?? "", messages) }
    },
  },
  { method: "GET", path: "/channels/:channel/messages", handle: listMessages },
  // The same by the name that other SDKs use.
  { method: "GET", path: "/channels/:channel/history", handle: listMessages },
  {
    method: "GET",
    path: "/channels/:channel/messages/:serial",
    handle: (context) => ({ body: findMessage(context).latest }),
  },
  {
    method: "PATCH",
    path: "/channels/:channel/messages/:serial",
    handle(context) {
      const publisher = context.publisher()
      const name = publishableName(context.params.channel ?? "")
      const [change, ...others] = readMessages(context.readBody())
      if (!change || others.length > 0) throw ablyError(40001, "one message is changed at a time")
      return { body: mutate(publisher, name, { ...change, serial: context.params.serial ?? "" }) }
    },
  },
  {
    method: "GET",
    path: "/channels/:channel/messages/:serial/versions",
    handle(context) {
      const versions = inDirection(findMessage(context).versions, context.query)
      return pageAnswer(
        paginate(versions, context.request.path, context.query, ({ version }) => version?.serial ?? ""),
      )
    },
  },
  {
    method: "POST",
    path: "/channels/:channel/messages/:serial/annotations",
    handle(context) {
      const publisher = context.publisher()
      const { channel = "", serial = "" } = context.params
      const annotations = readAnnotations(context.readBody())
      const serials = annotate(
        publisher,
        channel,
        annotations.map((annotation) => ({ ...annotation, messageSerial: serial })),
      )
      return { status: 201, body: { channel, serials } }
    },
  },
  {
    method: "GET",
    path: "/channels/:channel/messages/:serial/annotations",
    handle(context) {
      // Reading them is reading history; no operation of its own is known (§3.6).
      const { annotations } = findMessage(context)
      return pageAnswer(
        paginate(annotations, context.request.path, context.query, ({ serial }) => serial ?? ""),
      )
    },
  },
  { method: "GET", path: "/channels", handle: listChannels },
  {
    method: "GET",
    path: "/channels/:channel",
    handle: (context) => ({ body: describeChannel(openChannel(context, "channel-metadata")) }),
  },
  {
    method: "GET",
    path: "/channels/:channel/presence",
    handle(context) {
      const channel = openChannel(context, ...READ_PRESENCE)
      const { query } = context
      const wanted = (field: "clientId" | "connectionId", message: BaseMessage) =>
        !query.has(field) || query.get(field) === message[field]
      const members = channel.presence
        .list()
        .filter((member) => wanted("clientId", member) && wanted("connectionId", member))
      return pageAnswer(paginate(members, context.request.path, query, keyOfMember))
    },
  },
  {
    method: "GET",
    path: "/channels/:channel/presence/history",
    handle(context) {
      const events = presenceHistory(openChannel(context, "history"), context.query)
      return pageAnswer(paginate(events, context.request.path, context.query, keyOfMember))
    },
  },
]

function listMessages(context: RouteContext): Answer {
  const messages = messageHistory(openChannel(context, "history"), context.query)
  return pageAnswer(paginate(messages, context.request.path, context.query, ({ serial }) => serial ?? ""))
}

/** The active channels that the caller may know about; `by=id` for their names alone. */
function listChannels(context: RouteContext): Answer {
  const { capability } = context.credentials()
  const prefix = context.query.get("prefix") ?? ""
  const channels = [...context.app().channels.values()]
    .filter(({ name }) => name.startsWith(prefix) && permits(capability, name, "channel-metadata"))
    .map(describeChannel)
    .filter(({ status }) => status.isActive)
  const page = paginate(channels, context.request.path, context.query, ({ channelId }) => channelId)
  if (context.query.get("by") !== "id") return pageAnswer(page)
  return { body: page.items.map(({ channelId }) => channelId), links: page.links }
}

function describeChannel(channel: Channel) {
  const metrics = channel.occupancy.metrics()
  const isActive = channel.attachments.size > 0 || metrics.presenceMembers > 0
  return { channelId: channel.name, status: { isActive, occupancy: { metrics } } }
}

function openChannel(context: RouteContext, ...operations: Operation[]): Channel {
  const name = parseChannelName(context.params.channel ?? "")
  assertPermitted(context.credentials(), name, ...operations)
  return context.app().channel(name)
}

function findMessage(context: RouteContext): StoredMessage {
  const message = openChannel(context, "history").messages.find(context.params.serial ?? "")
  if (!message) throw ablyError(40400, "no message with that serial")
  return message
}

/** Versions stand from the oldest on unless the newest are asked for. */
function inDirection<T>(items: T[], query: URLSearchParams): T[] {
  return query.get("direction") === "backwards" ? [...items].reverse() : items
}

function keyOfMember({ id = "", connectionId = "", clientId = "" }: BaseMessage): string {
  return `${id}/${connectionId}/${clientId}`
}
