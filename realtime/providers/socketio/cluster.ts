import type { JsonValue } from "../../json.ts"
import type { Signal, User, WireMessage } from "../../message.ts"
import type { StatePatch } from "../../state.ts"
import type { PresenceRegistry } from "./presence-registry.ts"

/** Somebody's connection that is visible in a channel. */
export interface Entered {
  channel: string
  connection: string
  user: User
  data: JsonValue
}

/** What one gateway tells the others. */
export type ClusterNote =
  /** What was committed together, of however many channels. */
  | { kind: "messages"; messages: readonly WireMessage[] }
  /** Of a channel's `latest` as many as came together: a release that doesn't know `more` takes the first. */
  | { kind: "signal"; signal: Signal; more?: readonly Signal[] }
  | { kind: "changed"; patches: readonly StatePatch[] }
  /** Without a channel: in all. */
  | { kind: "revoke"; userId: string; channel?: string | undefined }
  | ({ kind: "entered" } & Entered)
  | { kind: "left"; channel: string; connection: string }
  /** Everybody who is there through this gateway, in place of what was known. */
  | { kind: "state"; present: readonly Entered[] }
  /** New here, or back after it was cut off: it would like to know everybody's state. */
  | { kind: "hello" }
  | { kind: "alive" }
  | { kind: "goodbye" }

/**
 * The way to the other gateways: at most once and, of each gateway, in order. What it loses of messages is in
 * the log; what it loses of presence comes with the next `state`.
 */
export interface ClusterBus {
  /** Whether notes can be posted now. */
  readonly isConnected: boolean
  /** Resolves when the bus has taken it; rejects when it can't. */
  post(note: ClusterNote): Promise<void>
  /**
   * What others post, with the name of the gateway that did and the note's number among all that it posted.
   * One's own notes don't come back.
   */
  listen(listener: (note: ClusterNote, from: string, number: number) => void): void
  /** Calls back when the bus can be reached, the first time and after each time that it couldn't. */
  onConnected(listener: () => void): void
  /** Ends the connection to the others. Idempotent. */
  close(): Promise<void>
}

export interface PeersOptions {
  bus: ClusterBus
  presence: PresenceRegistry
  /** Who of this gateway's own is there. */
  own(): readonly Entered[]
  /** What to do with a note that isn't about presence. */
  take(note: Extract<ClusterNote, { kind: "messages" | "signal" | "changed" | "revoke" }>): void
  /** Somebody came, went or changed somewhere else. */
  announce(channel: string, change: ReturnType<PresenceRegistry["leave"]>): void
  heartbeatMs: number
}

/** The other gateways, as this one knows them. */
export interface Peers {
  /** Never waits and never fails: what can't be told now is made good later. */
  tell(note: ClusterNote): void
  /**
   * True while a gateway may be publishing that can't be heard: the bus is away, or not long ago one of
   * them fell silent or wasn't heard in full.
   */
  readonly isInDoubt: boolean
  /** How many are heard. */
  readonly count: number
  close(): Promise<void>
}

interface Peer {
  heardAt: number
  /** Of the last note that it posted. */
  number: number
  present: Map<string, Entered>
}

/** One that was silent for so many heartbeats is gone, and its people with it. */
const missedHeartbeats = 3
/** For how long one that fell silent may still be publishing. */
const doubtMs = 60_000
/** What was posted before this gateway listened is in the log by then: a few looks find it. */
const newcomerDoubtMs = 10_000
/** More than these are found by the pages' own comparisons. */
const maxBacklogChannels = 1_000

export function createPeers(options: PeersOptions): Peers {
  const { bus, presence, own, take, announce, heartbeatMs } = options
  const peers = new Map<string, Peer>()
  /** The newest message of each channel that the others weren't told of: it shows their readers the gap. */
  const backlog = new Map<string, WireMessage>()
  let doubtedUntil = Number.NEGATIVE_INFINITY

  const keyOf = ({ channel, connection }: { channel: string; connection: string }) =>
    `${connection} ${channel}`

  function doubt(ms: number): void {
    doubtedUntil = Math.max(doubtedUntil, performance.now() + ms)
  }

  function enter(peer: Peer, entered: Entered): void {
    const { channel, connection, user, data } = entered
    peer.present.set(keyOf(entered), entered)
    announce(channel, presence.enter(channel, connection, user, data))
  }

  function leave(peer: Peer, { channel, connection }: { channel: string; connection: string }): void {
    if (peer.present.delete(keyOf({ channel, connection })))
      announce(channel, presence.leave(channel, connection))
  }

  function forget(name: string, peer: Peer): void {
    for (const entered of [...peer.present.values()]) leave(peer, entered)
    peers.delete(name)
  }

  function replace(peer: Peer, present: readonly Entered[]): void {
    const now = new Map(present.map((entered) => [keyOf(entered), entered]))
    for (const [key, entered] of [...peer.present]) if (!now.has(key)) leave(peer, entered)
    for (const [key, entered] of now) {
      // Told again without need, it would count as the latest of the person's connections.
      const before = peer.present.get(key)
      if (JSON.stringify(before) !== JSON.stringify(entered)) enter(peer, entered)
    }
  }

  function receive(note: ClusterNote, from: string, number: number): void {
    let peer = peers.get(from)
    if (note.kind === "goodbye") {
      if (peer) forget(from, peer)
      return
    }
    const isNew = !peer
    peer ??= { heardAt: 0, number: number - 1, present: new Map() }
    peers.set(from, peer)
    const hasMissed = number !== peer.number + 1
    peer.number = number
    peer.heardAt = performance.now()
    if (hasMissed) doubt(doubtMs)
    // It has posted before this gateway heard it, perhaps what somebody who is here already waits for.
    else if (isNew && number > 1) doubt(newcomerDoubtMs)
    // Who was there before this one listened, or came while it couldn't.
    if ((isNew || hasMissed) && note.kind !== "state") tell({ kind: "hello" })
    if (note.kind === "entered") enter(peer, note)
    else if (note.kind === "left") leave(peer, note)
    else if (note.kind === "state") replace(peer, note.present)
    else if (note.kind === "hello") tell({ kind: "state", present: own() })
    else if (note.kind !== "alive") take(note)
  }

  function addToBacklog(messages: readonly WireMessage[]): void {
    for (const message of messages) {
      const before = backlog.get(message.channel)
      const isNewer = before?.epoch !== message.epoch || before.seq < message.seq
      if (isNewer && (before || backlog.size < maxBacklogChannels)) backlog.set(message.channel, message)
    }
  }

  function tell(note: ClusterNote): void {
    bus.post(note).catch(() => {
      // The bus says itself that it is away.
      if (note.kind === "messages") addToBacklog(note.messages)
    })
  }

  bus.listen(receive)
  bus.onConnected(() => {
    tell({ kind: "hello" })
    tell({ kind: "state", present: own() })
    if (backlog.size === 0) return
    const messages = [...backlog.values()]
    backlog.clear()
    tell({ kind: "messages", messages })
  })
  const heartbeat = setInterval(() => {
    tell({ kind: "alive" })
    const now = performance.now()
    // Whoever can't hear doesn't know who fell silent.
    if (!bus.isConnected) return
    for (const [name, peer] of peers) {
      if (now - peer.heardAt < heartbeatMs * missedHeartbeats) continue
      doubt(doubtMs)
      forget(name, peer)
    }
  }, heartbeatMs).unref()

  return {
    tell,
    get isInDoubt() {
      return !bus.isConnected || performance.now() < doubtedUntil
    },
    get count() {
      return peers.size
    },
    async close() {
      clearInterval(heartbeat)
      // A way that is closed would keep the goodbye, and the end waiting with it.
      if (bus.isConnected) await bus.post({ kind: "goodbye" }).catch(() => {})
      await bus.close()
    },
  }
}
