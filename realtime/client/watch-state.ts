import { type BackOff, backOffMs, randomBetween } from "../back-off.ts"
import type { AnyChannelDefinition, StateKey, StateOutput } from "../channel.ts"
import { isDenial, isRealtimeError, RealtimeError } from "../errors.ts"
import { guard } from "../guard.ts"
import {
  defaultStateRate,
  isKey,
  maxKeyLength,
  maxWatchedKeys,
  parseStatePage,
  parseStatePatches,
  type StatePage,
} from "../state.ts"
import { createKeyedState, type KeyedState, type StateVerdict } from "./keyed-state.ts"
import { onReturn } from "./on-return.ts"
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

interface Watcher {
  keys: ReadonlySet<string>
  perSecond: number
  changed(): void
}

/** What the watchers of one channel share. */
interface SharedState {
  add(watcher: Watcher): void
  remove(watcher: Watcher): void
  /** Its keys are others now. Throws where the page would watch too many. */
  update(watcher: Watcher, keys: readonly string[]): void
  seed: KeyedState["seed"]
  value(key: string): unknown
  isKnown(key: string): boolean
}

const backOff: BackOff = { firstMs: 300, maxMs: 10_000 }
/** What another server wrote may be on its way. */
const holeMs = 1_000
/** Whether something was missed is looked at so often, while the page is looked at. */
const lookMs = 60_000
/** The same without a connection. */
const awayLookMs = 10_000

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
  const watcher: Watcher = {
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

function createSharedState(channel: Channel): SharedState {
  const state = createKeyedState()
  const watchers = new Set<Watcher>()
  let source: ReturnType<Channel["join"]> | null = null
  let isPlanned = false
  let isReading = false
  let failures = 0
  let pausing: ReturnType<typeof setTimeout> | undefined
  let hole: ReturnType<typeof setTimeout> | undefined
  let looking: ReturnType<typeof setTimeout> | undefined
  let stopWatching = () => {}
  let stopFollowing = () => {}
  /** So many are on their way: what is read before they are heard may lack what changes until then. */
  let announcements = 0
  let announcing: ReturnType<typeof setTimeout> | undefined
  /** How often in a row it wasn't heard which keys are watched. */
  let unheard = 0

  /** Not while the client is closed, nor where the server has refused the page. */
  const isFollowed = () => channel.status.state === "attaching" || channel.status.state === "attached"
  const union = (without?: Watcher) => {
    const keys = new Set<string>()
    for (const watcher of watchers) if (watcher !== without) for (const key of watcher.keys) keys.add(key)
    return keys
  }

  function act({ type, changed }: StateVerdict): void {
    if (type === "wait") hole ??= setTimeout(overdue, randomBetween(holeMs, 1.5 * holeMs))
    else stopWaiting()
    if (type === "read") void read()
    if (changed.length === 0) return
    for (const watcher of [...watchers]) if (changed.some((key) => watcher.keys.has(key))) watcher.changed()
  }

  function stopWaiting(): void {
    clearTimeout(hole)
    hole = undefined
  }

  function overdue(): void {
    stopWaiting()
    act(state.overdue())
  }

  /** One read at a time; what has to be read by its end is read next. */
  async function read(): Promise<void> {
    const from = source
    if (isReading || pausing || announcements > 0 || !from || !isFollowed()) return
    const keys = state.ask()
    if (keys.length === 0) return
    isReading = true
    let verdict: StateVerdict | null = null
    try {
      const page = parseStatePage(await from.post("state", { channel: channel.name, keys }))
      if (source === from) {
        verdict = state.page(page, keys)
        // One that lags, or whose keys change as they are read, is asked again later.
        failures = verdict.type === "read" && !page.rest ? failures + 1 : 0
        if (failures > 0) pause()
      }
    } catch (error) {
      if (isDenial(error)) from.shutOut(error)
      else if (source === from) {
        failures += 1
        channel.report(error, { stage: "read the state" })
        // What doesn't pass is asked again with the next look.
        if (passes(error)) pause(error)
      }
    }
    isReading = false
    if (verdict) act(verdict)
    else if (source !== from) void read()
  }

  function pause(error?: unknown): void {
    clearTimeout(pausing)
    pausing = setTimeout(resume, backOffMs(backOff, failures, error))
  }

  function resume(): void {
    clearTimeout(pausing)
    pausing = undefined
    void read()
  }

  function look(): void {
    clearTimeout(looking)
    if (!isFollowed()) {
      rest()
      return
    }
    const ms = channel.status.state === "attached" ? lookMs : awayLookMs
    looking = setTimeout(
      () => {
        const isSeen = typeof document === "undefined" || document.visibilityState === "visible"
        if (isSeen) act(state.overdue())
        look()
      },
      randomBetween(0.75 * ms, 1.25 * ms),
    )
  }

  /** Until there is something to do again: no timer runs. */
  function rest(): void {
    for (const timer of [pausing, looking, announcing]) clearTimeout(timer)
    pausing = undefined
    stopWaiting()
  }

  /** What is watched is said at once for all that was changed in one turn. */
  function plan(): void {
    if (isPlanned) return
    isPlanned = true
    queueMicrotask(() => {
      isPlanned = false
      const keys = union()
      state.watch([...keys])
      if (keys.size > 0) return begin()
      // Others may keep the channel: nothing of its state is wanted any more.
      if (channel.status.state === "attached") void announce()
      end()
    })
  }

  function begin(): void {
    if (source) {
      if (channel.status.state === "attached") void announce()
      return
    }
    const wasAttached = channel.status.state === "attached"
    const joined = channel.join({
      attached,
      receive(patches) {
        if (!source) return
        // Nobody's mistake brings another channel's values to this one's listeners.
        for (const patch of parseStatePatches(patches))
          if (patch.channel === channel.name) act(state.patch(patch))
      },
    })
    stopWatching = onReturn(() => {
      state.overdue()
      resume()
    })
    source = joined
    if (wasAttached) queueMicrotask(() => source === joined && attached())
    stopFollowing = channel.onStatus(look)
    look()
  }

  function attached(): void {
    if (!source) return
    state.overdue()
    void announce()
  }

  /** What is read afterwards lacks nothing that isn't told. */
  async function announce(): Promise<void> {
    const keys = [...union()]
    const perSecond = Math.max(1, ...[...watchers].map((watcher) => watcher.perSecond))
    clearTimeout(announcing)
    announcements += 1
    try {
      await source?.watch({ keys, perSecond })
      // Of what was read meanwhile nobody has told the page what became.
      if (unheard > 0) state.overdue()
      unheard = 0
    } catch (error) {
      // Without a connection it is said again with the next one.
      if (!isRealtimeError(error) || error.code !== "not-connected") {
        unheard += 1
        channel.report(error, { stage: "watch the state" })
        if (source && isFollowed() && passes(error))
          announcing = setTimeout(() => void announce(), backOffMs(backOff, unheard, error))
      }
    } finally {
      announcements -= 1
    }
    resume()
  }

  function end(): void {
    rest()
    stopWatching()
    stopFollowing()
    failures = 0
    source?.release()
    source = null
  }

  return {
    add: (watcher) => void watchers.add(watcher),
    remove(watcher) {
      watchers.delete(watcher)
      plan()
    },
    update(watcher, keys) {
      const all = union(watcher)
      for (const key of keys) {
        if (!isKey(key)) throw noKey(key)
        all.add(key)
        if (all.size > maxWatchedKeys) throw tooMany(key)
      }
      watcher.keys = new Set(keys)
      plan()
    },
    seed: state.seed,
    value: state.value,
    isKnown: state.isKnown,
  }
}

const passes = (error: unknown) => !isRealtimeError(error) || error.retryable

const noKey = (key: unknown) =>
  new RealtimeError("invalid-request", {
    message: `unable to watch "${String(key).slice(0, maxKeyLength)}"; a key has ${maxKeyLength} characters at most`,
  })

const tooMany = (key: string) =>
  new RealtimeError("rate-limited", {
    message: `unable to watch "${key}"; a page watches ${maxWatchedKeys} keys of a channel at most`,
    retryable: false,
  })
