"use client"
import { useSyncExternalStore } from "react"
import type { AnyChannelDefinition, ChannelRef } from "../channel.ts"
import type { Channel, ChannelStatus } from "../client/types.ts"
import { useRealtimeClient } from "./context.ts"

/** Browser: a channel of the page's client; draws again when its status changes. */
export function useChannel<D extends AnyChannelDefinition>(
  ref: ChannelRef<D>,
): { channel: Channel<D>; status: ChannelStatus } {
  const channel = useRealtimeClient().channel(ref)
  const getStatus = () => channel.status
  return { channel, status: useSyncExternalStore(channel.onStatus, getStatus, getStatus) }
}
