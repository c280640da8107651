import { assertMayPublishAs } from "./auth.ts"
import { permits } from "./capability.ts"
import type { ChannelName } from "./channel-name.ts"
import { ablyError } from "./errors.ts"
import type { Publisher, StoredMessage } from "./model.ts"
import { Action, type Message, MessageAction } from "./protocol.ts"
import { assertSize } from "./publisher.ts"
import { messageSerial } from "./serials.ts"

const OPERATION = {
  [MessageAction.update]: "message-update",
  [MessageAction.append]: "message-update",
  [MessageAction.delete]: "message-delete",
} as const

/**
 * ably/README.md §6.4: update, delete and append keep the message's serial and place and give it a new version. The live
 * frame of an append carries the increment; whoever reads later gets the whole.
 */
export function mutate(publisher: Publisher, name: ChannelName, change: Message): { versionSerial: string } {
  const { app } = publisher
  const channel = app.channel(name)
  if (!channel.rules.mutableMessages) throw ablyError(93002)
  if (!isMutation(change.action)) throw ablyError(40003, `clients don't send message action ${change.action}`)
  if (!change.serial) throw ablyError(40003, "an update, delete or append names a serial")
  const target = channel.messages.find(change.serial)
  if (!target) throw ablyError(40400, "no message with that serial")
  assertMayChange(publisher, name, target, OPERATION[change.action])
  // The message's own clientId is its author's; the version's is whoever changes it.
  assertMayPublishAs(publisher.credentials, publisher.clientId, change.version?.clientId)
  assertSize(app, [change])
  if (app.overQuota) throw ablyError(40112, undefined, 429)

  const channelSerial = channel.serials.next()
  // Later than the version before it, also within one millisecond.
  const timestamp = Math.max(app.clock.now(), (target.latest.version?.timestamp ?? 0) + 1)
  const versionSerial = messageSerial(channelSerial, 0)
  const version = {
    ...change.version,
    serial: versionSerial,
    timestamp,
    clientId: publisher.clientId ?? change.version?.clientId,
  }
  const isAppend = change.action === MessageAction.append
  const merged: Message = {
    ...target.latest,
    ...contentOf(change),
    ...(isAppend ? appended(target.latest, change) : {}),
    id: `${publisher.frameId}:0`,
    // Late readers see the whole text, so for them an append is an update.
    action: isAppend ? MessageAction.update : change.action,
    version,
  }
  // Appends add up, and the whole is one message.
  assertSize(app, [merged])
  target.versions.push(merged)
  channel.messages.grew(target, merged)
  target.latest = merged

  const live = isAppend ? { ...merged, action: change.action, data: change.data } : merged
  channel.broadcast({
    action: Action.MESSAGE,
    id: publisher.frameId,
    channel: name.base,
    channelSerial,
    timestamp,
    messages: [live],
    connectionId: publisher.connectionId,
  })
  return { versionSerial }
}

function isMutation(action: number | undefined): action is keyof typeof OPERATION {
  return action !== undefined && Object.hasOwn(OPERATION, action)
}

/** `-any` for every message, `-own` for those of the same identified client. */
function assertMayChange(
  publisher: Publisher,
  name: ChannelName,
  target: StoredMessage,
  operation: "message-update" | "message-delete",
) {
  const { capability } = publisher.credentials
  if (permits(capability, name.base, `${operation}-any`)) return
  const isOwn = publisher.clientId !== undefined && target.versions[0]?.clientId === publisher.clientId
  if (isOwn && permits(capability, name.base, `${operation}-own`)) return
  throw ablyError(40160, `the capability does not permit ${operation} on this message`)
}

/** What a change may replace; what it leaves out stays. */
function contentOf({ name, data, encoding, extras }: Message): Message {
  return {
    ...(name === undefined ? {} : { name }),
    ...(data === undefined ? {} : { data, encoding }),
    ...(extras === undefined ? {} : { extras }),
  }
}

function appended(latest: Message, change: Message): Pick<Message, "data" | "encoding"> {
  const { data: before, encoding } = latest
  const { data: increment } = change
  if (increment === undefined) return { data: before, encoding }
  if (before === undefined) return { data: increment, encoding: change.encoding }
  if ((encoding ?? "") !== (change.encoding ?? ""))
    throw ablyError(40013, "an append has the encoding of its message")
  if (typeof before === "string" && typeof increment === "string")
    return { data: before + increment, encoding }
  if (typeof before !== "string" && typeof increment !== "string") {
    return { data: new Uint8Array([...before, ...increment]), encoding }
  }
  throw ablyError(40013, "an append has the type of its message's data")
}
