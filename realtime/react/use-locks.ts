"use client"
import { useEffect, useState } from "react"
import type { ChannelRef } from "../channel.ts"
import { type FollowedLocks, type FollowLocksOptions, followLocks } from "../client/follow-locks.ts"
import { type LocksDefinition, requireLocks } from "../locks.ts"
import { useRealtimeClient, useUser } from "./context.ts"

/** What `useLocks` takes besides. */
export interface UseLocksOptions extends Pick<FollowLocksOptions, "graceMs"> {
  /** Who this page's person is. Default: who is signed in, below `<Throughline>`. */
  user?: FollowLocksOptions["user"] | undefined
}

/**
 * Browser: the locks of a channel that `lockMessages` declares, followed for as long as the component is
 * mounted, as `followLocks` does; another object on each change. Null in the first render, and while it
 * isn't known whose page it is. Who claims has to be in the channel, by `usePresence`. What waits for its
 * turn when the component goes rejects with `not-connected`. Throws a `TypeError` in rendering where the
 * channel's definition has no locks.
 *
 * ```tsx
 * function TitleLock({ document }: { document: string }) {
 *   const ref = documentLocks({ document })
 *   usePresence(ref, {})
 *   const locks = useLocks(ref)
 *   const writer = locks?.holder("title")?.user.name
 *   return <button onClick={() => locks?.claim("title")}>{writer ? `${writer} writes` : "Write"}</button>
 * }
 * ```
 */
export function useLocks<D extends LocksDefinition>(
  ref: ChannelRef<D>,
  { user, graceMs }: UseLocksOptions = {},
): Omit<FollowedLocks, "stop"> | null {
  requireLocks(ref)
  const channel = useRealtimeClient().channel(ref)
  const signedIn = useUser()
  const id = (user ?? signedIn)?.id
  const [shown, show] = useState<{ of: unknown; locks: Omit<FollowedLocks, "stop"> } | null>(null)

  useEffect(() => {
    if (id === undefined) return
    const onChange = () => show({ of: channel, locks: { ...locks } })
    const locks = followLocks(channel, { user: { id }, onChange, ...(graceMs !== undefined && { graceMs }) })
    onChange()
    return () => {
      show(null)
      locks.stop()
    }
  }, [channel, id, graceMs])

  return shown?.of === channel ? shown.locks : null
}
