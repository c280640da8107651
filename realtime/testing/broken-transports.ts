import { createMessageId } from "../message-id.ts"
import type { ChannelObserver, RealtimeTransport } from "../transport.ts"

/** Changes what a transport tells about its channels. */
function withObserver(
  transport: RealtimeTransport,
  change: (observer: ChannelObserver, channel: string) => Partial<ChannelObserver>,
): RealtimeTransport {
  return override(transport, {
    subscribe: (channel, observer) =>
      transport.subscribe(channel, {
        cursor: observer.cursor,
        onAttached: observer.onAttached,
        onDetached: observer.onDetached,
        onDenied: observer.onDenied,
        onMessages: observer.onMessages,
        onSignal: observer.onSignal,
        onPresence: observer.onPresence,
        onState: (patches) => observer.onState?.(patches),
        ...change(observer, channel),
      }),
  })
}

/** The same transport with some members replaced; the others, getters included, stay live. */
function override(transport: RealtimeTransport, members: Partial<RealtimeTransport>): RealtimeTransport {
  return Object.create(transport, Object.getOwnPropertyDescriptors(members)) as RealtimeTransport
}

/**
 * Transports with one fault each, as real ones have had them. The contract has to catch every one: a suite
 * that doesn't fail on these proves nothing by passing on others.
 */
export const brokenTransports: Record<string, (transport: RealtimeTransport) => RealtimeTransport> = {
  "loses every tenth message": (transport) =>
    withObserver(transport, ({ onMessages }) => {
      let count = 0
      return {
        onMessages(messages) {
          count += messages.length
          onMessages(count % 10 === 0 ? messages.slice(1) : messages)
        },
      }
    }),
  "says nothing of what changed in the state": (transport) =>
    withObserver(transport, () => ({ onState() {} })),
  "delivers each message twice": (transport) =>
    withObserver(transport, ({ onMessages }) => ({
      onMessages(messages) {
        onMessages(messages)
        onMessages(messages)
      },
    })),
  "delivers in reverse": (transport) =>
    withObserver(transport, ({ onMessages }) => {
      let held: Parameters<typeof onMessages>[0] | null = null
      return {
        onMessages(messages) {
          if (!held) {
            held = messages
            setTimeout(() => {
              if (held) onMessages(held)
              held = null
            }, 30)
            return
          }
          const earlier = held
          held = null
          onMessages([...messages].reverse())
          onMessages(earlier)
        },
      }
    }),
  "lets everyone in and tells them so": (transport) =>
    withObserver(transport, ({ onAttached }) => ({ onDenied: () => onAttached() })),
  "says that it is connected before it is": (transport) =>
    override(transport, {
      get status() {
        return transport.status.state === "connecting" ? ({ state: "connected" } as const) : transport.status
      },
    }),
  "does not say when it comes back": (transport) =>
    withObserver(transport, ({ onAttached }) => {
      let attachments = 0
      return {
        onAttached(page) {
          attachments += 1
          if (attachments === 1) onAttached(page)
        },
      }
    }),
  "goes on after it was closed": (transport) =>
    override(transport, {
      async close() {
        // Forgets to.
      },
    }),
  "goes on after unsubscribe": (transport) =>
    override(transport, {
      subscribe(channel, observer) {
        const subscription = transport.subscribe(channel, observer)
        return Object.create(subscription, { unsubscribe: { value: () => {} } })
      },
    }),
  "shows each tab as a person": (transport) =>
    withObserver(transport, ({ onPresence }) => ({
      onPresence: ({ count, members }) => onPresence({ count: count + 1, members }),
    })),
  "forgets which page sent a signal": (transport) =>
    withObserver(transport, ({ onSignal }) => ({
      onSignal: ({ origin: _, ...signal }) => onSignal(signal),
    })),
  "says that signals pass the server, which hears none of them": (transport) =>
    override(transport, { capabilities: { ...transport.capabilities, signalsPassServer: true } }),
  "hands signals back to their sender": (transport) =>
    override(transport, {
      subscribe(channel, observer) {
        const subscription = transport.subscribe(channel, observer)
        const signal: typeof subscription.signal = async (event, payload, origin) => {
          await subscription.signal?.(event, payload, origin)
          observer.onSignal({
            id: createMessageId(),
            channel,
            event,
            payload,
            from: { id: "alice" },
            at: Date.now(),
          })
        }
        return Object.create(subscription, { signal: { value: signal } })
      },
    }),
  "forgets presence when it reconnects": (transport) =>
    override(transport, {
      subscribe(channel, observer) {
        let attachments = 0
        const subscription = transport.subscribe(channel, {
          ...observer,
          cursor: observer.cursor,
          onAttached(page) {
            attachments += 1
            observer.onAttached(page)
            if (attachments > 1) void subscription.leavePresence()
          },
        })
        return subscription
      },
    }),
  "takes refused presence for a refused channel": (transport) =>
    override(transport, {
      subscribe(channel, observer) {
        const subscription = transport.subscribe(channel, observer)
        const enterPresence: typeof subscription.enterPresence = (data) =>
          subscription.enterPresence(data).catch((error) => {
            observer.onDenied(error)
            throw error
          })
        return Object.create(subscription, { enterPresence: { value: enterPresence } })
      },
    }),
  "refuses presence for ever once it was refused": (transport) =>
    override(transport, {
      subscribe(channel, observer) {
        const subscription = transport.subscribe(channel, observer)
        let refused: Promise<void> | undefined
        const enterPresence: typeof subscription.enterPresence = (data) => {
          if (refused) return refused
          const entered = subscription.enterPresence(data)
          entered.catch(() => {
            refused = entered
          })
          return entered
        }
        return Object.create(subscription, { enterPresence: { value: enterPresence } })
      },
    }),
  "carries messages of other channels": (transport) => {
    const observers = new Set<ChannelObserver>()
    return override(transport, {
      subscribe(channel, observer) {
        observers.add(observer)
        return transport.subscribe(channel, {
          ...observer,
          onMessages: (messages) => {
            for (const other of observers) other.onMessages(messages)
          },
        })
      },
    })
  },
  "lets one listener's failure end the others' news": (transport) => {
    const listeners = new Set<Parameters<typeof transport.onStatus>[0]>()
    transport.onStatus((status) => {
      for (const listener of listeners) listener(status)
    })
    return override(transport, {
      onStatus(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    })
  },
  "gives up after the first cut": (transport) => {
    let isCut = false
    return override(transport, {
      connect() {
        transport.onStatus(({ state }) => {
          if (state === "reconnecting" && !isCut) {
            isCut = true
            void transport.close()
          }
        })
        transport.connect()
      },
    })
  },
}
