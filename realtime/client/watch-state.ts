import type { AnyChannelDefinition, StateKey, StateOutput } from "../channel.ts"
import { guard } from "../guard.ts"
import { defaultStateRate, type StatePage } from "../state.ts"
import { createSharedState, type SharedState } from "./shared-state.ts"
import type { StateWatcher } from "./state-watchers.ts"
import type { Channel } from "./types.ts"

/** The values of watched keys, as far as they are known and there are any. */
export type StateValues<D extends AnyChannelDefinition, K extends StateKey<D>> = {
  readonly [Key in K]?: StateOutput<D, Key>
}

/** What `watchState` takes besides. */
export interface WatchStateOptions {
  /**
   * How often it wants to be told, a second: 1 to 20. Default 4. Of several that watch one channel in a page
   * the highest counts, and Pusher and Ably tell 4 times.
   */
  perSecond?: number | undefined
  /**
   * What the server has read of the first keys, as it rendered the page:
   * `await realtime.state(ref).read(keys)`. Those values are there at once, until newer ones are. Default:
   * none.
   */
  initial?: StatePage | undefined
}

/** A set of keys that is watched, until `stop`. */
export interface StateWatch<
  D extends AnyChannelDefinition = AnyChannelDefinition,
  K extends StateKey<D> = StateKey<D>,
> {
  /** The same object until something changes. */
  readonly values: StateValues<D, K>
  /** It is known of every key whether there is a value. */
  readonly isReady: boolean
  /**
   * From now on these keys: the channel isn't left. Throws as `watchState` does. Which keys may follow is in
   * the watch's type; where they are others than the first, it is `watchState<D, StateKey<D>>(…)`.
   */
  setKeys(keys: readonly K[]): void
  /** The listener isn't called again. Idempotent. */
  stop(): void
}

/** By channel, what its watchers share. */
const shared = new WeakMap<object, SharedState>()

/**
 * Browser: watches keys of a channel's state. Calls `listener` when a value is another one, with all of them;
 * what changes faster than `perSecond` is left out, the last value is not. All who watch one channel share
 * one subscription. Throws `rate-limited` where a page watches more than 500 keys of a channel, and
 * `invalid-request` for a key of more than 200 characters.
 */
export function watchState<D extends AnyChannelDefinition, K extends StateKey<D>>(
  channel: Channel<D>,
  keys: readonly K[],
  listener: (values: StateValues<D, K>) => void,
  { perSecond = defaultStateRate, initial }: WatchStateOptions = {},
): StateWatch<D, K> {
  const state = shared.get(channel) ?? createSharedState(channel as unknown as Channel)
  shared.set(channel, state)
  let values: StateValues<D, K> | null = null
  /** It is of the past once it has been shown. */
  let unseen = initial
  let isStopped = false
  const watcher: StateWatcher = {
    ...{ keys: new Set(), perSecond },
    changed() {
      values = null
      if (!isStopped) guard(channel.report, "watchState", () => listener(watch.values))
    },
  }
  const watch: StateWatch<D, K> = {
    get values() {
      const entries = () =>
        [...watcher.keys].flatMap((key) => {
          const value = state.value(key)
          return value === undefined ? [] : [[key, value]]
        })
      values ??= Object.fromEntries(entries()) as StateValues<D, K>
      return values
    },
    get isReady() {
      return [...watcher.keys].every(state.isKnown)
    },
    setKeys(next) {
      if (isStopped) return
      state.update(watcher, next)
      values = null
      if (!unseen || next.length === 0) return
      state.seed(unseen, next)
      unseen = undefined
    },
    stop() {
      if (isStopped) return
      isStopped = true
      state.remove(watcher)
    },
  }
  state.add(watcher)
  try {
    watch.setKeys(keys)
  } catch (error) {
    watch.stop()
    throw error
  }
  return watch
}
