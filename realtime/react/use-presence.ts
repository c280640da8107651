"use client"
import { useEffect, useRef, useSyncExternalStore } from "react"
import type { AnyChannelDefinition, ChannelRef, PresenceInput } from "../channel.ts"
import type { PresenceEntry, PresenceState } from "../client/types.ts"
import { useRealtimeClient } from "./context.ts"

/**
 * Browser: who is in a channel; null until known. With `data`, this person is visible there too, for as long
 * as the component is mounted; a change of it is seen by the others. What a person's tabs say last stands for
 * all of them: a change of `repetition` says the same again.
 *
 * ```ts
 * const presence = usePresence(room({ room: "42" }), { status: "active" })
 * presence?.members?.map(({ user }) => user.name)
 * ```
 */
export function usePresence<D extends AnyChannelDefinition>(
  ref: ChannelRef<D>,
  data?: PresenceInput<D>,
  { repetition = 0 }: { repetition?: number } = {},
): PresenceState<D> | null {
  const { presence } = useRealtimeClient().channel(ref)
  const entry = useRef<PresenceEntry<D> | null>(null)
  const isVisible = data !== undefined
  const latest = useRef(data)
  latest.current = data
  const serialized = JSON.stringify(data)

  useEffect(() => {
    if (!isVisible) return
    const entered = presence.enter(latest.current as PresenceInput<D>)
    entry.current = entered
    return () => {
      entry.current = null
      entered.leave()
    }
  }, [presence, isVisible])

  useEffect(() => {
    if (latest.current !== undefined) entry.current?.update(latest.current)
  }, [serialized, repetition])

  const getSnapshot = () => presence.snapshot
  return useSyncExternalStore(presence.subscribe, getSnapshot, () => null)
}
