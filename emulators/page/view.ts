/** What the page shows of an emulator; each of them says it in these words. */
export interface View {
  apps: AppView[]
  faults: FaultView[]
  /** Which switches are on that aren't faults, by their label. */
  settings: Record<string, boolean>
}

export interface AppView {
  id: string
  /** As an SDK or a `.env` takes them. */
  credentials: string[]
  connections: ConnectionView[]
  channels: ChannelView[]
}

export interface ConnectionView {
  id: string
  /** Who it is, as far as the service knows. */
  user?: string
  /** False while it has no socket and may be resumed. */
  isOpen: boolean
  channels: string[]
}

export interface ChannelView {
  name: string
  subscribers: number
  /** Who is present, where the channel has presence. */
  members: string[]
}

export interface FaultView {
  id: string
  hits: number
  fault: object
}

/** A fault that the page can turn on and off by the control endpoints; `number` is the field that may be changed. */
export interface Switch {
  group: "Messages" | "Connections" | "HTTP"
  label: string
  fault?: object
  number?: { field: string; unit: string }
  /** Instead of a fault: what to post, to which endpoint. */
  setting?: { endpoint: string; on: Record<string, unknown>; off: Record<string, unknown> }
}

/** Something that befalls the connections at once. */
export interface Action {
  label: string
  endpoint: string
  body: object
}

/** What the page needs to know of an emulator's control endpoints. */
export interface Controls {
  service: string
  switches: readonly Switch[]
  actions: readonly Action[]
  /** Where a fault says which channel it is limited to. */
  channelIn: "fault" | "match"
  /** How `drop-connections` names one connection. */
  connectionField: string
}

/** A frame or a request, read. */
export interface Traffic {
  at: number
  from: "client" | "service" | "http"
  connection?: string
  name: string
  channel?: string
  text: string
}
