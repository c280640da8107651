import { createByteCount } from "./byte-count.ts"
import type { ChannelName } from "./channel-name.ts"
import { ablyError } from "./errors.ts"
import { filterFrame } from "./filter.ts"
import { createRateLimiter } from "./limits.ts"
import { createMessageStore } from "./messages.ts"
import type { App, Attachment, Channel, StreamFrame } from "./model.ts"
import { createOccupancy } from "./occupancy.ts"
import { createPresenceSet } from "./presence.ts"
import { Action, Mode, type ProtocolMessage } from "./protocol.ts"
import { bytesOf } from "./publisher.ts"
import { createSerials, seriesOf } from "./serials.ts"

export function createChannel(name: ChannelName, app: App): Channel {
  const rules = app.namespaces.get(name.namespace) ?? {
    id: name.namespace,
    persisted: false,
    persistLast: false,
    mutableMessages: false,
  }
  let stream: StreamFrame[] = []
  let forgottenThrough = ""
  const bytes = createByteCount<StreamFrame>(() => app.limits.maxHistorySize)

  function trim() {
    const oldest = app.clock.now() - app.limits.continuityWindow
    const kept = stream.findIndex((frame) => frame.timestamp >= oldest)
    const count = bytes.release(stream, kept < 0 ? stream.length : kept)
    const last = stream[count - 1]
    if (!last) return
    forgottenThrough = last.channelSerial
    stream = stream.slice(count)
  }

  const channel: Channel = {
    name: name.base,
    app,
    rules,
    serials: createSerials(app.clock, app.random.string(10)),
    attachments: new Set(),
    get messages() {
      return messages
    },
    get presence() {
      return presence
    },
    get occupancy() {
      return occupancy
    },
    rate: createRateLimiter(app.clock, app.limits, () => app.limits.maxChannelRate),
    broadcast(frame, kept = frame) {
      if (kept) {
        stream.push(kept)
        bytes.add(kept, frameBytes(kept))
      }
      trim()
      for (const attachment of [...channel.attachments]) {
        try {
          pass(attachment, frame)
        } catch (error) {
          attachment.failed(error)
        }
      }
    },
    since(channelSerial) {
      trim()
      if (seriesOf(channelSerial) !== channel.serials.series) return { error: ablyError(90005) }
      if (channelSerial < forgottenThrough) return { error: ablyError(90003) }
      const frames = stream.filter((frame) => frame.channelSerial > channelSerial)
      return frames.length > app.limits.maxBacklog ? { error: ablyError(90004) } : { frames }
    },
    usedAt: app.clock.now(),
    isIdle() {
      trim()
      return (
        channel.attachments.size + presence.size() + stream.length === 0 &&
        messages.all().length + presence.history().length === 0 &&
        channel.usedAt + app.limits.continuityWindow <= app.clock.now()
      )
    },
    forget() {
      stream = []
      bytes.clear()
      forgottenThrough = channel.serials.next()
      messages.clear()
    },
  }
  const messages = createMessageStore(channel)
  const presence = createPresenceSet(channel)
  const occupancy = createOccupancy(channel)
  return channel
}

const frameBytes = ({ messages = [], presence = [], annotations = [] }: StreamFrame): number =>
  [...messages, ...presence, ...annotations].reduce((total, message) => total + bytesOf(message), 0)

/** §5.1, §6.2, §7: gives an attachment the frame, or only moves it on when its modes don't cover the frame. */
export function pass(attachment: Attachment, frame: StreamFrame): void {
  if (frame.channelSerial <= attachment.position) return
  attachment.position = frame.channelSerial
  const visible = visibleTo(attachment, frame)
  if (visible) attachment.send({ ...visible, channel: attachment.name.wire })
}

function visibleTo(attachment: Attachment, frame: StreamFrame): ProtocolMessage | undefined {
  const isOwn = frame.connectionId !== undefined && frame.connectionId === attachment.connectionId
  switch (frame.action) {
    case Action.MESSAGE:
      if (!(attachment.modes & Mode.SUBSCRIBE) || (isOwn && !attachment.echo)) return undefined
      return attachment.filter ? filterFrame(attachment.filter, frame) : frame
    case Action.PRESENCE:
      // RTP17a: a connection always hears of its own members.
      return attachment.modes & Mode.PRESENCE_SUBSCRIBE || isOwn ? frame : undefined
    case Action.ANNOTATION:
      return attachment.modes & Mode.ANNOTATION_SUBSCRIBE ? frame : undefined
    default:
      return undefined
  }
}
