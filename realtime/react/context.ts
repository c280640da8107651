"use client"
import { createContext, useContext } from "react"
import type { RealtimeClient } from "../client/types.ts"

export const RealtimeContext = createContext<RealtimeClient | null>(null)

export function useRealtimeClient(): RealtimeClient {
  const client = useContext(RealtimeContext)
  if (!client)
    throw new TypeError("unable to use a realtime hook; there is no <RealtimeProvider> above this component")
  return client
}
