import { type AnyChannelDefinition, schemaOf, validate } from "../channel.ts"
import { isDenial, RealtimeError } from "../errors.ts"
import type { JsonValue } from "../json.ts"
import { createListeners, type Listeners } from "../listeners.ts"
import type { Signal } from "../message.ts"
import type { ChannelOptions } from "./channel-options.ts"
import type { SharedSubscription } from "./shared-subscription.ts"
import { createSignalInbox } from "./signal-inbox.ts"
import { createSignalOutlet } from "./signal-outlet.ts"
import type { Channel } from "./types.ts"

/** A channel's signals, both ways. */
export interface ChannelSignals extends Pick<Channel, "signal" | "onSignal"> {
  receive(signal: Signal): Promise<void>
  /** What waits for its turn is dropped. */
  close(): void
}

export function createChannelSignals(
  {
    ref: { name },
    isOpen,
    http,
    page,
    signalAges,
    signalPace,
    capabilities,
    onError,
  }: Pick<
    ChannelOptions,
    "ref" | "isOpen" | "http" | "page" | "signalAges" | "signalPace" | "capabilities" | "onError"
  >,
  subscription: Pick<SharedSubscription, "joined" | "status" | "use">,
  definition: () => AnyChannelDefinition,
): ChannelSignals {
  const isFresh = createSignalInbox({ page, ages: signalAges })
  const listeners = new Map<string, Listeners<[Signal]>>()
  let sent = 0

  const isAttached = () => subscription.status.state === "attached"
  /** What server code hears goes to the server itself, unless the connection brings it there. */
  const mayGoByConnection = (event: string) =>
    !definition().heard.includes(event) || (isAttached() && capabilities()?.signalsPassServer === true)

  const { send, close } = createSignalOutlet({
    pace: () => (isAttached() ? signalPace() : null),
    isLatest: (event) => definition().latest.includes(event),
    async deliver(event, payload) {
      if (!isOpen()) throw notOpen()
      sent += 1
      const origin = { page, n: sent }
      const overConnection = mayGoByConnection(event) ? subscription.joined?.signal : undefined
      if (overConnection) {
        try {
          return await overConnection(event, payload as JsonValue, origin)
        } catch (error) {
          // Refused by a permission that may be out of date, it is no way any more:
          // the server says what counts now.
          if (!isDenial(error) || subscription.joined?.signal) throw error
        }
      }
      await http.signal(name, event, payload, origin)
    },
  })

  return {
    signal: send,
    onSignal(event, handler) {
      const ofEvent = listeners.get(event) ?? createListeners<[Signal]>(onError, "onSignal")
      listeners.set(event, ofEvent)
      return subscription.use(ofEvent.add(handler as (signal: Signal) => void))
    },
    // Peers' signals may come past the server, so their shape is checked here too.
    async receive(signal) {
      const ofEvent = listeners.get(signal.event)
      if (signal.channel !== name || !ofEvent || !isFresh(signal)) return
      try {
        const schema = schemaOf(definition().signals, signal.event)
        ofEvent.tell({ ...signal, payload: await validate(schema, signal.payload, "the signal") })
      } catch (error) {
        onError(error, { stage: "receive a signal" })
      }
    },
    close,
  }
}

const notOpen = () =>
  new RealtimeError("not-connected", { message: "unable to send; the client isn't open", retryable: false })
