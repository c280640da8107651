"use client"
import { type ReactNode, useEffect } from "react"
import type { RealtimeClient } from "../client/types.ts"
import { RealtimeContext } from "./context.ts"

/** Clients whose last provider has just gone. */
const closing = new WeakMap<RealtimeClient, ReturnType<typeof setTimeout>>()

/**
 * Browser: gives a client to the hooks below it, opens it when mounted and closes it when unmounted. Make the client
 * once, outside of rendering or in `useState(() => createRealtimeClient(…))`.
 */
export function RealtimeProvider({ client, children }: { client: RealtimeClient; children: ReactNode }) {
  useEffect(() => {
    // StrictMode, hot reload and a layout that is made anew unmount and mount in one task: the client stays open then.
    clearTimeout(closing.get(client))
    client.open()
    return () => {
      closing.set(
        client,
        setTimeout(() => void client.close(), 0),
      )
    }
  }, [client])

  return <RealtimeContext value={client}>{children}</RealtimeContext>
}
