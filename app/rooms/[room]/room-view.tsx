"use client"
import { Tooltip } from "@base-ui/react/tooltip"
import { useRouter } from "next/navigation"
import { useTranslations } from "next-intl"
import { type ComponentProps, useCallback, useEffect, useMemo, useRef, useState } from "react"
import type { LogPage } from "throughline"
import { useChannel, useMessages, useRealtimeClient } from "throughline/react"
import { room as roomChannel } from "#lib/chat/channels.ts"
import { createConversation, type Said } from "#lib/chat/conversation.ts"
import { createDrafts, type ReplyPlace } from "#lib/chat/drafts.ts"
import type { QuotedMessage } from "#lib/chat/message-index.ts"
import { type MessagePlace, messagePath } from "#lib/chat/message-link.ts"
import type { Room } from "#lib/chat/rooms.ts"
import { unreadKey } from "#lib/chat/timeline.ts"
import { useMe } from "../../_components/chat-provider.tsx"
import { useReadPosition } from "../../_components/room-activity.tsx"
import { Announcer } from "./announcer.tsx"
import { AttachButton } from "./attachments/attach-button.tsx"
import { AttachmentTray } from "./attachments/attachment-tray.tsx"
import { DropZone } from "./attachments/drop-zone.tsx"
import { useAttachments } from "./attachments/use-attachments.ts"
import { toRead } from "./caught-up.ts"
import { Composer, type ComposerHandle } from "./composer.tsx"
import { ConnectionBanner } from "./connection-banner.tsx"
import { DeleteDialog } from "./delete-dialog.tsx"
import { JumpContext } from "./jump.tsx"
import { isOlder, isRead } from "./loaded.ts"
import { MessageList, type MessageListHandle } from "./message-list.tsx"
import { PrintedRoom } from "./printed-room.tsx"
import { useExcerpt } from "./quote.tsx"
import { ReactionsDialog } from "./reactions-dialog.tsx"
import { type RoomActions, RoomActionsContext } from "./room-actions.ts"
import { RoomHeader } from "./room-header.tsx"
import { RoomPeopleProvider } from "./room-people.tsx"
import { TypingRow, useTyping } from "./typing.tsx"
import { type LostEdit, useEditing } from "./use-editing.ts"
import { type FindOrigin, useOrigins } from "./use-origins.ts"
import { useRoomPresence } from "./use-room-presence.ts"

interface Props {
  room: Room
  initial: LogPage
  /** What the messages of the page answer and the page doesn't hold. */
  origins: readonly QuotedMessage[]
  renderedAt: number
  /** Whether there is a place for files. */
  canAttach: boolean
  /** The message that the address names. */
  linked: MessagePlace | null
}

interface Wanted extends MessagePlace {
  /** A kept edit is of it: it comes into sight alone, since the focus is its field's, or whoever's who writes elsewhere. */
  isEdit?: boolean
}

/** A room, live: joins what is said now to the history that the server rendered. */
export function RoomView({ room, initial, origins, renderedAt, canAttach, linked }: Props) {
  const t = useTranslations()
  const me = useMe()
  const ref = useMemo(() => roomChannel({ room: room.id }), [room.id])
  const feed = useMessages(ref, { initial })
  const { messages, pending, send, hasOlder, isLoadingOlder, olderError, loadOlder } = feed
  useLostAccess(ref)
  const presence = useRoomPresence(ref, me.id)
  const typing = useTyping(ref, me.id)
  const now = useNow(renderedAt)
  const { firstUnread, markRead } = useReadPosition(room.id)

  const latestMessages = useRef(messages)
  latestMessages.current = messages
  const fold = useMemo(() => createConversation(me), [me])
  const conversation = useMemo(() => fold(messages, pending), [fold, messages, pending])

  const caughtUp = useMemo(() => toRead(feed.caughtUp, latestMessages.current, me.id), [feed.caughtUp, me.id])

  const [replying, setReplying] = useReplying(room.id, me.id)
  const replyingTo = replying?.id ?? null
  const findOrigin = useOrigins({ roomId: room.id, conversation, messages, replyingTo, initial: origins })
  const replied = replying && findOrigin(replying.id)
  const [removing, setRemoving] = useState<string | null>(null)
  const [reactionsOf, setReactionsOf] = useState<string | null>(null)
  const list = useRef<MessageListHandle>(null)
  const composer = useRef<ComposerHandle>(null)
  const [notice, setNotice] = useNotice()
  const [head] = useState(initial.head.seq)
  /** Shows a message once what lies between is here, too. */
  const [wanted, setWanted] = useState<Wanted | null>(null)
  const { editing, ...edits } = useEditing({
    ...{ roomId: room.id, userId: me.id, conversation, composer },
    isRead: (seq) => isRead(feed, head, seq),
    onReopen: (place) => setWanted({ ...place, isEdit: true }),
    onLost: setNotice,
  })

  /** What actions look at when they are called; they themselves never change. */
  const latest = useRef(feed)
  latest.current = feed
  const actions = useMemo<RoomActions>(
    () => ({
      me,
      isOwner: room.ownerId === me.id,
      react({ id, reactions }, emoji) {
        const people = reactions.find((reaction) => reaction.emoji === emoji)?.people ?? []
        send("reaction-set", { target: id, emoji, isOn: !people.some((person) => person.id === me.id) })
      },
      reply(said) {
        if (said.seq !== null) setReplying({ id: said.id, seq: said.seq })
        composer.current?.focus()
      },
      edit(said) {
        // One that is only just sent comes after all that is here.
        const seq = said?.seq ?? (latestMessages.current.at(-1)?.seq ?? 0) + 1
        edits.open(said && { id: said.id, seq })
        if (!said) composer.current?.focus()
      },
      keptEdit: ({ id }) => edits.kept(id),
      keepEdit: edits.keep,
      saveEdit({ id, text: before }, text, mentions) {
        if (text !== before)
          send("message-edited", { target: id, text, ...(mentions.length > 0 && { mentions }) })
        edits.open(null)
        composer.current?.focus()
      },
      showReactions: ({ id }) => setReactionsOf(id),
      remove: ({ id }) => setRemoving(id),
      linkTo: ({ id, seq }) =>
        seq === null ? null : new URL(messagePath(room.id, { id, seq }), window.location.href).href,
      retry: (id) => latest.current.retry(id),
      discard(id) {
        latest.current.discard(id)
        // Its button goes with it.
        composer.current?.focus()
      },
    }),
    [me, room.id, room.ownerId, send, setReplying, edits.open, edits.kept, edits.keep],
  )

  useEffect(() => {
    if (olderError) setNotice("messages.olderFailed")
  }, [olderError, setNotice])

  /** The one that couldn't be reached. */
  const [missed, setMissed] = useState<Wanted | null>(null)
  const jumpTo = useCallback((target: Wanted) => {
    setMissed(null)
    setWanted({ ...target })
  }, [])
  const linkedTo = linked && messagePath(room.id, linked)
  useEffect(() => {
    if (linked) jumpTo(linked)
    // Each rendering of the server makes it anew.
  }, [linkedTo, jumpTo])
  const isHere = ({ id, seq }: MessagePlace) =>
    id === unreadKey ? !isOlder(feed, seq) : conversation.find(id) !== null
  const isGoingBack = wanted !== null && !isHere(wanted) && isOlder(feed, wanted.seq)
  const askedFor = useRef<MessagePlace | null>(null)
  useEffect(() => {
    if (!wanted || isLoadingOlder) return
    const { id, seq, isEdit } = wanted
    const isLoaded = isHere(wanted)
    // What was unread may all have been deleted meanwhile.
    const isShown =
      isLoaded && (isEdit ? list.current?.reveal(id) : list.current?.show(id) || id === unreadKey)
    if (isLoaded ? isShown : !isOlder(feed, seq)) {
      // It may still come; where it doesn't, that is for the editing to say.
      if (isEdit && !isLoaded && !isRead(feed, head, seq)) return
      if (!isEdit && !isLoaded) setNotice("messages.gone")
      setWanted(null)
    } else if (!isLoaded && askedFor.current === wanted) {
      // It couldn't be loaded, as the notice says. To ask again is the reader's choice.
      setMissed(wanted)
      setWanted(null)
    } else if (!isLoaded) {
      askedFor.current = wanted
      void loadOlder({ until: seq })
    }
  }, [wanted, conversation, messages, hasOlder, isLoadingOlder, loadOlder, setNotice])

  /** The last of one's own that can be edited. */
  const editLast = () => {
    const last = conversation.items.findLast(
      (item): item is Said =>
        item.kind === "said" &&
        item.sender.id === me.id &&
        item.state === "sent" &&
        !item.isDeleted &&
        item.text !== "",
    )
    if (last) {
      list.current?.reveal(last.id)
      actions.edit(last)
    }
  }

  const refuseFiles = useCallback(() => setNotice("files.errors.files-off"), [setNotice])
  const attachments = useAttachments(room.id, canAttach, refuseFiles)
  const excerpt = useExcerpt()
  const onSend = ({ text, mentions }: { text: string; mentions: string[] }) => {
    const files = attachments.take()
    send("text-sent", {
      text,
      ...(files.length > 0 && { files }),
      ...(mentions.length > 0 && { mentions }),
      ...(replying && { replyTo: replying }),
    })
    setReplying(null)
    typing.stopped()
  }

  return (
    <RoomActionsContext value={actions}>
      <JumpContext value={jumpTo}>
        <RoomPeopleProvider roomId={room.id} present={presence?.members} messages={messages}>
          <Tooltip.Provider>
            <main className="flex min-h-0 flex-1 flex-col" onPaste={attachments.onPaste}>
              <RoomHeader room={room} presence={presence} />
              <ConnectionBanner caughtUp={caughtUp} />
              <MessageList
                {...feed}
                ref={list}
                conversation={conversation}
                findOrigin={findOrigin}
                firstUnread={firstUnread}
                editing={editing}
                now={now}
                loadOlder={() => void loadOlder()}
                onSeen={markRead}
              />
              <div role="status">
                {isGoingBack ? (
                  <p className="flex flex-wrap items-center justify-center gap-x-3 bg-accent-soft px-4 py-2 text-sm">
                    {t("messages.goingBack")}
                    <StripButton onClick={() => setWanted(null)}>{t("messages.stopGoingBack")}</StripButton>
                  </p>
                ) : (
                  notice && (
                    <p className="flex flex-wrap items-center justify-center gap-x-3 bg-warn-soft px-4 py-2 text-center text-sm text-warn">
                      {t(notice)}
                      {notice === "messages.olderFailed" && missed && (
                        <StripButton onClick={() => jumpTo(missed)}>{t("messages.tryAgain")}</StripButton>
                      )}
                    </p>
                  )
                )}
              </div>
              <Announcer conversation={conversation} pending={pending} myId={me.id} />
              <TypingRow typists={typing.typists} />
              <Composer
                ref={composer}
                roomId={room.id}
                replyTo={replying && { sender: senderOf(replied), text: excerpt(replied) }}
                onCancelReply={() => setReplying(null)}
                onEditLast={editLast}
                tray={<AttachmentTray attachments={attachments} />}
                tools={canAttach && <AttachButton attachments={attachments} />}
                hasFiles={attachments.readyCount > 0}
                isWaiting={attachments.isBusy}
                onSend={onSend}
                onTyping={typing.started}
              />
            </main>
            <PrintedRoom
              room={room}
              conversation={conversation}
              findOrigin={findOrigin}
              gaps={feed.gaps}
              hasOlder={hasOlder}
              isTruncated={feed.isTruncated}
            />
            <DropZone add={attachments.add} isEnabled={canAttach} />
            <ReactionsDialog
              said={reactionsOf === null ? null : conversation.find(reactionsOf)}
              onClose={() => setReactionsOf(null)}
            />
            <DeleteDialog
              said={removing === null ? null : conversation.find(removing)}
              onConfirm={({ id }) => send("message-deleted", { target: id })}
              onClose={() => setRemoving(null)}
            />
          </Tooltip.Provider>
        </RoomPeopleProvider>
      </JumpContext>
    </RoomActionsContext>
  )
}

function StripButton(props: ComponentProps<"button">) {
  return (
    <button
      type="button"
      className="touchable min-h-8 rounded-lg px-2 font-semibold underline underline-offset-2"
      {...props}
    />
  )
}

const senderOf = (said: ReturnType<FindOrigin>) => (said && said !== "gone" ? said.sender : null)

/** What is being answered. It outlives a reload, and the tab, as the text does. */
function useReplying(roomId: string, userId: string) {
  const [replying, setReplying] = useState<ReplyPlace | null>(null)
  useEffect(() => setReplying(createDrafts(userId).readReply(roomId)), [roomId, userId])
  const change = useCallback(
    (place: ReplyPlace | null) => {
      setReplying(place)
      createDrafts(userId).writeReply(roomId, place)
    },
    [roomId, userId],
  )
  return [replying, change] as const
}

const noticeMs = 6_000

type Notice = LostEdit | "messages.gone" | "messages.olderFailed" | "files.errors.files-off"

/** What is to be said for a moment, which begins once the page is seen: what happens in another tab, as a deletion, may be why it isn't. */
function useNotice() {
  const [notice, setNotice] = useState<Notice | null>(null)
  useEffect(() => {
    if (!notice) return
    let timer: ReturnType<typeof setTimeout> | undefined
    const begin = () => {
      if (document.visibilityState === "visible") timer ??= setTimeout(() => setNotice(null), noticeMs)
    }
    begin()
    document.addEventListener("visibilitychange", begin)
    return () => {
      clearTimeout(timer)
      document.removeEventListener("visibilitychange", begin)
    }
  }, [notice])
  return [notice, setNotice] as const
}

/**
 * They left in another tab, or were put out: the server knows what to show them now. Where their session has ended, as everywhere at a
 * sign-out, `SessionGuard` says so, in place of the door that the server would show.
 */
function useLostAccess(ref: ReturnType<typeof roomChannel>): void {
  const { state } = useChannel(ref).status
  const client = useRealtimeClient()
  const router = useRouter()
  useEffect(() => {
    if (state !== "denied") return
    void client.checkSession().then(() => {
      if (client.connection.status.error?.code !== "session-changed") router.refresh()
    })
  }, [state, client, router])
}

/** What the server rendered names days as of then; the browser knows better, once it is there. */
function useNow(renderedAt: number): number {
  const [now, setNow] = useState(renderedAt)
  useEffect(() => {
    setNow(Date.now())
    const timer = setInterval(() => setNow(Date.now()), 60_000)
    return () => clearInterval(timer)
  }, [])
  return now
}
