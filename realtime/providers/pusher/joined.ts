import type { Channel } from "pusher-js"
import type { RealtimeError } from "../../errors.ts"
import type { JoinedChannel } from "../../joined-channels.ts"
import type { JsonValue } from "../../json.ts"

/** What the transport keeps of each channel, besides what the client wants of it. */
export interface ChannelState {
  presence?: Channel | null
  /** Whoever waits to hear whether the service took `data`. */
  entering?: PromiseWithResolvers<void> | undefined
  /** The presence channel has as many members as it may have. */
  isFull?: boolean
  /** How many connections listen, as far as the service tells. */
  subscribers?: number
}

export type Joined = JoinedChannel & ChannelState

/** What is signed for a Pusher channel: whose it is among ours, and which of the two. */
export interface Signable {
  channel: Joined
  kind: "messages" | "presence"
  /** The presence data that was signed last, none to who only watches. */
  signed?: { data: JsonValue | undefined }
  /** Our server or Pusher said no. */
  onRefused(reason: RealtimeError): void
}

/** What may be signed by now, by its name in Pusher. */
export type Signables = Map<string, Signable>
