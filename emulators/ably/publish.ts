import { assertMayPublishAs } from "./auth.ts"
import { ablyError } from "./errors.ts"
import type { Publisher } from "./model.ts"
import { mutate } from "./mutations.ts"
import { Action, type BaseMessage, type Message, MessageAction } from "./protocol.ts"
import { assertPermitted, assertSize, publishableName } from "./publisher.ts"
import { messageSerial } from "./serials.ts"
import { isRecord } from "./wire.ts"

export interface PublishResult {
  channel: string
  /** The first message's. */
  messageId: string
  serials: string[]
}

/** ably/README.md §2.2, §6.1: the common part of REST and socket; throws the error that becomes an answer or a NACK. */
export function publish(publisher: Publisher, wireName: string, messages: Message[]): PublishResult {
  const { app } = publisher
  const name = publishableName(wireName)
  const [first] = messages
  if (!first) throw ablyError(40000, "there is no message to publish")
  if (messages.length > app.limits.maxMessagesPerPublish)
    throw ablyError(40009, "too many messages in one publish")
  if (messages.some((message) => (message.action ?? 0) !== MessageAction.create)) {
    if (messages.length > 1) throw ablyError(40000, "an update, delete or append is published alone")
    const { versionSerial } = mutate(publisher, name, first)
    return { channel: wireName, messageId: `${publisher.frameId}:0`, serials: [versionSerial] }
  }

  assertPermitted(publisher.credentials, name, "publish")
  const onBehalf = messages.map((message) => resolveOrigin(publisher, message))
  assertSize(app, messages)
  const idBase = assertIds(messages)
  const channel = app.channel(name)
  if (app.overQuota) throw ablyError(40112, undefined, 429)
  if (!app.rate.take(messages.length)) throw ablyError(42910)
  if (!channel.rate.take(messages.length)) throw ablyError(42913)

  const timestamp = app.clock.now()
  const channelSerial = channel.serials.next()
  const fresh: (Message & { serial: string; timestamp: number })[] = []
  const serials = messages.map((message, index) => {
    const known = message.id === undefined ? undefined : channel.messages.serialOf(message.id)
    if (known) return known
    const serial = messageSerial(channelSerial, index)
    const { connectionKey: _, ...content } = message
    fresh.push({
      ...content,
      ...onBehalf[index],
      id: message.id ?? `${publisher.frameId}:${index}`,
      action: MessageAction.create,
      serial,
      timestamp,
      version: { serial, timestamp },
    })
    return serial
  })

  const by = publisher.connectionId === undefined ? "rest" : "realtime"
  app.stats.count("inbound", by, { action: Action.MESSAGE, messages: fresh })
  const kept = fresh.filter((message) => !isEphemeral(message))
  for (const message of kept) channel.messages.add(message, channelSerial)
  if (fresh.length > 0) {
    const connectionId = fresh[0]?.connectionId
    const frame = {
      ...{ action: Action.MESSAGE, id: idBase ?? publisher.frameId, channel: name.base },
      ...{ channelSerial, timestamp, messages: fresh, connectionId },
    }
    channel.broadcast(
      frame,
      kept.length === fresh.length ? frame : kept.length > 0 && { ...frame, messages: kept },
    )
  }
  return { channel: wireName, messageId: first.id ?? `${publisher.frameId}:0`, serials }
}

/** In no history, no rewind and no resume: https://ably.com/docs/pub-sub/advanced#ephemeral */
const isEphemeral = ({ extras }: Message) => isRecord(extras) && extras?.ephemeral === true

/** §2.3: with `connectionKey`, the message counts as that connection's; otherwise as the publisher's own. */
function resolveOrigin(
  publisher: Publisher,
  message: Message,
): Pick<BaseMessage, "clientId" | "connectionId"> {
  if (message.connectionKey !== undefined) {
    const { connectionKey } = message
    const connection = [...publisher.app.connections.values()].find((one) => one.hasKey(connectionKey))
    if (!connection) throw ablyError(40006, "no connection has that connectionKey")
    // Knowing the key of another's connection doesn't make one that other client.
    assertMayPublishAs(publisher.credentials, publisher.clientId, connection.clientId)
    assertMayPublishAs(publisher.credentials, connection.clientId ?? publisher.clientId, message.clientId)
    const clientId = message.clientId ?? connection.clientId ?? publisher.clientId
    return { connectionId: connection.id, clientId }
  }
  if (message.connectionId !== undefined && message.connectionId !== publisher.connectionId)
    throw ablyError(40006, "a publisher can't set another connectionId")
  assertMayPublishAs(publisher.credentials, publisher.clientId, message.clientId)
  const clientId = message.clientId ?? publisher.clientId
  return { clientId, connectionId: publisher.connectionId }
}

/** §2.3: ids in an array share one base and count `:0…:n` (40031). Returns that base, or a single message's own id's. */
function assertIds(messages: Message[]): string | undefined {
  const [first] = messages
  if (messages.every((message) => message.id === undefined)) return undefined
  const base = first?.id?.replace(/:0$/, "")
  if (messages.length > 1 && !messages.every((message, index) => message.id === `${base}:${index}`)) {
    throw ablyError(40031, "ids in an array are one base with :0, :1 and so on")
  }
  return base
}
