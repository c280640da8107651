import type { OnError } from "./errors.ts"
import type { JsonValue } from "./json.ts"
import type { LogPage } from "./message.ts"
import type { ChannelObserver, RealtimeTransport, TransportSubscription } from "./transport.ts"

/**
 * A channel that a client takes part in: what the client wants of it, and how
 * far a transport has come with that.
 */
export interface JoinedChannel {
  readonly name: string
  readonly observer: ChannelObserver
  readonly isAttached: boolean
  /** The client asked to be told who is there. */
  watchesPresence: boolean
  /** With what the client wants to be present; undefined: it doesn't want to be. */
  data: JsonValue | undefined
  /** With what it is present, as others see it. */
  entered: JsonValue | undefined
  /** Whoever is present is told who else is, without having asked. */
  readonly wantsPresence: boolean
  /** False from the moment it is left, also when the client has joined a channel of this name again. */
  isCurrent(): boolean
  /**
   * Begins an attempt. The returned function says whether the channel is joined
   * still, and no later attempt was begun.
   */
  beginAttempt(): () => boolean
  /** Remembers that the provider has accepted the subscription, and tells the observer each time. */
  attached(page?: LogPage): void
  /** Tells the observer of an interruption, if it was attached. */
  detached(): void
  /** Presence was refused for good: the client wants what others see already, or nothing if it was that. */
  dataRefused(): void
  /** False if it was left before. */
  leave(): boolean
}

/**
 * The channels that a client takes part in, at most one of a name. `State` is
 * what else a transport keeps of each.
 */
export interface JoinedChannels<State extends object> extends Iterable<JoinedChannel & State> {
  get(name: string): (JoinedChannel & State) | undefined
  /** Takes the place of the channel that was joined under this name before. */
  join(name: string, observer: ChannelObserver, state: State): JoinedChannel & State
  detachAll(): void
  /** Leaves all of them. */
  clear(): void
}

export function createJoinedChannels<State extends object>(): JoinedChannels<State> {
  const channels = new Map<string, JoinedChannel & State>()
  const each = () => channels.values()
  return {
    [Symbol.iterator]: each,
    get: (name) => channels.get(name),
    join(name, observer, state) {
      let isAttached = false
      let attempts = 0
      const channel: JoinedChannel = {
        name,
        observer,
        get isAttached() {
          return isAttached
        },
        watchesPresence: false,
        data: undefined,
        entered: undefined,
        get wantsPresence() {
          return channel.watchesPresence || channel.data !== undefined
        },
        isCurrent: () => channels.get(name) === channel,
        beginAttempt() {
          attempts += 1
          const attempt = attempts
          return () => channel.isCurrent() && attempt === attempts
        },
        attached(page) {
          isAttached = true
          observer.onAttached(page)
        },
        detached() {
          if (!isAttached) return
          isAttached = false
          observer.onDetached()
        },
        dataRefused() {
          channel.data = channel.data === channel.entered ? undefined : channel.entered
          channel.entered = channel.data
        },
        leave: () => channel.isCurrent() && channels.delete(name),
      }
      const joined = Object.assign(channel, state)
      channels.set(name, joined)
      return joined
    },
    detachAll() {
      for (const channel of each()) channel.detached()
    },
    clear: () => channels.clear(),
  }
}

/**
 * Subscribes at a transport to all that the client wants of a channel by now. Whoever asked to be
 * present doesn't wait for this answer, so a refusal goes to `onError`; who may not be present
 * may be in the channel all the same.
 */
export function subscribeAt(
  transport: RealtimeTransport,
  { name, observer, watchesPresence, data }: JoinedChannel,
  onError: OnError,
  through: ChannelObserver = observer,
): TransportSubscription {
  const subscription = transport.subscribe(name, through)
  if (watchesPresence) subscription.watchPresence()
  if (data !== undefined)
    subscription.enterPresence(data).catch((error) => onError(error, { stage: "presence" }))
  return subscription
}
