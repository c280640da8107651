"use client"
import { type ReactNode, useEffect, useRef } from "react"
import type { RealtimeClient } from "../client/types.ts"
import { RealtimeContext } from "./context.ts"

/**
 * Browser: gives a client to the hooks below it, opens it when mounted and closes it when unmounted. Make the client
 * once, outside of rendering or in `useState(() => createRealtimeClient(…))`.
 */
export function RealtimeProvider({ client, children }: { client: RealtimeClient; children: ReactNode }) {
  const closing = useRef<{ client: RealtimeClient; timer: ReturnType<typeof setTimeout> } | null>(null)

  useEffect(() => {
    // StrictMode and hot reload unmount and mount again in one task: the same client then simply stays open.
    if (closing.current?.client === client) clearTimeout(closing.current.timer)
    client.open()
    return () => {
      closing.current = { client, timer: setTimeout(() => void client.close(), 0) }
    }
  }, [client])

  return <RealtimeContext value={client}>{children}</RealtimeContext>
}
