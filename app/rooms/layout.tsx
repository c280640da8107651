import type { ReactNode } from "react"
import { getSession } from "#lib/chat/current.ts"
import { getChat } from "#lib/realtime/server.ts"
import { ChatProvider } from "../_components/chat-provider.tsx"
import { Shell } from "../_components/shell.tsx"

export default async function RoomsLayout({ children }: { children: ReactNode }) {
  const { user } = await getSession()
  // The page asks for a name; it knows where to come back to.
  if (!user) return children
  const { realtime, rooms } = await getChat()
  return (
    <ChatProvider config={realtime.clientConfig()} user={{ id: user.id, name: user.name ?? "" }}>
      <Shell rooms={await rooms.list(user.id)}>{children}</Shell>
    </ChatProvider>
  )
}
