import type { ReactNode } from "react"
import { requireUser } from "#lib/chat/current.ts"
import { lobbyId } from "#lib/chat/lobby.ts"
import { getChat } from "#lib/realtime/server.ts"
import { ChatProvider } from "../_components/chat-provider.tsx"
import { Shell } from "../_components/shell.tsx"

export default async function RoomsLayout({ children }: { children: ReactNode }) {
  const user = await requireUser(`/rooms/${lobbyId}`)
  const { realtime, rooms } = await getChat()
  return (
    <ChatProvider config={realtime.clientConfig()} user={user}>
      <Shell rooms={await rooms.list(user.id)}>{children}</Shell>
    </ChatProvider>
  )
}
