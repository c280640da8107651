"use client"
import { createContext, useContext } from "react"
import type { RealtimeClient } from "../client/types.ts"
import type { User } from "../message.ts"

export const RealtimeContext = createContext<RealtimeClient | null>(null)

export const UserContext = createContext<User | null>(null)

/**
 * Browser: who is signed in, below `<Throughline>`; null for nobody, and until the server has said who it is.
 * Where the layout doesn't say and the server can't be asked, it is who was signed in the last time.
 */
export const useUser = (): User | null => useContext(UserContext)

/**
 * Browser: the client of the `<Throughline>` or `<RealtimeProvider>` above; throws a `TypeError` where there
 * is none.
 */
export function useRealtimeClient(): RealtimeClient {
  const client = useContext(RealtimeContext)
  if (!client)
    throw new TypeError(
      "unable to use a realtime hook; there is no <Throughline> or <RealtimeProvider> of this copy of throughline above this component. `npx throughline doctor` says where there are two",
    )
  return client
}
