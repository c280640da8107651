import type { RealtimeTransport } from "../transport.ts"

/** A provider that the server publishes to, and how to reach it. */
export interface Candidate {
  provider: string
  /** Equal for equal configurations: a page that follows a changed list keeps the connection that it has. */
  key: string
  /** Makes its transport; inert until `connect`. */
  create(): RealtimeTransport
}
