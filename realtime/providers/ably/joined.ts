import type { RealtimeChannel } from "ably"
import type { JoinedChannel } from "../../joined-channels.ts"

/** What the transport keeps of each channel, besides what the client wants of it. */
export interface ChannelState {
  messages: RealtimeChannel | null
  signals: RealtimeChannel | null
  /** Tells the answers of overlapping reads of the members apart. */
  reads: number
  /** The server left it out of the latest token, or the service refused it. */
  isDenied?: boolean
  /** The server couldn't say yet whether it may be joined; it is asked again after a pause. */
  isPutOff?: boolean
  /** The service said that the channel has as many members as it may have. */
  isFull?: boolean
  /** The token in use doesn't let it be among the members. */
  isPresenceRefused?: boolean
  /** Nor send signals: from then on they go to the server, which says what counts now. */
  isSignalRefused?: boolean
}

export type Joined = JoinedChannel & ChannelState
