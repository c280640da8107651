import type { Metadata } from "next"
import { notFound } from "next/navigation"
import { getTranslations } from "next-intl/server"
import type { LogPage } from "throughline"
import { room as roomChannel } from "#lib/chat/channels.ts"
import { requireUser } from "#lib/chat/current.ts"
import { orWhileUnavailable } from "#lib/chat/database-failure.ts"
import { lobbyId } from "#lib/chat/lobby.ts"
import { messageParameter, messagePath, messagePlaceIn } from "#lib/chat/message-link.ts"
import { roomIdIn } from "#lib/chat/room-address.ts"
import { canAttach } from "#lib/files/create-file-store.ts"
import { isolated } from "#lib/i18n/isolated.ts"
import { getChat } from "#lib/realtime/server.ts"
import { SessionNews } from "../../_components/session-news.tsx"
import { JoinPrompt } from "./join-prompt.tsx"
import { RoomView } from "./room-view.tsx"

interface Props {
  params: Promise<{ room: string }>
  searchParams: Promise<{ [messageParameter]?: unknown }>
}

const pageSize = 50

/** The room, for whoever may know of it. A private one that isn't theirs looks like one that doesn't exist. */
async function load({ params, searchParams }: Props) {
  const id = roomIdIn((await params).room)
  if (id === null) return null
  const linked = messagePlaceIn((await searchParams)[messageParameter])
  const user = await requireUser(linked ? messagePath(id, linked) : `/rooms/${id}`)
  const { env, rooms, realtime, messageIndex } = await getChat()
  const found = await rooms.find(user.id, id)
  return found ? { env, found, linked, user, rooms, realtime, messageIndex } : null
}

export async function generateMetadata(props: Props): Promise<Metadata> {
  const t = await getTranslations("rooms")
  const found = (await load(props))?.found
  return found ? { title: found.id === lobbyId ? t("lobby") : isolated(found.name) } : {}
}

/** What the messages of a page answer that isn't on it. */
function originsOf({ messages }: LogPage): string[] {
  const known = new Set(messages.map(({ id }) => id))
  const answered = messages.flatMap(({ payload }) => {
    const { replyTo } = (payload ?? {}) as { replyTo?: { id?: unknown } }
    return typeof replyTo?.id === "string" ? [replyTo.id] : []
  })
  return [...new Set(answered)].filter((id) => !known.has(id))
}

export default async function RoomPage(props: Props) {
  const loaded = await load(props)
  if (!loaded) notFound()
  const { env, found, linked, user, rooms, realtime, messageIndex } = loaded
  const news = <SessionNews userId={user.id} />
  if (!(await rooms.isMember(user.id, found.id))) {
    return (
      <>
        {news}
        <JoinPrompt room={found} isKeptOut={await rooms.isKeptOut(user.id, found.id)} />
      </>
    )
  }
  // The newest page is in the HTML; what is said from here on joins it live, without a gap.
  const initial = await realtime.history(roomChannel({ room: found.id }), { limit: pageSize })
  return (
    <>
      {news}
      <RoomView
        key={found.id}
        room={found}
        initial={initial}
        origins={await orWhileUnavailable(messageIndex.quote(found.id, originsOf(initial)), [])}
        renderedAt={Date.now()}
        canAttach={canAttach(env)}
        linked={linked}
      />
    </>
  )
}
