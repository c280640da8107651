import { type Operation, permits } from "./capability.ts"
import { pass } from "./channel.ts"
import { type ChannelName, parseChannelName } from "./channel-name.ts"
import { withDeltas } from "./deltas.ts"
import { type AblyError, ablyError, toAblyError } from "./errors.ts"
import { compileFilter } from "./filter.ts"
import type { Attachment, Connection, StreamFrame } from "./model.ts"
import { Action, ALL_MODES, DEFAULT_MODES, Flag, Mode, type ProtocolMessage } from "./protocol.ts"
import { serialBefore } from "./serials.ts"
import { readParams } from "./wire.ts"

/** ably/README.md §5.1: the params that are confirmed. Others are dropped. */
const KNOWN_PARAMS = ["rewind", "occupancy", "modes", "echo", "delta"]

/** §5.1 ATTACH → ATTACHED, then SYNC and what was missed; or a channel ERROR, which leaves the connection alone. */
export function attach(connection: Connection, message: ProtocolMessage): void {
  const wireName = message.channel ?? ""
  try {
    attachTo(connection, parseChannelName(wireName), message)
  } catch (error) {
    failAttachment(connection, wireName, toAblyError(error))
  }
}

function failAttachment(connection: Connection, wireName: string, error: AblyError): void {
  const attachment = connection.attachments.get(wireName)
  connection.attachments.delete(wireName)
  if (attachment) dropAttachment(connection, attachment, "now")
  sendChannelError(connection, wireName, error)
}

function attachTo(connection: Connection, name: ChannelName, message: ProtocolMessage) {
  const { app } = connection
  const former = connection.attachments.get(name.wire)
  const params = knownParams({ ...name.params, ...readParams(message.params ?? {}) })
  const requestedModes = readModes(message.flags ?? 0, params.modes)
  const modes = requestedModes & permittedModes(connection, name)
  if (!modes) throw ablyError(40160, `the capability permits nothing on ${JSON.stringify(name.base)}`)
  if (!former && connection.attachments.size >= app.limits.maxChannelsPerConnection) throw ablyError(90010)
  const filter = name.filter === undefined ? undefined : compileFilter(name.filter)

  const channel = app.channel(name)
  const plan = planReplay(channel, former, message, params.rewind)
  const send = (frame: ProtocolMessage) => {
    app.stats.count("outbound", "realtime", frame)
    connection.transport?.send(frame)
  }
  const attachment: Attachment = {
    connectionId: connection.id,
    name,
    modes,
    requestedModes,
    params,
    echo: connection.echo && params.echo !== "false",
    position: plan.from,
    send: params.delta ? withDeltas(send) : send,
    failed: (error) => failAttachment(connection, name.wire, toAblyError(error)),
    ...(filter ? { filter } : {}),
  }
  if (former) channel.attachments.delete(former)
  channel.attachments.add(attachment)
  connection.attachments.set(name.wire, attachment)
  channel.presence.stay(connection.id)

  const hasPresence = channel.presence.size() > 0 && (modes & Mode.PRESENCE_SUBSCRIBE) !== 0
  attachment.send({
    action: Action.ATTACHED,
    channel: name.wire,
    channelSerial: plan.from,
    flags:
      modes |
      (hasPresence ? Flag.HAS_PRESENCE : 0) |
      (plan.resumed ? Flag.RESUMED : 0) |
      (plan.rewound ? Flag.HAS_BACKLOG : 0),
    params,
    ...(plan.error ? { error: plan.error.toErrorInfo() } : {}),
  })
  for (const frame of plan.frames) pass(attachment, frame)
  if (hasPresence) sendSync(connection, { action: Action.SYNC, channel: name.wire })
  channel.occupancy.announce()
}

interface ReplayPlan {
  from: string
  frames: StreamFrame[]
  resumed: boolean
  rewound: boolean
  error?: AblyError
}

/**
 * §5.1: continuity from the client's `channelSerial` if it can be had; `rewind` counts only for a first attachment, which is
 * neither there already nor says ATTACH_RESUME.
 */
function planReplay(
  channel: ReturnType<Connection["app"]["channel"]>,
  former: Attachment | undefined,
  { channelSerial, flags = 0 }: ProtocolMessage,
  rewind: string | undefined,
): ReplayPlan {
  const head = channel.serials.current()
  const fresh = { from: head, frames: [], resumed: false, rewound: false }
  if (channelSerial) {
    const missed = channel.since(channelSerial)
    if ("error" in missed) return { ...fresh, error: missed.error }
    // What this socket has already been given is not given again, but for a delta that the client couldn't apply.
    const isGiven = former && !former.params.delta && former.position > channelSerial
    const from = isGiven ? former.position : channelSerial
    return { from, frames: missed.frames, resumed: true, rewound: false }
  }
  if (!rewind || former || flags & Flag.ATTACH_RESUME) return fresh
  const messages = channel.messages.rewind(rewind)
  const [first] = messages
  if (!first) return fresh
  const frames = messages.map(
    ({ channelSerial, timestamp, latest }, index): StreamFrame => ({
      action: Action.MESSAGE,
      id: latest.id ?? `${channel.app.random.string(10)}:${index}`,
      channelSerial,
      timestamp,
      messages: [latest],
      connectionId: latest.connectionId,
    }),
  )
  return {
    from: serialBefore(first.channelSerial),
    frames: mergeFrames(frames),
    resumed: false,
    rewound: true,
  }
}

/** Messages that were published together share their position and so come in one frame. */
function mergeFrames(frames: StreamFrame[]): StreamFrame[] {
  const merged: StreamFrame[] = []
  for (const frame of frames) {
    const last = merged.at(-1)
    if (last?.channelSerial === frame.channelSerial) last.messages?.push(...(frame.messages ?? []))
    else merged.push(frame)
  }
  return merged
}

/** §5.2. */
export function detach(connection: Connection, message: ProtocolMessage): void {
  const wireName = message.channel ?? ""
  const attachment = connection.attachments.get(wireName)
  connection.attachments.delete(wireName)
  if (attachment) dropAttachment(connection, attachment, "now")
  connection.transport?.send({ action: Action.DETACHED, channel: wireName })
}

/** §5.2: DETACHED unasked; an SDK that was attached comes back at once. */
export function detachByServer(connection: Connection, wireName: string, error: AblyError): void {
  const attachment = connection.attachments.get(wireName)
  if (!attachment) return
  connection.attachments.delete(wireName)
  dropAttachment(connection, attachment, "now")
  connection.transport?.send({ action: Action.DETACHED, channel: wireName, error: error.toErrorInfo() })
}

/** §5.1: ATTACHED unasked and without RESUMED tells an SDK that it has missed something; it takes presence anew. */
export function breakContinuity(connection: Connection, wireName: string, error: AblyError): void {
  const attachment = connection.attachments.get(wireName)
  if (!attachment) return
  const { presence } = connection.app.channel(attachment.name)
  const hasPresence = presence.size() > 0 && (attachment.modes & Mode.PRESENCE_SUBSCRIBE) !== 0
  attachment.send({
    action: Action.ATTACHED,
    channel: wireName,
    channelSerial: attachment.position,
    flags: attachment.modes | (hasPresence ? Flag.HAS_PRESENCE : 0),
    params: attachment.params,
    error: error.toErrorInfo(),
  })
  if (hasPresence) sendSync(connection, { action: Action.SYNC, channel: wireName })
}

/** Takes the attachment out of its channel; its members leave now, or after a while if the socket merely dropped. */
export function dropAttachment(connection: Connection, attachment: Attachment, leave: "now" | "later"): void {
  const channel = connection.app.channel(attachment.name)
  channel.attachments.delete(attachment)
  // A derived channel and its base are two attachments to one channel; the last one takes the members with it.
  const isLast = ![...channel.attachments].some(({ connectionId }) => connectionId === connection.id)
  if (isLast && leave === "now") channel.presence.leaveNow(connection.id)
  if (isLast && leave === "later") channel.presence.leaveLater(connection.id)
  channel.occupancy.announce()
}

/** §4.4 RTC8a: after a new token, channels that it doesn't cover fail; those that it covers otherwise are told their modes. */
export function reviewAttachments(connection: Connection): void {
  for (const [wireName, attachment] of [...connection.attachments]) {
    const modes = attachment.requestedModes & permittedModes(connection, attachment.name)
    if (modes === attachment.modes) continue
    if (!modes) {
      connection.attachments.delete(wireName)
      dropAttachment(connection, attachment, "now")
      sendChannelError(connection, wireName, ablyError(40160))
      continue
    }
    const channel = connection.app.channel(attachment.name)
    if (!(modes & Mode.PRESENCE)) channel.presence.leaveNow(connection.id)
    attachment.modes = modes
    attachment.send({
      action: Action.ATTACHED,
      channel: wireName,
      channelSerial: attachment.position,
      flags: modes | Flag.RESUMED,
      params: attachment.params,
    })
  }
}

/** §7: the pages of the presence set; `channelSerial` asks for the rest from a cursor on. */
export function sendSync(connection: Connection, message: ProtocolMessage): void {
  const attachment = connection.attachments.get(message.channel ?? "")
  if (!attachment || !(attachment.modes & Mode.PRESENCE_SUBSCRIBE)) return
  const channel = connection.app.channel(attachment.name)
  for (const page of channel.presence.sync(message.channelSerial)) {
    attachment.send({ ...page, channel: attachment.name.wire })
  }
}

export function sendChannelError(connection: Connection, wireName: string, error: AblyError): void {
  connection.transport?.send({ action: Action.ERROR, channel: wireName, error: error.toErrorInfo() })
}

function knownParams(params: Record<string, string>): Record<string, string> {
  const isKnown = ([name, value]: [string, string]) =>
    KNOWN_PARAMS.includes(name) && (name !== "delta" || value === "vcdiff")
  return Object.fromEntries(Object.entries(params).filter(isKnown))
}

/** §5.1: `modes` in the params overrides the flags; neither means the default set. */
function readModes(flags: number, param: string | undefined): number {
  const named = (param ?? "")
    .split(",")
    .map((name) => Mode[name.trim().toUpperCase() as keyof typeof Mode] ?? 0)
    .reduce((all, mode) => all | mode, 0)
  return named || flags & ALL_MODES || DEFAULT_MODES
}

function permittedModes(connection: Connection, name: ChannelName): number {
  const may = (operation: Operation) => permits(connection.credentials.capability, name.base, operation)
  // Channels with a qualifier are read only.
  const isView = name.qualifier !== undefined || name.filter !== undefined
  return (
    (may("subscribe") ? Mode.SUBSCRIBE | Mode.PRESENCE_SUBSCRIBE : 0) |
    (may("publish") && !isView ? Mode.PUBLISH : 0) |
    (may("presence") && !isView ? Mode.PRESENCE : 0) |
    (may("annotation-publish") && !isView ? Mode.ANNOTATION_PUBLISH : 0) |
    (may("annotation-subscribe") ? Mode.ANNOTATION_SUBSCRIBE : 0)
  )
}
