"use client"
import { type ReactNode, useEffect } from "react"
import type { RealtimeClient } from "../client/types.ts"
import { RealtimeContext } from "./context.ts"

const key = Symbol.for("throughline.owners")
const shared = globalThis as { [key]?: WeakMap<RealtimeClient, number> }
shared[key] ??= new WeakMap()
/**
 * How many mounted providers a client has. Those of before hot reload evaluated this module again count, too.
 */
const owners = shared[key]

function own(client: RealtimeClient): () => void {
  const count = (by: number) => owners.set(client, (owners.get(client) ?? 0) + by)
  count(1)
  client.open()
  return () => {
    count(-1)
    // StrictMode, hot reload and a layout that is made anew unmount and mount in one
    // task: the client stays open then.
    setTimeout(() => {
      if (owners.get(client) === 0) void client.close()
    }, 0)
  }
}

/**
 * A page that the browser draws ahead may never be looked at. Until it is, Chromium keeps its WebSockets
 * waiting, which a client would take for a provider that is down:
 * https://developer.mozilla.org/docs/Web/API/Document/prerendering
 */
function whenShown(work: () => () => void): () => void {
  if (!(document as { prerendering?: boolean }).prerendering) return work()
  let end: (() => void) | undefined
  const begin = () => {
    end = work()
  }
  document.addEventListener("prerenderingchange", begin)
  return () => {
    document.removeEventListener("prerenderingchange", begin)
    end?.()
  }
}

export interface RealtimeProviderProps {
  /** Made once: by `createRealtimeClient`. */
  client: RealtimeClient
  /** Leaves the client closed, for a page of nobody's. Default false. */
  isIdle?: boolean
  /** All that uses the hooks. */
  children: ReactNode
}

/**
 * Browser: gives a client to the hooks below it, opens it when mounted, or shown again by `<Activity>`, and
 * closes it when unmounted or hidden. A page that the browser draws ahead, by speculation rules, opens it once
 * it is shown. Make the client once, outside of rendering or in `useState(() => createRealtimeClient(…))`: one
 * that React throws away before it is mounted has done nothing.
 */
export function RealtimeProvider({ client, isIdle = false, children }: RealtimeProviderProps) {
  useEffect(() => (isIdle ? undefined : whenShown(() => own(client))), [client, isIdle])

  return <RealtimeContext value={client}>{children}</RealtimeContext>
}
