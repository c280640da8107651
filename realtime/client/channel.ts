import type { AnyChannelDefinition } from "../channel.ts"
import type { ChannelOptions } from "./channel-options.ts"
import { createChannelOutbox } from "./channel-outbox.ts"
import { createChannelPresence } from "./channel-presence.ts"
import { createChannelSignals } from "./channel-signals.ts"
import { createChannelStreams, type HeadComparison } from "./channel-streams.ts"
import { createSharedSubscription } from "./shared-subscription.ts"
import type { Channel, StateListener } from "./types.ts"

/** The client's own side of a channel. */
export interface ManagedChannel extends Channel {
  /** The page is looked at again: it looks at once whether something was missed. */
  check(): void
  /**
   * Begins a comparison with the log's head, if anybody follows the channel; the returned function ends it.
   */
  startComparison(): HeadComparison | null
  /** Hot reload has evaluated the application's definitions again: from now on this one counts. */
  redefine(definition: AnyChannelDefinition): void
  /** The client is open: what listens to the channel takes part in it (again), each from its own place. */
  open(): void
  /** Lets go of the connection; what listens stays, and what waits for an answer rejects. */
  close(): void
}

/** One channel of one client: a single subscription at the provider, shared by any number of listeners. */
export function createChannel(options: ChannelOptions): ManagedChannel {
  const { ref, http, outbox, capabilities, maxPayloadBytes, onError } = options
  const { name } = ref
  let { definition } = ref
  let stateListener: StateListener | undefined

  const subscription = createSharedSubscription(options, {
    cursor: () => streams.cursor(),
    onAttached(page) {
      streams.attached(page)
      stateListener?.attached()
      outbox.wake(name)
    },
    onMessages: (messages) => streams.receive(messages),
    onSignal: (signal) => void signals.receive(signal),
    onPresence: (snapshot) => void presence.receive(snapshot),
    onState: (patches) => stateListener?.receive(patches),
    onJoined: () => presence.joined(),
    onDetached: () => streams.detached(),
    onDenied: (error) => streams.deny(error),
    onLeft: () => presence.forget(),
  })
  const { happens } = subscription
  const latest = () => definition
  const streams = createChannelStreams(options, subscription)
  const presence = createChannelPresence(options, subscription, latest)
  const signals = createChannelSignals(options, subscription, latest)

  return {
    ...createChannelOutbox(options, latest),
    name,
    get status() {
      return subscription.status
    },
    onStatus: subscription.onStatus,
    subscribe: streams.subscribe,
    signal: signals.signal,
    onSignal: signals.onSignal,
    presence,
    join(listener) {
      stateListener = listener ?? stateListener
      return {
        watch: (wanted) => subscription.joined?.watchState?.(wanted),
        ...{ capabilities, maxPayloadBytes, post: http.post },
        shutOut: subscription.shutOut,
        release: subscription.use(),
      }
    },
    report: onError,
    history: (page = {}) => http.history(name, page),

    check() {
      if (subscription.status.state === "denied") happens({ type: "review" })
      // Without a subscription too: the log stands in for a provider that is away.
      else streams.check()
    },
    startComparison() {
      if (subscription.status.state === "denied") return (head) => happens({ type: "compared", head })
      return streams.startComparison()
    },
    redefine(next) {
      definition = next
    },
    open: () => happens({ type: "opened" }),
    close() {
      signals.close()
      streams.renew()
      happens({ type: "closed" })
    },
  }
}
