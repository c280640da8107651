import type { ReactNode } from "react"
import { getSession } from "#lib/chat/current.ts"
import { orWhileUnavailable } from "#lib/chat/database-failure.ts"
import { listVersion } from "#lib/chat/rooms.ts"
import { getChat } from "#lib/realtime/server.ts"
import { tracedRatio } from "#lib/tracing/server.ts"
import { ChatProvider } from "../_components/chat-provider.tsx"
import { RoomActivityProvider } from "../_components/room-activity.tsx"
import { Shell } from "../_components/shell.tsx"

export default async function RoomsLayout({ children }: { children: ReactNode }) {
  const { user } = await getSession()
  // The page asks for a name; it knows where to come back to.
  if (!user) return children
  const { env, realtime, rooms, readPositions } = await getChat()
  const [listed, unread] = await Promise.all([
    rooms.list(user.id),
    orWhileUnavailable(readPositions.unread(user.id), null),
  ])
  return (
    <ChatProvider
      config={realtime.clientConfig()}
      tracedRatio={tracedRatio(env)}
      user={{ id: user.id, name: user.name ?? "" }}
    >
      <RoomActivityProvider initial={unread} list={listVersion(listed, user)}>
        <Shell rooms={listed}>{children}</Shell>
      </RoomActivityProvider>
    </ChatProvider>
  )
}
