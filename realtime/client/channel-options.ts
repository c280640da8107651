import type { TransportCapabilities } from "../capabilities.ts"
import type { ChannelRef } from "../channel.ts"
import type { OnError } from "../errors.ts"
import type { ChannelObserver, TransportSubscription } from "../transport.ts"
import type { MessageFollower } from "./follow-messages.ts"
import type { RealtimeHttp } from "./http.ts"
import type { Outbox } from "./outbox.ts"
import type { SignalAges } from "./signal-ages.ts"
import type { SignalPace } from "./signal-outlet.ts"

/** What a client makes a channel of. Each part of the channel names what it needs of it. */
export interface ChannelOptions {
  ref: ChannelRef
  /** The client is open. */
  isOpen: () => boolean
  /** Takes part in it on the connection; null while the client isn't open. */
  join: (observer: ChannelObserver) => TransportSubscription | null
  http: RealtimeHttp
  /** What the page calls itself to whoever gets its signals. */
  page: string
  /** All channels share it: the clocks of one are those of the others. */
  signalAges: SignalAges
  /** All channels share it; only asked when the provider's code is there. */
  signalPace: () => SignalPace
  /** Of the provider in use; null while there is no connection. */
  capabilities: () => TransportCapabilities | null
  outbox: Outbox
  follower: MessageFollower | undefined
  maxPayloadBytes: number
  presenceGraceMs: number | undefined
  onError: OnError
}
