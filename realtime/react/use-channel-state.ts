"use client"
import { useEffect, useMemo, useRef, useState } from "react"
import type { AnyChannelDefinition, ChannelRef, StateKey } from "../channel.ts"
import {
  type StateValues,
  type StateWatch,
  type WatchStateOptions,
  watchState,
} from "../client/watch-state.ts"
import type { StatePage } from "../state.ts"
import { useRealtimeClient } from "./context.ts"

/**
 * Browser: the values of these keys of a channel's state, live, as far as they are known and there are any.
 * Other keys in a later render are watched without leaving the channel. With `initial` values are there from
 * the first render on, the server's too; what a later render gives for the same channel isn't looked at.
 *
 * ```tsx
 * const poll = defineChannel("poll:{poll}", { messages: {}, state: { votes: z.number() } })
 * // On the server, which hands it to the component.
 * const counted = await realtime.state(poll({ poll: "42" })).read(["votes"])
 * const { votes } = useChannelState(poll({ poll: "42" }), ["votes"], { initial: counted })
 * ```
 */
export function useChannelState<D extends AnyChannelDefinition, K extends StateKey<D>>(
  ref: ChannelRef<D>,
  keys: readonly K[],
  { perSecond, initial }: WatchStateOptions = {},
): StateValues<D, K> {
  const channel = useRealtimeClient().channel(ref)
  const first = useMemo(() => initial, [channel])
  const [shown, show] = useState<{ of: unknown; values: StateValues<D, K> }>({ of: null, values: {} })
  const watch = useRef<StateWatch<D, K> | null>(null)
  const latest = useRef(keys)
  latest.current = keys
  const joined = JSON.stringify(keys)

  useEffect(() => {
    const update = (values: StateValues<D, K>) => show({ of: channel, values })
    const watching = watchState<D, K>(channel, [], update, { perSecond, initial: first })
    watch.current = watching
    return () => {
      watch.current = null
      watching.stop()
    }
  }, [channel, perSecond])

  useEffect(() => {
    if (!watch.current) return
    try {
      watch.current.setKeys(latest.current)
      show({ of: channel, values: watch.current.values })
    } catch (error) {
      channel.report(error, { stage: "watchState" })
    }
  }, [channel, perSecond, joined])

  return shown.of === channel ? shown.values : valuesOf(first, keys)
}

/** Before anything is watched. */
function valuesOf<D extends AnyChannelDefinition, K extends StateKey<D>>(
  page: StatePage | undefined,
  keys: readonly K[],
): StateValues<D, K> {
  const wanted = new Set<string>(keys)
  const entries = page?.entries.filter(({ key, value }) => wanted.has(key) && value !== undefined) ?? []
  return Object.fromEntries(entries.map(({ key, value }) => [key, value])) as StateValues<D, K>
}
