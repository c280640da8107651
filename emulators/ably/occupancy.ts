import type { Attachment, Channel, Occupancy, OccupancyMetrics } from "./model.ts"
import { Action, Mode } from "./protocol.ts"

export function createOccupancy(channel: Channel): Occupancy {
  const holding = (mode: number) =>
    [...channel.attachments].filter((attachment) => attachment.modes & mode).length
  const told = new WeakMap<Attachment, string>()

  function metrics(): OccupancyMetrics {
    return {
      connections: new Set([...channel.attachments].map((attachment) => attachment.connectionId)).size,
      publishers: holding(Mode.PUBLISH),
      subscribers: holding(Mode.SUBSCRIBE),
      presenceConnections: holding(Mode.PRESENCE),
      presenceMembers: channel.presence.size(),
      presenceSubscribers: holding(Mode.PRESENCE_SUBSCRIBE),
      objectPublishers: 0,
      objectSubscribers: 0,
    }
  }

  function announceTo(attachment: Attachment) {
    const wanted = attachment.params.occupancy
    if (!wanted || !(attachment.modes & Mode.SUBSCRIBE)) return
    // `metrics` is all of them, `metrics.subscribers` that one.
    const category = wanted.split(".")[1]
    const all = Object.entries(metrics())
    const shown = Object.fromEntries(category ? all.filter(([name]) => name === category) : all)
    const data = JSON.stringify({ metrics: shown })
    if (told.get(attachment) === data) return
    told.set(attachment, data)
    const timestamp = channel.app.clock.now()
    const id = `${channel.app.random.string(10)}:0`
    attachment.send({
      action: Action.MESSAGE,
      channel: attachment.name.wire,
      id,
      timestamp,
      messages: [{ id: `${id}:0`, name: "[meta]occupancy", data, encoding: "json", timestamp, action: 3 }],
    })
  }

  return {
    metrics,
    announce() {
      for (const attachment of [...channel.attachments]) announceTo(attachment)
    },
  }
}
