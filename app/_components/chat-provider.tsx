"use client"
import { createContext, type ReactNode, useContext, useState } from "react"
import { createChatClient } from "#lib/realtime/client.ts"
import { RealtimeProvider } from "#realtime/react"

interface Me {
  id: string
  name: string
}

const MeContext = createContext<Me | null>(null)

/** Whoever is signed in. */
export function useMe(): Me {
  const me = useContext(MeContext)
  if (!me)
    throw new TypeError("unable to tell who is signed in; there is no <ChatProvider> above this component")
  return me
}

/** One connection for all rooms of the page, with the provider that the server chose. */
export function ChatProvider({
  config,
  user,
  children,
}: {
  config: Parameters<typeof createChatClient>[0]
  user: Me
  children: ReactNode
}) {
  const [client] = useState(() => createChatClient(config))
  return (
    <MeContext value={user}>
      <RealtimeProvider client={client}>{children}</RealtimeProvider>
    </MeContext>
  )
}
