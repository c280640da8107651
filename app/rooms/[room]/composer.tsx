"use client"
import { clsx } from "clsx"
import { CornerUpLeft, SendHorizontal, Smile, X } from "lucide-react"
import { useTranslations } from "next-intl"
import {
  type ClipboardEvent,
  type ReactNode,
  type Ref,
  useEffect,
  useImperativeHandle,
  useMemo,
  useRef,
  useState,
} from "react"
import { maxTextLength } from "#lib/chat/channels.ts"
import { createDrafts, type Draft, emptyDraft } from "#lib/chat/drafts.ts"
import { mentionsIn } from "#lib/chat/mentions.ts"
import { lengthOf, visibleText } from "#lib/chat/visible-text.ts"
import { IconButton } from "../../_components/button.tsx"
import { useMe } from "../../_components/chat-provider.tsx"
import { Counter } from "../../_components/counter.tsx"
import { removeOthersAttached } from "./attachments/keeping.ts"
import { EmojiPicker } from "./emoji-picker.tsx"
import { MessageField } from "./message-field.tsx"
import { useMarkedName, useRoomPeople } from "./room-people.tsx"

/** From here on the number of characters left is shown. */
const warnAt = 200
/** So often it is said aloud. */
const sayEvery = 50

/** On a very narrow screen a text has a row of its own, above the buttons: between them it would have half the width. */
const hasNarrowText = {
  row: "max-[359px]:has-[textarea:not(:placeholder-shown)]:flex-wrap",
  field:
    "max-[359px]:has-[textarea:not(:placeholder-shown)]:order-first max-[359px]:has-[textarea:not(:placeholder-shown)]:basis-full max-[359px]:has-[textarea:not(:placeholder-shown)]:px-2.5",
}

interface ReplyTo {
  /** Null where the message isn't loaded. */
  sender: { id: string; name: string | null } | null
  text: string
}

export interface ComposerHandle {
  focus(): void
  /** Puts a text below what is written. */
  append(draft: Draft): void
}

export interface ComposerProps {
  ref?: Ref<ComposerHandle>
  roomId: string
  onSend(message: { text: string; mentions: string[] }): void
  onTyping?(): void
  /** What is being answered. */
  replyTo?: ReplyTo | null
  onCancelReply?(): void
  /** ArrowUp where nothing is written. */
  onEditLast?(): void
  /** What stands between the answer's preview and the field: files that are attached. */
  tray?: ReactNode
  /** Buttons before the field: one that attaches files. */
  tools?: ReactNode
  /** There is something to send even without a text. */
  hasFiles?: boolean
  /** What is attached isn't ready yet: nothing is sent before. */
  isWaiting?: boolean
  /** Sees first what is pasted. */
  onPaste?(event: ClipboardEvent): void
}

export function Composer(props: ComposerProps) {
  const { ref, roomId, onSend, onTyping, replyTo, onCancelReply, onEditLast } = props
  const { tray, tools, hasFiles = false, isWaiting = false, onPaste } = props
  const t = useTranslations("composer")
  const { people } = useRoomPeople()
  const field = useRef<HTMLTextAreaElement>(null)
  const [draft, change] = useDraft(roomId, field)
  useImperativeHandle(ref, () => ({
    focus: () => field.current?.focus(),
    append({ text, chosen }) {
      const isEmpty = visibleText(draft.text) === ""
      change({
        ...draft,
        text: isEmpty ? text : `${draft.text}\n${text}`,
        chosen: isEmpty ? chosen : [...draft.chosen, ...chosen],
      })
    },
  }))
  const text = visibleText(draft.text)
  /** Somebody wanted to send what waits. */
  const [isTold, setIsTold] = useState(false)
  const left = maxTextLength - lengthOf(text)
  const canSend = (text !== "" || hasFiles) && left >= 0 && !isWaiting

  function submit(): void {
    setIsTold(isWaiting)
    if (!canSend) return
    onSend({ text, mentions: mentionsIn(text, draft.chosen, people) })
    change(emptyDraft)
    field.current?.focus()
  }

  function insert(emoji: string): void {
    const { current } = field
    if (!current) return
    current.setRangeText(emoji, current.selectionStart, current.selectionEnd, "end")
    change({ ...draft, text: current.value })
    onTyping?.()
  }

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
      className="px-conversation pb-[calc(0.75rem+env(safe-area-inset-bottom))]"
    >
      <div className="relative rounded-3xl border border-line bg-surface p-1.5 focus-within:border-accent">
        {replyTo && <ReplyPreview {...replyTo} onCancel={() => onCancelReply?.()} />}
        {tray}
        <div className={clsx("flex items-end gap-1", hasNarrowText.row)}>
          {tools}
          <MessageField
            ref={field}
            draft={draft}
            className={clsx("flex-1 pr-1", tools ? "pl-1" : "pl-2.5", hasNarrowText.field)}
            aria-label={t("label")}
            aria-describedby="composer-hint"
            aria-invalid={left < 0 || undefined}
            placeholder={t("placeholder")}
            enterKeyHint="send"
            onPaste={onPaste}
            onChange={(next) => {
              change(next)
              if (next.text !== "") onTyping?.()
            }}
            onEnter={submit}
            onEscape={() => onCancelReply?.()}
            onKeyDown={(event) => {
              if (event.key !== "ArrowUp" || draft.text !== "" || !onEditLast) return
              event.preventDefault()
              onEditLast()
            }}
          />
          <EmojiPicker hasQuickRow={false} finalFocus={field} onPick={insert}>
            <IconButton label={t("emoji")} className="ml-auto rounded-full">
              <Smile size={20} aria-hidden="true" />
            </IconButton>
          </EmojiPicker>
          <button
            type="submit"
            disabled={!canSend}
            aria-label={t("send")}
            className="touchable grid size-10 shrink-0 place-items-center rounded-full bg-accent text-on-accent transition disabled:bg-raised disabled:text-muted"
          >
            <SendHorizontal size={18} aria-hidden="true" />
          </button>
        </div>
      </div>
      <p id="composer-hint" className="flex justify-between gap-3 px-4 pt-1 text-muted text-xs">
        <span className="hidden sm:inline pointer-coarse:hidden">{t("hint")}</span>
        <span role="status" className="text-warn">
          {isTold && isWaiting ? t("waiting") : ""}
        </span>
        <Counter left={left} max={maxTextLength} warnAt={warnAt} sayEvery={sayEvery} />
      </p>
    </form>
  )
}

function ReplyPreview({ sender, text, onCancel }: ReplyTo & { onCancel(): void }) {
  const t = useTranslations("composer")
  const marked = useMarkedName()
  return (
    <div
      data-testid="reply-preview"
      className="mb-1 flex items-center gap-2 rounded-2xl bg-raised py-0.5 pr-1 pl-3 text-sm"
    >
      <CornerUpLeft size={14} aria-hidden="true" className="shrink-0 text-accent" />
      <div className="min-w-0 flex-1">
        <p className="truncate font-medium text-xs">
          {sender ? t("replyTo", { name: marked(sender.id, sender.name ?? "") }) : t("reply")}
        </p>
        <p className="truncate text-muted text-xs" dir="auto">
          {text}
        </p>
      </div>
      <IconButton label={t("cancelReply")} onClick={onCancel}>
        <X size={16} aria-hidden="true" />
      </IconButton>
    </div>
  )
}

/** What is being written in a room. It outlives a reload, and the tab. */
function useDraft(
  roomId: string,
  field: { readonly current: HTMLTextAreaElement | null },
): [Draft, (next: Draft) => void] {
  const me = useMe()
  const [draft, setDraft] = useState(emptyDraft)
  const drafts = useMemo(() => createDrafts(me.id), [me.id])
  // What was typed before the page came alive stands in the field already, and wins over an older draft.
  useEffect(() => {
    drafts.removeOthers()
    void removeOthersAttached(me.id)
    const typed = field.current?.value
    const kept = drafts.read(roomId)
    setDraft(typed ? { text: typed, chosen: [] } : kept)
  }, [me.id, roomId, drafts, field])
  const change = (next: Draft) => {
    setDraft(next)
    drafts.write(roomId, next)
  }
  return [draft, change]
}
