/** Where providers may differ. Each flag says what the application gets when it is false. */
export interface TransportCapabilities {
  /**
   * The transport carries durable messages to the server itself, with an acknowledgement. When false, and
   * while it has no connection, the client posts them to the route handler over HTTP.
   */
  readonly publishesOverConnection: boolean
  /**
   * Subscribing with a cursor is answered with what was missed. When false, the client
   * reads it from the log over HTTP.
   */
  readonly catchesUpOnSubscribe: boolean
  /**
   * The transport carries signals itself, and the receiver learns the verified sender. When false, the client
   * posts them to the route handler over HTTP, which costs a request each.
   */
  readonly signalsOverConnection: boolean
  /**
   * The transport's signals pass our server, which hands them to the list's other providers and to server
   * code. When false the client posts them to the route handler where the list has others, and those that a
   * definition names in `heard` always.
   */
  readonly signalsPassServer: boolean
  /**
   * The most signals a second from one page. Beyond it `signal` rejects with `rate-limited` before anything
   * is sent, so that the provider's own limit, which may cost more than the signal, is never met.
   */
  readonly maxSignalsPerSecond: number
  /**
   * The most a second of each signal that a definition names in its `latest`. Of what comes faster the newest
   * goes when its turn has come. Fewer where the provider bills each of them to everybody in the channel.
   */
  readonly latestSignalsPerSecond: number
  /**
   * The most channels of one connection; each further one is denied with `rate-limited`, which doesn't pass
   * by itself. `Infinity`: nobody counts them.
   */
  readonly maxChannels: number
  /** The most people whose names a channel's presence holds; beyond it only their number is known. */
  readonly maxPresenceMembers: number
  /**
   * The most bytes of one message on the wire. A larger one travels without its payload and the receiver
   * reads that from the log; so this bounds the delivery's size, not the message's.
   */
  readonly maxDeliveryBytes: number
}
