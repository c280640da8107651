import type { App, Namespace } from "./app.ts"
import { createByteCount } from "./byte-count.ts"
import type { ChannelName } from "./channel-name.ts"
import { type AblyError, ablyError } from "./errors.ts"
import { filterFrame, type MessageFilter } from "./filter.ts"
import { createRateLimiter, type RateLimiter } from "./limits.ts"
import { createMessageStore, type MessageStore } from "./messages.ts"
import { createOccupancy, type Occupancy } from "./occupancy.ts"
import { createPresenceSet, type PresenceSet } from "./presence.ts"
import { Action, Mode, type ProtocolMessage } from "./protocol.ts"
import { bytesOf } from "./publisher.ts"
import { createSerials, type Serials, seriesOf } from "./serials.ts"

/** One connection's hold on one channel (ably-protocol.md §5.1). */
export interface Attachment {
  readonly connectionId: string
  readonly name: ChannelName
  /** Granted: what was requested and the capability permits. */
  modes: number
  /** A later token may permit more of these. */
  readonly requestedModes: number
  params: Record<string, string>
  echo: boolean
  filter?: MessageFilter
  /** The last position that was passed to this attachment; a repeated ATTACH goes on from there. */
  position: string
  send(frame: ProtocolMessage): void
  /** It couldn't be given a frame, and loses its channel: that is nobody else's trouble. */
  failed(error: unknown): void
}

/** A frame in the channel's stream: MESSAGE, PRESENCE or ANNOTATION with its position. */
export type StreamFrame = ProtocolMessage & { channelSerial: string; timestamp: number }

export interface Channel {
  readonly name: string
  readonly app: App
  readonly rules: Namespace
  readonly serials: Serials
  readonly attachments: Set<Attachment>
  readonly messages: MessageStore
  readonly presence: PresenceSet
  readonly occupancy: Occupancy
  /** Counts what is published here by all together. */
  readonly rate: RateLimiter
  /**
   * Passes a frame to every attachment that may see it, and appends it to the stream for those that resume; `kept` is what
   * of it stays, false for nothing.
   */
  broadcast(frame: StreamFrame, kept?: StreamFrame | false): void
  /** What an attachment at this position has missed, or why that can't be told (90003, 90004, 90005). */
  since(channelSerial: string): { frames: StreamFrame[] } | { error: AblyError }
  /** When somebody last asked for the channel. */
  usedAt: number
  /** Whether nobody would miss it: nobody is here, nothing is kept, and no position of it can be honoured any more. */
  isIdle(): boolean
  /** Forgets the stream so far, so that no earlier `channelSerial` can be honoured. */
  forget(): void
}

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
