"use client"
import { createContext, type ReactNode, useContext, useEffect, useRef, useState } from "react"
import type { RealtimeClient } from "throughline/client"
import { RealtimeProvider } from "throughline/react"
import { createChatClient } from "#lib/realtime/client.ts"
import { SessionGuard } from "./session-guard.tsx"

interface Me {
  id: string
  name: string
}

export const MeContext = createContext<Me | null>(null)

/** Whoever is signed in. */
export function useMe(): Me {
  const me = useContext(MeContext)
  if (!me)
    throw new TypeError("unable to tell who is signed in; there is no <ChatProvider> above this component")
  return me
}

type ClientOptions = Omit<Parameters<typeof createChatClient>[0], "owner">

let shared: { userId: string; client: RealtimeClient } | null = null

const isOver = ({ connection: { status } }: RealtimeClient) =>
  status.state === "closed" ||
  status.error?.code === "session-changed" ||
  status.error?.code === "page-outdated"

/** The page's one client. It outlives this component, which Next.js may make anew when an action redirects. */
function clientOf(user: Me, options: ClientOptions): RealtimeClient {
  const create = () => createChatClient({ ...options, owner: user.id })
  if (typeof window === "undefined") return create()
  if (shared?.userId !== user.id || isOver(shared.client)) {
    shared = { userId: user.id, client: create() }
  }
  return shared.client
}

type Props = ClientOptions & { user: Me; children: ReactNode }

/**
 * A connection goes on under the name that its ticket, signatures or token were made for: once the server has rendered the page for another
 * one, the page connects anew. What waits to be sent and where each subscription stands is kept.
 */
function useNewName(client: RealtimeClient, { name }: Me): void {
  const connectedAs = useRef(name)
  useEffect(() => {
    if (connectedAs.current === name) return
    connectedAs.current = name
    void client.close()
    client.open()
  }, [client, name])
}

/** One connection for all rooms of the page, with the provider that the server chose. Another person's has nothing of the last one's. */
export const ChatProvider = (props: Props) => <ChatOf key={props.user.id} {...props} />

function ChatOf({ user, children, ...options }: Props) {
  const [client] = useState(() => clientOf(user, options))
  useNewName(client, user)
  return (
    <MeContext value={user}>
      <RealtimeProvider client={client}>
        <SessionGuard user={user}>{children}</SessionGuard>
      </RealtimeProvider>
    </MeContext>
  )
}
