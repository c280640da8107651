"use client"
import { clsx } from "clsx"
import { useTranslations } from "next-intl"
import { useEffect, useRef, useState } from "react"
import { maxTextLength } from "#lib/chat/channels.ts"
import type { Draft, KeptEdit } from "#lib/chat/drafts.ts"
import { mentionsIn } from "#lib/chat/mentions.ts"
import { lengthOf, visibleText } from "#lib/chat/visible-text.ts"
import { Button } from "../../_components/button.tsx"
import { MessageField } from "./message-field.tsx"
import { useRoomPeople } from "./room-people.tsx"

interface Props {
  initial: string
  /** What an earlier page had made of it. */
  kept?: Pick<KeptEdit, "base" | "text" | "chosen"> | null
  /** With the text from which it was made. */
  onChange(draft: Draft, base: string): void
  /** The text, trimmed, never empty nor too long, and the ids of whom it mentions by name. */
  onSave(text: string, mentions: string[]): void
  onCancel(): void
}

/** What was said, as a field in its place: Enter saves, Esc leaves it as it was. */
export function EditField({ initial, kept, onChange, onSave, onCancel }: Props) {
  const t = useTranslations("composer")
  const length = useTranslations("length")
  const [draft, setDraft] = useState<Draft>({ text: kept?.text ?? initial, chosen: kept?.chosen ?? [] })
  const field = useRef<HTMLTextAreaElement>(null)
  const { people } = useRoomPeople()
  const text = visibleText(draft.text)
  /** The message as it was when the field last followed it. */
  const [base, setBase] = useState(kept?.base ?? initial)
  const [isOutdated, setIsOutdated] = useState(false)
  if (initial !== base) {
    // Edited elsewhere meanwhile: what isn't changed here is the newer text, and never put back to the older one.
    setBase(initial)
    if (draft.text === base) setDraft({ text: initial, chosen: [] })
    else setIsOutdated(visibleText(draft.text) !== visibleText(initial))
  }
  const over = lengthOf(text) - maxTextLength
  const canSave = text !== "" && over <= 0

  useEffect(() => {
    const { current } = field
    current?.setSelectionRange(current.value.length, current.value.length)
    // Nobody asked for one that comes back by itself: whoever writes elsewhere by then goes on there.
    if (!kept || document.activeElement === document.body) current?.focus({ preventScroll: true })
  }, [])

  const save = () => {
    if (canSave) onSave(text, mentionsIn(text, draft.chosen, people))
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        save()
      }}
      className="relative grid w-full gap-2 rounded-2xl border border-accent bg-surface px-3.5 py-1.5"
    >
      <MessageField
        ref={field}
        draft={draft}
        onChange={(next) => {
          setDraft(next)
          onChange(next, base)
        }}
        onEnter={save}
        onEscape={onCancel}
        aria-label={t("editLabel")}
        aria-invalid={over > 0 || undefined}
        enterKeyHint="done"
      />
      <div className="flex flex-wrap items-center justify-end gap-x-3 gap-y-1 pb-1 text-muted text-xs">
        <p className={clsx("mr-auto", over > 0 && "font-medium text-bad")} role="status">
          {over > 0 ? (
            length("over", { count: over, max: maxTextLength })
          ) : isOutdated ? (
            <span className="text-warn">{t("editedMeanwhile")}</span>
          ) : (
            <span className="hidden sm:inline">{t("editHint")}</span>
          )}
        </p>
        <Button look="quiet" onClick={onCancel}>
          {t("cancelEdit")}
        </Button>
        <Button type="submit" look="primary" disabled={!canSave}>
          {t("save")}
        </Button>
      </div>
    </form>
  )
}
