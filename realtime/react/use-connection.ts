"use client"
import { useSyncExternalStore } from "react"
import type { TransportStatus } from "../transport.ts"
import { useRealtimeClient } from "./context.ts"

/** What `useConnection` returns. */
export interface ConnectionView extends TransportStatus {
  /** The provider in use. */
  provider: string
  /** Tries at once instead of at the next interval; starts over after `failed`. */
  retry(): void
}

/** Browser: the connection's state, live. */
export function useConnection(): ConnectionView {
  const { connection } = useRealtimeClient()
  const status = useSyncExternalStore(
    connection.subscribe,
    () => connection.status,
    () => connection.status,
  )
  return { ...status, provider: connection.provider, retry: connection.retry }
}
