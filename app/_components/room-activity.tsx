"use client"
import { useParams } from "next/navigation"
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useState,
  useSyncExternalStore,
} from "react"
import { logError } from "throughline"
import { useRealtimeClient } from "throughline/react"
import { askUnread, moveRead } from "#lib/chat/api.ts"
import { type ActivityState, type CountedRoom, firstUnreadOf } from "#lib/chat/room-activity.ts"
import { createRoomActivity, isLookedAt, type RoomActivityStore } from "#lib/chat/room-activity-store.ts"
import { roomIdIn } from "#lib/chat/room-address.ts"
import { useMe } from "./chat-provider.tsx"

export const ActivityContext = createContext<RoomActivityStore | null>(null)

/** The store itself, for what has to happen without drawing. */
export function useActivityStore(): RoomActivityStore {
  const store = useContext(ActivityContext)
  if (!store)
    throw new TypeError(
      "unable to tell what goes on; there is no <RoomActivityProvider> above this component",
    )
  return store
}

/** What goes on in all the rooms that one is in, live. */
export function useRoomActivity(): ActivityState {
  const store = useActivityStore()
  const getState = () => store.state
  return useSyncExternalStore(store.subscribe, getState, getState)
}

/** The room whose page this is; null on the others. */
export function useCurrentRoom(): string | null {
  const { room } = useParams<{ room?: string }>()
  return room === undefined ? null : roomIdIn(room)
}

interface ProviderProps {
  /** What the server counted when it rendered the page; null: it couldn't. */
  initial: readonly CountedRoom[] | null
  /** The version of the list of rooms that it rendered. */
  list: string
  children: ReactNode
}

/** Follows the rooms below it. */
export function RoomActivityProvider({ initial, list, children }: ProviderProps) {
  const client = useRealtimeClient()
  const me = useMe()
  const [store] = useState(() =>
    createRoomActivity({
      ...{ client, me: me.id, initial: initial ?? [], onError: logError },
      ask: () => askUnread(me.id),
      move: (room, place, isLast) => moveRead(me.id, room, place, isLast),
    }),
  )
  const room = useCurrentRoom()
  useEffect(() => store.start(), [store])
  // One more room that was joined, or one less, comes with the server's next list.
  useEffect(() => {
    if (initial) store.accept(initial)
  }, [store, initial])
  useEffect(() => store.showList(list), [store, list])
  useEffect(() => store.open(room), [store, room])
  return <ActivityContext value={store}>{children}</ActivityContext>
}

/**
 * How far one has read the open room. `firstUnread` is where the first unread message stood when the room was opened, or when
 * something came last while nobody looked (the first shown one from there on that isn't one's own begins what is new); null
 * when all was read. `markRead` takes the newest message that stands on the screen, again and again as it goes: it counts once
 * the page is looked at, and the server and one's other devices are told now and then.
 */
export function useReadPosition(room: string): { firstUnread: number | null; markRead(seq: number): void } {
  const store = useActivityStore()
  const look = useCallback(() => ({ room, firstUnread: firstUnreadOf(store.state.get(room)) }), [store, room])
  const [seen, setSeen] = useState(look)
  if (seen.room !== room) setSeen(look)
  useEffect(
    () =>
      store.onArrival((arrival) => {
        if (arrival.room === room && !isLookedAt()) setSeen(look)
      }),
    [store, room, look],
  )
  const markRead = useCallback((seq: number) => store.show(room, seq), [store, room])
  return { firstUnread: seen.firstUnread, markRead }
}
