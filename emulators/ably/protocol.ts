import type { ErrorInfo } from "./errors.ts"

/** ably/README.md §4.1 Actions. */
export const Action = {
  HEARTBEAT: 0,
  ACK: 1,
  NACK: 2,
  CONNECT: 3,
  CONNECTED: 4,
  DISCONNECT: 5,
  DISCONNECTED: 6,
  CLOSE: 7,
  CLOSED: 8,
  ERROR: 9,
  ATTACH: 10,
  ATTACHED: 11,
  DETACH: 12,
  DETACHED: 13,
  PRESENCE: 14,
  MESSAGE: 15,
  SYNC: 16,
  AUTH: 17,
  ACTIVATE: 18,
  OBJECT: 19,
  OBJECT_SYNC: 20,
  ANNOTATION: 21,
} as const

export type ActionName = keyof typeof Action

/** ably/README.md §4.1 Flags, without the modes. */
export const Flag = {
  HAS_PRESENCE: 1 << 0,
  HAS_BACKLOG: 1 << 1,
  RESUMED: 1 << 2,
  /** Of an ATTACH: it goes on with an attachment that was there before, and is no first one. */
  ATTACH_RESUME: 1 << 5,
} as const

/** ably/README.md §4.1 Flags: the modes of an attachment. */
export const Mode = {
  PRESENCE: 1 << 16,
  PUBLISH: 1 << 17,
  SUBSCRIBE: 1 << 18,
  PRESENCE_SUBSCRIBE: 1 << 19,
  ANNOTATION_PUBLISH: 1 << 21,
  ANNOTATION_SUBSCRIBE: 1 << 22,
  OBJECT_SUBSCRIBE: 1 << 24,
  OBJECT_PUBLISH: 1 << 25,
} as const

export type ModeName = keyof typeof Mode

/** §5.1: what an ATTACH without modes asks for; ANNOTATION_SUBSCRIBE and the OBJECT modes come only on request. */
export const DEFAULT_MODES =
  Mode.PRESENCE | Mode.PUBLISH | Mode.SUBSCRIBE | Mode.PRESENCE_SUBSCRIBE | Mode.ANNOTATION_PUBLISH

export const ALL_MODES = Object.values(Mode).reduce((all, mode) => all | mode, 0)

/** §6.2 Message actions. */
export const MessageAction = { create: 0, update: 1, delete: 2, meta: 3, summary: 4, append: 5 } as const

/** §7 Presence actions. */
export const PresenceAction = { absent: 0, present: 1, enter: 2, leave: 3, update: 4 } as const

/** §6.5 Annotation actions. */
export const AnnotationAction = { create: 0, delete: 1 } as const

/** What messages, presence messages and annotations share. `data` is text or bytes once it has been read. */
export interface BaseMessage {
  id?: string
  clientId?: string
  connectionId?: string
  timestamp?: number
  data?: string | Uint8Array
  encoding?: string
  extras?: Record<string, unknown>
}

export interface MessageVersion {
  serial?: string
  timestamp?: number
  clientId?: string
  description?: string
  metadata?: Record<string, unknown>
}

export interface Message extends BaseMessage {
  name?: string
  connectionKey?: string
  action?: number
  serial?: string
  version?: MessageVersion
  annotations?: { summary: Record<string, unknown> }
}

export interface PresenceMessage extends BaseMessage {
  action: number
}

export interface Annotation extends BaseMessage {
  action: number
  serial?: string
  messageSerial: string
  type: string
  name?: string
  count?: number
}

/** §4.2. */
export interface ConnectionDetails {
  connectionKey: string
  clientId?: string
  maxMessageSize: number
  maxInboundRate: number
  maxFrameSize: number
  connectionStateTtl: number
  maxIdleInterval: number
  serverId: string
  siteCode: string
}

/** §4.1: one frame. A field that is undefined doesn't travel: both encoders leave it out. */
export interface ProtocolMessage {
  action: number
  id?: string
  auth?: { accessToken?: string }
  channel?: string
  channelSerial?: string
  connectionId?: string
  connectionKey?: string
  connectionDetails?: ConnectionDetails
  count?: number
  error?: ErrorInfo
  flags?: number
  msgSerial?: number
  messages?: Message[]
  presence?: PresenceMessage[]
  annotations?: Annotation[]
  params?: Record<string, string>
  res?: { serials: (string | null)[] }[]
  timestamp?: number
}

export function actionName(action: number): ActionName | undefined {
  return (Object.keys(Action) as ActionName[]).find((name) => Action[name] === action)
}
