import { createByteCount } from "./byte-count.ts"
import { ablyError } from "./errors.ts"
import type { Channel, PresenceEvent, PresenceMember, PresenceSet } from "./model.ts"
import { Action, PresenceAction, type ProtocolMessage } from "./protocol.ts"
import { bytesOf } from "./publisher.ts"

const CLIENT_ACTIONS: number[] = [PresenceAction.enter, PresenceAction.update, PresenceAction.leave]

export function createPresenceSet(channel: Channel): PresenceSet {
  const { clock, limits, random } = channel.app
  const members = new Map<string, PresenceMember>()
  const leaving = new Map<string, () => void>()
  let events: PresenceEvent[] = []
  const bytes = createByteCount<PresenceEvent>(() => limits.maxHistorySize)

  function trim() {
    const window = channel.rules.persisted ? limits.persistedWindow : limits.continuityWindow
    const oldest = clock.now() - window
    const kept = events.findIndex(({ message }) => message.timestamp >= oldest)
    const count = bytes.release(events, kept < 0 ? events.length : kept)
    if (count > 0) events = events.slice(count)
  }

  function broadcast(frameId: string, connectionId: string, presence: PresenceMember[]) {
    const timestamp = clock.now()
    const channelSerial = channel.serials.next()
    for (const message of presence) {
      const event = { channelSerial, message }
      events.push(event)
      bytes.add(event, bytesOf(message))
    }
    trim()
    channel.broadcast({
      action: Action.PRESENCE,
      id: frameId,
      channel: channel.name,
      channelSerial,
      connectionId,
      timestamp,
      presence,
    })
    channel.app.webhooks.presence(channel.name, channelSerial, presence)
    channel.occupancy.announce()
  }

  /** Refused as a whole, before any of it takes effect. */
  function assertAcceptable(entering: PresenceMember[]) {
    const unknown = entering.find((member) => !CLIENT_ACTIONS.includes(member.action))
    if (unknown) throw ablyError(40003, `clients don't send presence action ${unknown.action}`)
    const added = new Set(
      entering
        .filter((member) => member.action !== PresenceAction.leave)
        .map((member) => memberKey(member.connectionId, member.clientId))
        .filter((key) => !members.has(key)),
    )
    if (members.size + added.size > limits.maxPresenceMembers) throw ablyError(91003)
  }

  /** What this message does to the set, and what the others are told; nothing for a repeated entry with the same id. */
  function applyOne(member: PresenceMember): PresenceMember | undefined {
    const key = memberKey(member.connectionId, member.clientId)
    const present = members.get(key)
    if (member.action === PresenceAction.leave) {
      if (!present) return undefined
      members.delete(key)
      // A leave without data repeats what the member last said.
      const last = member.data === undefined ? { data: present.data, encoding: present.encoding } : {}
      return { ...member, ...last }
    }
    if (present?.id === member.id) return undefined
    members.set(key, member)
    return { ...member, action: present ? PresenceAction.update : PresenceAction.enter }
  }

  function leaveNow(connectionId: string) {
    leaving.get(connectionId)?.()
    leaving.delete(connectionId)
    const gone = [...members.values()].filter((member) => member.connectionId === connectionId)
    if (gone.length === 0) return
    // Synthesized: the id doesn't begin with the connection's, so newness goes by timestamp.
    const frameId = `${random.string(10)}:0`
    const timestamp = clock.now()
    for (const member of gone) members.delete(memberKey(connectionId, member.clientId))
    broadcast(
      frameId,
      connectionId,
      gone.map((member, index) => ({
        ...member,
        id: `${frameId}:${index}`,
        action: PresenceAction.leave,
        timestamp,
      })),
    )
  }

  return {
    size: () => members.size,
    list: () => [...members.values()].map((member) => ({ ...member, action: PresenceAction.present })),
    history() {
      trim()
      return events
    },
    apply(connectionId, frameId, messages) {
      const timestamp = clock.now()
      const entering = messages.map((message, index) => ({
        ...message,
        id: message.id ?? `${frameId}:${index}`,
        connectionId,
        timestamp,
      }))
      assertAcceptable(entering)
      const told = entering.map(applyOne).filter((message) => message !== undefined)
      if (told.length > 0) broadcast(frameId, connectionId, told)
    },
    leaveLater(connectionId) {
      if (leaving.has(connectionId)) return
      const cancel = clock.schedule(() => leaveNow(connectionId), limits.presenceLeaveDelay)
      leaving.set(connectionId, cancel)
    },
    stay(connectionId) {
      leaving.get(connectionId)?.()
      leaving.delete(connectionId)
    },
    leaveNow,
    sync(from) {
      const present = [...members.values()].map((member) => ({ ...member, action: PresenceAction.present }))
      const match = /^([\w-]+):(\d+)$/.exec(from ?? "")
      const syncId = match?.[1] ?? random.string(10)
      const pages: ProtocolMessage[] = []
      let start = Number(match?.[2] ?? 0)
      do {
        const end = start + Math.max(1, limits.syncPageSize)
        const cursor = end < present.length ? String(end) : ""
        pages.push({
          action: Action.SYNC,
          channelSerial: `${syncId}:${cursor}`,
          timestamp: clock.now(),
          presence: present.slice(start, end),
        })
        start = end
      } while (start < present.length)
      return pages
    },
    addFixture(fixture) {
      const id = `fixtures:0:${members.size}`
      const member = { ...fixture, id, connectionId: "fixtures", timestamp: clock.now() }
      const message = { ...member, action: PresenceAction.enter }
      members.set(memberKey("fixtures", fixture.clientId), message)
      events.push({ channelSerial: channel.serials.next(), message })
    },
  }
}

function memberKey(connectionId: string, clientId: string): string {
  return `${connectionId}:${clientId}`
}
