"use client"
import { SendHorizontal } from "lucide-react"
import { useTranslations } from "next-intl"
import { type KeyboardEvent, useCallback, useEffect, useRef, useState } from "react"
import { maxTextLength } from "#lib/chat/channels.ts"

const maxHeight = 150
/** From here on the number of characters left is shown. */
const warnAt = 200

const draftKey = (roomId: string) => `throughline.draft.${roomId}`

/** Whether an Enter belongs to the input method and not to the message: it confirms a conversion. */
function isComposing(event: KeyboardEvent): boolean {
  // Safari ends the composition before it reports the key, and marks the key by this code only.
  return event.nativeEvent.isComposing || event.keyCode === 229
}

export interface ComposerProps {
  roomId: string
  onSend(text: string): void
  onTyping?(): void
}

export function Composer({ roomId, onSend, onTyping }: ComposerProps) {
  const t = useTranslations("composer")
  const [text, setText] = useState("")
  const field = useRef<HTMLTextAreaElement>(null)
  const left = maxTextLength - text.trim().length
  const canSend = text.trim() !== "" && left >= 0

  // What was typed before the page came alive stands in the field already, and wins over an older draft.
  useEffect(() => {
    setText(field.current?.value || sessionStorage.getItem(draftKey(roomId)) || "")
  }, [roomId])

  useEffect(() => {
    const { current } = field
    if (!current) return
    current.style.height = "auto"
    current.style.height = `${Math.min(maxHeight, current.scrollHeight)}px`
  }, [text])

  const change = useCallback(
    (next: string) => {
      setText(next)
      if (next === "") sessionStorage.removeItem(draftKey(roomId))
      else sessionStorage.setItem(draftKey(roomId), next)
    },
    [roomId],
  )

  function submit(): void {
    if (!canSend) return
    onSend(text.trim())
    change("")
    field.current?.focus()
  }

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
      className="px-3 pb-[calc(0.75rem+env(safe-area-inset-bottom))] md:px-5"
    >
      <div className="flex items-end gap-2 rounded-3xl border border-line bg-surface p-1.5 pl-4 focus-within:border-accent">
        <textarea
          ref={field}
          rows={1}
          value={text}
          aria-label={t("label")}
          aria-describedby="composer-hint"
          placeholder={t("placeholder")}
          enterKeyHint="send"
          className="max-h-[150px] min-h-10 flex-1 resize-none bg-transparent py-2 text-base leading-6 outline-none placeholder:text-muted"
          onChange={(event) => {
            change(event.currentTarget.value)
            if (event.currentTarget.value !== "") onTyping?.()
          }}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.shiftKey || isComposing(event)) return
            event.preventDefault()
            submit()
          }}
        />
        <button
          type="submit"
          disabled={!canSend}
          aria-label={t("send")}
          className="grid size-10 shrink-0 place-items-center rounded-full bg-accent text-on-accent transition disabled:bg-raised disabled:text-muted"
        >
          <SendHorizontal size={18} aria-hidden="true" />
        </button>
      </div>
      <p id="composer-hint" className="flex justify-between gap-3 px-4 pt-1 text-muted text-xs">
        <span className="hidden sm:inline">{t("hint")}</span>
        <span aria-live="polite" className={left < 0 ? "font-medium text-bad" : undefined}>
          {left < 0 ? t("over", { count: -left }) : left <= warnAt ? t("left", { count: left }) : ""}
        </span>
      </p>
    </form>
  )
}
