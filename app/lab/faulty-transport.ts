import {
  createListeners,
  logError,
  RealtimeError,
  type RealtimeTransport,
  type TransportStatus,
  type WireMessage,
} from "throughline"

/** What the visitor has switched on. Read whenever something passes. */
export interface Faults {
  cut: boolean
  drop: boolean
  duplicate: boolean
  reorder: boolean
  delay: boolean
  /** Providers that are made to fail. */
  failed: ReadonlySet<string>
}

export interface FaultyTransportOptions {
  transport: RealtimeTransport
  faults(): Faults
  /** Calls back when a fault was switched on or off. */
  onFaults(listener: () => void): () => void
  /** What gets through to this side: what the SDK alone would have shown. */
  onDelivery(messages: readonly WireMessage[]): void
}

const chance = 0.3
const maxDelayMs = 1_500
/** How long a message that changes places waits for the next one. */
const patienceMs = 500

/**
 * A provider's real transport with a bad network in front of it. What it does to deliveries happens before the contract sees
 * them, as it would on the way.
 */
export function createFaultyTransport({
  transport,
  faults,
  onFaults,
  onDelivery,
}: FaultyTransportOptions): RealtimeTransport {
  const listeners = createListeners<[TransportStatus]>(logError, "onStatus")
  /** Told when the network goes and comes back. */
  const wires = new Set<{ broke(): void; mended(): void }>()
  const isBroken = () => faults().cut || faults().failed.has(transport.provider)
  let wasBroken = isBroken()

  function currentStatus(): TransportStatus {
    if (transport.status.state === "closed") return transport.status
    const message = "the laboratory has switched it off"
    if (faults().failed.has(transport.provider)) {
      return { state: "failed", error: new RealtimeError("provider-unavailable", { message }) }
    }
    if (faults().cut) return { state: "reconnecting", error: new RealtimeError("not-connected", { message }) }
    return transport.status
  }

  function tell(): void {
    listeners.tell(currentStatus())
  }

  const stopFollowing = transport.onStatus(tell)
  const stopListening = onFaults(() => {
    if (isBroken() === wasBroken) return
    wasBroken = isBroken()
    for (const wire of wires) wasBroken ? wire.broke() : wire.mended()
    tell()
  })

  return {
    get provider() {
      return transport.provider
    },
    get capabilities() {
      return transport.capabilities
    },
    get status() {
      return currentStatus()
    },
    onStatus: listeners.add,
    connect: () => transport.connect(),
    get publish() {
      const publish = transport.publish?.bind(transport)
      if (!publish) return undefined as never
      return async (channel: string, messages: Parameters<typeof publish>[1]) => {
        if (isBroken()) throw new RealtimeError("not-connected", { message: "there is no network" })
        return publish(channel, messages)
      }
    },
    subscribe(channel, observer) {
      let isAttached = false
      let held: { messages: readonly WireMessage[]; timer: ReturnType<typeof setTimeout> } | null = null

      function deliver(messages: readonly WireMessage[]): void {
        if (isBroken()) return
        onDelivery(messages)
        observer.onMessages(messages)
      }

      function release(): void {
        if (!held) return
        clearTimeout(held.timer)
        const { messages } = held
        held = null
        deliver(messages)
      }

      function pass(messages: readonly WireMessage[]): void {
        const { drop, duplicate, reorder, delay } = faults()
        if (drop && Math.random() < chance) return
        if (duplicate && Math.random() < chance) deliver(messages)
        if (delay) setTimeout(deliver, Math.random() * maxDelayMs, messages)
        else if (reorder && !held) held = { messages, timer: setTimeout(release, patienceMs) }
        else {
          deliver(messages)
          release()
        }
      }

      const wire = {
        broke: () => isAttached && observer.onDetached(),
        mended: () => isAttached && observer.onAttached(),
      }
      wires.add(wire)
      const subscription = transport.subscribe(channel, {
        ...observer,
        cursor: () => observer.cursor(),
        onAttached(page) {
          isAttached = true
          if (!isBroken()) observer.onAttached(page)
        },
        onDetached() {
          isAttached = false
          if (!isBroken()) observer.onDetached()
        },
        onMessages(messages) {
          for (const message of messages) if (!isBroken()) pass([message])
        },
      })
      return {
        ...subscription,
        unsubscribe() {
          wires.delete(wire)
          clearTimeout(held?.timer)
          subscription.unsubscribe()
        },
      }
    },
    async close() {
      stopFollowing()
      stopListening()
      await transport.close()
      tell()
      listeners.clear()
    },
  }
}
