/*
 * What the parts of the service know of each other: interfaces alone, so that no file needs another one that needs it. What makes each of
 * them has its name: `createChannel` in `channel.ts`.
 */

import type { Capability } from "./capability.ts"
import type { ChannelName } from "./channel-name.ts"
import type { Clock, SkewedClock } from "./clock.ts"
import type { AblyError } from "./errors.ts"
import type { FaultMatch, Faults } from "./faults.ts"
import type { MessageFilter } from "./filter.ts"
import type { Limits, RateLimiter } from "./limits.ts"
import type { Annotation, BaseMessage, Message, PresenceMessage, ProtocolMessage } from "./protocol.ts"
import type { Random } from "./random.ts"
import type { Recent } from "./recent.ts"
import type { Serials } from "./serials.ts"
import type { WebhookRule, Webhooks } from "./webhooks.ts"

export interface Key {
  /** `appId.keyId`, which is also a JWT's `kid`. */
  name: string
  secret: string
  capability: Capability
  /** Whether `revokeTokens` is allowed for this key's tokens (40163). */
  revocableTokens: boolean
}

/** Rules for the channels whose name begins with `{id}:`, or is `id`. */
export interface Namespace {
  id: string
  persisted: boolean
  persistLast: boolean
  /** Update, delete, append and annotations (§6.4, 93002). */
  mutableMessages: boolean
}

/** The body of the sandbox's `POST /apps`, with ids and secrets that the caller may fix. */
export interface AppSetup {
  /** Names the app. Drawn from the seed, unless told. */
  id?: string
  /** One with all permissions unless given; what is left out of one is drawn from the seed. */
  keys?: { id?: string; secret?: string; capability?: string | Capability; revocableTokens?: boolean }[]
  /**
   * Those whose channels keep messages (`persisted`, `persistLast`) or let them be changed
   * (`mutableMessages`). `persisted` and `mutable` unless given.
   */
  namespaces?: { id: string; persisted?: boolean; persistLast?: boolean; mutableMessages?: boolean }[]
  /** Presence members that are there from the beginning. None unless given. */
  channels?: { name: string; presence?: { clientId: string; data?: string; encoding?: string }[] }[]
  /** What differs from the service's own, or from those of `ServiceOptions`. */
  limits?: Partial<Limits>
  /** Where the app's webhooks go. None unless given. */
  webhooks?: WebhookRule[]
}

/** One vendor application: everything below it is separate from other apps. */
export interface App {
  readonly id: string
  readonly keys: Key[]
  readonly namespaces: Map<string, Namespace>
  /** They may be changed at any time. Whoever is connected is told of it, once for all that changes in one turn. */
  readonly limits: Limits
  /** Counts what is published in the whole app. */
  readonly rate: RateLimiter
  readonly clock: Clock
  readonly random: Random
  /** Attached, dropped-but-resumable and REST-used channels, by base name. */
  readonly channels: Map<string, Channel>
  /** Live and resumable connections, by connection id. */
  readonly connections: Map<string, Connection>
  /** Those of them that have no socket, the longest dropped first. */
  readonly dropped: Set<Connection>
  /** Those it has issued, and the JWTs it has seen, by their text. */
  readonly tokens: Map<string, Token>
  /** Those of token requests, for as long as their time would still be accepted. */
  readonly nonces: Recent<true>
  revocations: Revocation[]
  readonly webhooks: Webhooks
  readonly stats: Stats
  /** When set, everything that counts towards the account's quota is refused with 40112. */
  overQuota: boolean
  channel(name: ChannelName): Channel
  revoke(revocation: Revocation): void
  /** Something was added that has its time: what had it is let go after a while. */
  tidyLater(): void
}

export type Apps = ReadonlyMap<string, App>

/** Who a connection or request is, before its client id is settled. */
export interface Credentials {
  app: App
  key: Key
  capability: Capability
  /** Absent with key authentication. */
  token?: Token
}

/** What a token says, whichever kind it is. */
export interface Token {
  key: Key
  capability: Capability
  clientId?: string
  /** The latest moment at which it can have been issued; revocation compares this. */
  issued: number
  expires: number
  revocationKey?: string
  /** Set by the emulator's control: the token is refused with this code from now on. */
  ended?: 40141 | 40142
}

/** ably/README.md §2.2 `revokeTokens`: tokens of this key that match and were issued before are refused from `appliesAt` on. */
export interface Revocation {
  keyName: string
  type: "clientId" | "channel" | "revocationKey"
  value: string
  issuedBefore: number
  appliesAt: number
}

/** Who publishes: a connection, or a REST request, which has no connection of its own. */
export interface Publisher {
  app: App
  credentials: Credentials
  clientId?: string
  connectionId?: string
  /** `connId:msgSerial` of the frame, or what a REST publish is given instead. */
  frameId: string
}

/** One connection's hold on one channel (ably/README.md §5.1). */
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

/** A message as the channel keeps it: its place never changes, its content is that of the latest version (ably/README.md §6.4). */
export interface StoredMessage {
  readonly serial: string
  readonly channelSerial: string
  readonly timestamp: number
  /** From the created one to the latest. */
  readonly versions: Message[]
  readonly annotations: Annotation[]
  latest: Message
}

export interface MessageStore {
  /** In the order of publication; older ones than the namespace keeps are gone (§8). */
  all(): StoredMessage[]
  find(serial: string): StoredMessage | undefined
  /** It has taken this on: another version, or an annotation. */
  grew(stored: StoredMessage, by: BaseMessage): void
  add(message: Message & { serial: string; timestamp: number }, channelSerial: string): StoredMessage
  /** §2.3: the serial that a message with this id got, if it was published within the window. */
  serialOf(id: string): string | undefined
  /** §5.1 `rewind`: the last messages by count (`10`, at most 100) or time (`2m`, `15s`). */
  rewind(value: string): StoredMessage[]
  clear(): void
}

export type PresenceMember = PresenceMessage & {
  id: string
  clientId: string
  connectionId: string
  timestamp: number
}

export interface PresenceEvent {
  channelSerial: string
  message: PresenceMember
}

/** ably/README.md §7: who is present in one channel. A member is a clientId on a connection. */
export interface PresenceSet {
  size(): number
  /** As action `present`, in the order of entry. */
  list(): PresenceMessage[]
  history(): PresenceEvent[]
  /** Enter, update and leave of one connection, broadcast as one frame; ids are `frameId:index` unless the client gave one. */
  apply(connectionId: string, frameId: string, messages: (PresenceMessage & { clientId: string })[]): void
  /** Members of a dropped connection leave after a while, unless it attaches again (`stay`). */
  leaveLater(connectionId: string): void
  stay(connectionId: string): void
  /** The members of a connection that closed, detached or lost the right to be present. */
  leaveNow(connectionId: string): void
  /** SYNC pages from a cursor on (§7): the last has an empty cursor. */
  sync(channelSerial?: string): ProtocolMessage[]
  addFixture(member: { clientId: string; data?: string; encoding?: string }): void
}

/** ably/README.md §2.2 `GET /channels/{c}`. */
export type OccupancyMetrics = Record<
  | "connections"
  | "publishers"
  | "subscribers"
  | "presenceConnections"
  | "presenceMembers"
  | "presenceSubscribers"
  | "objectPublishers"
  | "objectSubscribers",
  number
>

export interface Occupancy {
  metrics(): OccupancyMetrics
  /** Tells attachments with `occupancy=metrics` (§5.1 Params) what they don't know yet. */
  announce(): void
}

/** What happened in each minute, by the vendor's names: `messages.inbound.realtime.messages.count`. */
export type StatsEntries = Record<string, number>

export type StatsUnit = "minute" | "hour" | "day" | "month"

/** One row of `GET /stats`. */
export interface StatsRow {
  intervalId: string
  unit: StatsUnit
  /** The last minute so far, of an interval that isn't over. */
  inProgress?: string
  entries: StatsEntries
}

/** What a frame carries. */
export type Counted = Pick<ProtocolMessage, "action" | "messages" | "presence">

/** ably/README.md §2.2 `GET /stats`: messages and presence are counted as they pass. */
export interface Stats {
  count(direction: "inbound" | "outbound", by: "realtime" | "rest", frame: Counted): void
  /** The sandbox's `POST /stats`: what happened in some minute, as the vendor's suites make it up. */
  addFixture(value: unknown): void
  /** Oldest first. */
  rows(query: URLSearchParams): StatsRow[]
}

/** The socket beneath a connection, as the connection sees it. */
export interface Transport {
  send(message: ProtocolMessage): void
  /** Ends the socket after what was sent. */
  close(): void
}

/** A connection outlives its sockets: until `connectionStateTtl` after a drop it can be resumed (ably/README.md §4.5). */
export interface Connection {
  readonly id: string
  /** Changes with each CONNECTED; what was issued before still names this connection (`hasKey`). */
  readonly key: string
  readonly app: App
  readonly echo: boolean
  readonly credentials: Credentials
  readonly clientId: string | undefined
  /** By the name that the client used. */
  readonly attachments: Map<string, Attachment>
  readonly transport: Transport | undefined
  /** Also a former key: a client that never saw the latest CONNECTED comes back with the one before. */
  hasKey(key: string): boolean
  /** Takes over a new socket, superseding a former one that hasn't noticed its end. */
  open(transport: Transport, credentials: Credentials, error?: AblyError): void
  receive(message: ProtocolMessage): void
  /** The socket is gone: attachments end, presence and state wait for a resume. */
  drop(): void
  /** It can't be resumed any more. */
  forget(): void
  /** §4.4: DISCONNECTED; the client may come back and resume. */
  disconnect(error: AblyError): void
  /** §4.4: ERROR; fatal for the client unless it is a token error. */
  fail(error: AblyError): void
  /** §4.2: CONNECTED once more, since what it tells has changed. */
  announce(): void
  /** §4.4: asks the client for a new token. */
  requestReauth(): void
  onRevocation(revocation: Revocation): void
}

/** What a mount offers of one WebSocket. */
export interface Socket {
  send(frame: string | Uint8Array): void
  /** A WebSocket ping, which counts as activity for clients that asked for `heartbeats=false`. */
  ping(): void
  close(): void
  /** Ends it without a closing frame. */
  terminate(): void
}

/** One socket's life, from the upgrade on (ably/README.md §4). */
export interface Session {
  readonly connection: Connection | undefined
  receive(frame: string | Uint8Array): void
  /** The mount reports the socket's end, whoever caused it. */
  closed(): void
  /** Ends the socket without a closing frame. */
  cut(): void
}

/** An HTTP request without its socket. Header names are in lower case. */
export interface RestRequest {
  method: string
  path: string
  query: URLSearchParams
  headers: Record<string, string | undefined>
  body: Uint8Array
}

export interface RestResponse {
  status: number
  headers: Record<string, string>
  body: Uint8Array
}

/** What a route works with: the request, read; and who asks, once the route wants to know. */
export interface RouteContext {
  service: AblyService
  request: RestRequest
  /** The variable segments of the path, decoded. */
  params: Record<string, string>
  query: URLSearchParams
  /** The protocol version that the client speaks. */
  version: number
  /** Needs an app for its limits; a route without credentials names it. */
  readBody(app?: App): unknown
  credentials(): Credentials
  app(): App
  publisher(): Publisher
}

export interface Answer {
  status?: number
  body?: unknown
  links?: Record<string, string>
}

export interface Route {
  method: string
  /** `:name` is a variable segment. */
  path: string
  handle(context: RouteContext): Answer
}

/** Which connections an operation is about; nothing means all. */
export type ConnectionMatch = Pick<FaultMatch, "appId" | "connectionId" | "clientId">

/** The whole service without any I/O: mounts feed it sockets and requests. */
export interface AblyService {
  /** By their ids. */
  readonly apps: ReadonlyMap<string, App>
  /** The service's time, which may be skewed. */
  readonly clock: SkewedClock
  /** Where ids and probabilities come from, repeatable by `seed`. */
  readonly random: Random
  /** The faults in force. */
  readonly faults: Faults
  /** The open sockets. */
  readonly sessions: Set<Session>
  /** Takes an open socket; `query` is that of its address. */
  accept(socket: Socket, query: URLSearchParams): Session
  /** Answers a REST request; undefined: with none, the socket is to be cut. */
  request(request: RestRequest): Promise<RestResponse | undefined>
  /** Makes another app. */
  addApp(setup: AppSetup): App
  /** Ends an app and its connections. */
  removeApp(appId: string): void

  /** Ends sockets without a closing frame; the connections can be resumed. */
  dropConnections(match?: ConnectionMatch): void
  /** DISCONNECTED with a code, 80003 unless given (ably/README.md §4.4). */
  disconnect(match?: ConnectionMatch, code?: number): void
  /** ERROR with a code: fatal, unless it is a token error. */
  fail(match: ConnectionMatch, code: number): void
  /** AUTH: asks for a new token. */
  requestReauth(match?: ConnectionMatch): void
  /** DETACHED unasked (§5.2). */
  detach(match: ConnectionMatch & { channel: string }, code?: number): void
  /** ATTACHED unasked, without RESUMED: what was missed on the channel is lost (§5.1). 90003 unless given. */
  breakContinuity(match: ConnectionMatch & { channel: string }, code?: number): void
  /** Tokens expire now, those in use by DISCONNECTED 40142, and are refused from then on. */
  expireTokens(match?: ConnectionMatch): void
  /** The same with 40141. */
  revokeTokens(match?: ConnectionMatch): void
  /** Forgets a connection's state, so that its resume fails with 80008. */
  forgetConnections(match?: ConnectionMatch): void
  /** Forgets a channel's stream, so that no earlier `channelSerial` is honoured (90003). */
  forgetChannel(channel: string, appId?: string): void
  /** Ends every connection and forgets every timer. */
  close(): void
}
