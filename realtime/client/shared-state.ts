import { randomBetween } from "../back-off.ts"
import { parseStatePatches } from "../state.ts"
import { isFollowed } from "./is-followed.ts"
import { createKeyedState, type KeyedState, type StateVerdict } from "./keyed-state.ts"
import { createLooks } from "./looks.ts"
import { onReturn } from "./on-return.ts"
import { createStateAnnouncer } from "./state-announcer.ts"
import { createStateReader } from "./state-reader.ts"
import { createStateWatchers, type StateWatchers } from "./state-watchers.ts"
import type { Channel, ChannelSource } from "./types.ts"

/** What the watchers of one channel share. */
export interface SharedState
  extends Pick<StateWatchers, "add" | "remove" | "update">,
    Pick<KeyedState, "seed" | "value" | "isKnown"> {}

/** What another server wrote may be on its way. */
const holeMs = 1_000
/** Whether something was missed is looked at so often, while the page is looked at. */
const lookMs = 60_000
/** The same without a connection. */
const awayLookMs = 10_000

export function createSharedState(channel: Channel): SharedState {
  const state = createKeyedState()
  const watchers = createStateWatchers(plan)
  let source: ChannelSource | null = null
  let isPlanned = false
  let hole: ReturnType<typeof setTimeout> | undefined
  let stopWatching = () => {}
  let stopFollowing = () => {}

  const isAttached = () => channel.status.state === "attached"
  const current = () => source
  const isUnheard = () => announcer.isBusy
  const reader = createStateReader({ channel, state, source: current, isUnheard, act })
  const announcer = createStateAnnouncer({
    ...{ channel, source: current, wanted: watchers.wanted },
    settled(isLate) {
      if (isLate) state.overdue()
      reader.resume()
    },
  })

  const looks = createLooks(
    () => (isAttached() ? lookMs : awayLookMs),
    () => act(state.overdue()),
  )

  function act({ type, changed }: StateVerdict): void {
    if (type === "wait") hole ??= setTimeout(overdue, randomBetween(holeMs, 1.5 * holeMs))
    else stopWaiting()
    if (type === "read") reader.read()
    watchers.tell(changed)
  }

  function stopWaiting(): void {
    clearTimeout(hole)
    hole = undefined
  }

  function overdue(): void {
    stopWaiting()
    act(state.overdue())
  }

  function look(): void {
    if (isFollowed(channel)) looks.start()
    else rest()
  }

  /** Until there is something to do again: no timer runs. */
  function rest(): void {
    reader.rest()
    announcer.rest()
    looks.stop()
    stopWaiting()
  }

  /** What is watched is said at once for all that was changed in one turn. */
  function plan(): void {
    if (isPlanned) return
    isPlanned = true
    queueMicrotask(() => {
      isPlanned = false
      const { keys } = watchers.wanted()
      state.watch(keys)
      if (keys.length > 0 && !source) return begin()
      // Where nothing is wanted any more too: others may keep the channel.
      if (isAttached()) announcer.announce()
      if (keys.length === 0) end()
    })
  }

  function begin(): void {
    const wasAttached = isAttached()
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
      reader.resume()
    })
    source = joined
    if (wasAttached) queueMicrotask(() => source === joined && attached())
    stopFollowing = channel.onStatus(look)
    look()
  }

  function attached(): void {
    if (!source) return
    state.overdue()
    announcer.announce()
  }

  function end(): void {
    rest()
    stopWatching()
    stopFollowing()
    reader.stop()
    source?.release()
    source = null
  }

  return {
    ...watchers,
    seed: state.seed,
    value: state.value,
    isKnown: state.isKnown,
  }
}
