"use client"
import { useEffect, useRef, useState } from "react"
import type { AnyChannelDefinition, ChannelRef, StateKey } from "../channel.ts"
import {
  type StateValues,
  type StateWatch,
  type WatchStateOptions,
  watchState,
} from "../client/watch-state.ts"
import { useRealtimeClient } from "./context.ts"

/**
 * Browser: the values of these keys of a channel's state, live, as far as they are known and there are any.
 * Other keys in a later render are watched without leaving the channel.
 */
export function useChannelState<D extends AnyChannelDefinition, K extends StateKey<D>>(
  ref: ChannelRef<D>,
  keys: readonly K[],
  { perSecond }: WatchStateOptions = {},
): StateValues<D, K> {
  const channel = useRealtimeClient().channel(ref)
  const [shown, show] = useState<{ of: unknown; values: StateValues<D, K> }>({ of: channel, values: {} })
  const watch = useRef<StateWatch<D, K> | null>(null)
  const latest = useRef(keys)
  latest.current = keys
  const joined = JSON.stringify(keys)

  useEffect(() => {
    const update = (values: StateValues<D, K>) => show({ of: channel, values })
    const watching = watchState<D, K>(channel, [], update, { perSecond })
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

  return shown.of === channel ? shown.values : {}
}
