import type { Channel, default as Pusher } from "pusher-js"
import type { TransportOptions } from "../../client/create-realtime-client.ts"
import type { OnError, RealtimeError } from "../../errors.ts"
import type { Signable, Signables } from "./joined.ts"
import { followRefusals } from "./refusals.ts"
import { createSigning } from "./signing.ts"

export interface SubscriptionsOptions extends TransportOptions {
  /** The first pause before asking again for a signature that failed in passing; it doubles. */
  retryMs: number
  onError: OnError
}

export type Subscriptions = ReturnType<typeof createSubscriptions>

/** Browser: the channels of pusher-js, each with whose it is among ours. */
export function createSubscriptions(options: SubscriptionsOptions) {
  const signables: Signables = new Map()
  let client: Pusher | null = null

  /**
   * Our server or Pusher said no to a channel. What Pusher says leaves the channel pending in pusher-js, for
   * ever: it would neither leave it nor join it again.
   */
  function onRefused(name: string, reason: RealtimeError): void {
    const subscription = client?.channel(name)
    if (subscription) subscription.subscriptionPending = false
    const signable = signables.get(name)
    if (signable) signable.onRefused(reason)
    else client?.unsubscribe(name)
  }

  return {
    /** What pusher-js is to be opened with. */
    signing: createSigning({
      ...options,
      signables,
      isOpenAs: (socketId) => client?.connection.socket_id === socketId,
      onRefused,
    }),
    /** From now on channels can be subscribed to. */
    open(opened: Pusher): void {
      client = opened
      followRefusals(opened, onRefused)
    },
    /** Null before it is open. */
    subscribe(name: string, signable: Signable): Channel | null {
      if (!client) return null
      signables.set(name, signable)
      return client.subscribe(name)
    },
    unsubscribe(name: string): void {
      signables.delete(name)
      client?.channel(name)?.unbind()
      client?.unsubscribe(name)
    },
    /** Nothing is signed for any more. */
    close: () => signables.clear(),
  }
}
