"use client"
import { Copy, Trash2 } from "lucide-react"
import { useTranslations } from "next-intl"
import { useContext, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react"
import { useRealtimeClient } from "throughline/react"
import { room as roomChannel } from "#lib/chat/channels.ts"
import type { PendingRoomMessage } from "#lib/chat/conversation.ts"
import { createDrafts, type Draft, emptyDraft, type KeptEdit } from "#lib/chat/drafts.ts"
import { visibleText } from "#lib/chat/visible-text.ts"
import { Button } from "../../_components/button.tsx"
import { MeContext } from "../../_components/chat-provider.tsx"
import { copyText, hasClipboard } from "../../_components/clipboard.ts"
import { useCurrentRoom } from "../../_components/room-activity.tsx"
import { toast } from "../../_components/toast.tsx"

/** A text that didn't get into its room. */
interface Kept {
  key: string
  label: "keptUnsentLabel" | "keptEditLabel" | "keptDraftLabel"
  text: string
  /** Null while it is being sent, which nobody can take back. */
  discard: (() => void) | null
}

/**
 * What somebody wrote in a room that they aren't in, or aren't in any more, and that didn't get into it: messages that wait to be sent or were
 * refused, the change to a message, and what stood in the field. There is no field left for it, and it is theirs.
 */
export function KeptWriting() {
  // At an address that names no room nobody needs to have signed in.
  const me = useContext(MeContext)
  const roomId = useCurrentRoom()
  return me && roomId !== null ? <KeptOf key={roomId} userId={me.id} roomId={roomId} /> : null
}

function KeptOf({ userId, roomId }: { userId: string; roomId: string }) {
  const t = useTranslations("rooms")
  const section = useRef<HTMLElement>(null)
  const unsent = useUnsent(roomId)
  const written = useWritten(userId, roomId)
  const kept = [...unsent, ...written].filter(({ text }) => text !== "")
  if (kept.length === 0) return null
  return (
    <section
      ref={section}
      tabIndex={-1}
      aria-labelledby="kept-writing"
      className="grid w-full gap-4 border-line border-t pt-4"
    >
      <p id="kept-writing" className="text-pretty text-muted text-sm">
        {t("keptDraft")}
      </p>
      {kept.map((each) => (
        <KeptText
          {...each}
          key={each.key}
          onDiscard={
            each.discard &&
            (() => {
              each.discard?.()
              // Its button goes with it, and the section with the last one.
              const stays = kept.length > 1 ? section.current : section.current?.closest("main")
              stays?.focus()
            })
          }
        />
      ))}
    </section>
  )
}

const none: readonly PendingRoomMessage[] = []

/** What the outbox holds for the room, as text. A reaction or a deletion that didn't get through is nothing to copy. */
function useUnsent(roomId: string): Kept[] {
  const client = useRealtimeClient()
  const { outbox } = useMemo(() => client.channel(roomChannel({ room: roomId })), [client, roomId])
  const messages = useSyncExternalStore(
    outbox.subscribe,
    () => outbox.messages,
    () => none,
  )
  return messages.flatMap(({ id, payload, state }) => {
    if (!payload || !("text" in payload) || state === "sent") return []
    const names = "files" in payload ? (payload.files ?? []).map(({ name }) => name) : []
    return {
      key: id,
      label: "target" in payload ? ("keptEditLabel" as const) : ("keptUnsentLabel" as const),
      text: [visibleText(payload.text), ...names].filter((line) => line !== "").join("\n"),
      discard: state === "sending" ? null : () => outbox.discard(id),
    }
  })
}

/** What this browser keeps of what was under way. It isn't there while the server renders. */
function useWritten(userId: string, roomId: string): Kept[] {
  const drafts = useMemo(() => createDrafts(userId), [userId])
  const [draft, setDraft] = useState<Draft>(emptyDraft)
  const [edit, setEdit] = useState<KeptEdit | null>(null)
  useEffect(() => {
    setDraft(drafts.read(roomId))
    setEdit(drafts.readEdit(roomId))
  }, [drafts, roomId])
  return [
    {
      key: "edit",
      label: "keptEditLabel",
      text: visibleText(edit?.text ?? ""),
      discard() {
        drafts.writeEdit(roomId, null)
        setEdit(null)
      },
    },
    {
      key: "draft",
      label: "keptDraftLabel",
      text: visibleText(draft.text),
      discard() {
        drafts.write(roomId, emptyDraft)
        setDraft(emptyDraft)
      },
    },
  ]
}

const maxRows = 4
/** About so many narrow characters stand in a row on the narrowest phone. */
const perRow = 30
/** What stands from here on in Unicode is twice as wide, but for little: Chinese, Japanese, Korean and emoji. */
const wide = /[\u2e80-\u{10ffff}]/gu

const widthOf = (line: string) => [...line].length + (line.match(wide)?.length ?? 0)

/** For browsers that can't size a field by what is in it. */
const rowsOf = (text: string) =>
  Math.min(
    maxRows,
    text.split("\n").reduce((rows, line) => rows + Math.max(1, Math.ceil(widthOf(line) / perRow)), 0),
  )

type KeptTextProps = Pick<Kept, "label" | "text"> & { onDiscard: (() => void) | null }

function KeptText({ label, text, onDiscard }: KeptTextProps) {
  const t = useTranslations()
  const field = useRef<HTMLTextAreaElement>(null)

  async function copy(): Promise<void> {
    const isCopied = await copyText(text)
    toast(t(isCopied ? "messages.copied" : "messages.copyFailed"))
    // For the keyboard's own copy.
    if (!isCopied) field.current?.select()
  }
  return (
    <fieldset className="grid min-w-0 justify-items-center gap-2">
      <legend className="mb-1 font-medium text-muted text-xs">{t(`rooms.${label}`)}</legend>
      <textarea
        ref={field}
        readOnly
        rows={rowsOf(text)}
        value={text}
        dir="auto"
        aria-label={t(`rooms.${label}`)}
        className="field-sizing-content max-h-[calc(4lh+1rem+2px)] w-full resize-none rounded-xl border border-line bg-background px-3.5 py-2 text-left text-base"
      />
      <div className="flex flex-wrap justify-center gap-2">
        {hasClipboard() && (
          <Button onClick={copy}>
            <Copy size={16} aria-hidden="true" />
            {t("messages.copy")}
          </Button>
        )}
        <Button disabled={!onDiscard} onClick={() => onDiscard?.()}>
          <Trash2 size={16} aria-hidden="true" />
          {t("messages.discard")}
        </Button>
      </div>
    </fieldset>
  )
}
