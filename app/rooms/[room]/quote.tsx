"use client"
import { clsx } from "clsx"
import { CornerUpLeft } from "lucide-react"
import { useTranslations } from "next-intl"
import type { Quoted, Said } from "#lib/chat/conversation.ts"
import { plainTextOf } from "#lib/chat/rich-text.ts"
import { useJump } from "./jump.tsx"
import { useRoomActions } from "./room-actions.ts"
import { useMarkedName } from "./room-people.tsx"

/** One line of what was said, for a quote; words for what has none. */
export function useExcerpt() {
  const t = useTranslations("messages")
  return (said: Quoted | "gone" | null): string => {
    if (!said) return t("quoteUnloaded")
    if (said === "gone") return t("quoteGone")
    if (said.isDeleted) return t("deleted")
    const text = plainTextOf(said.text).replace(/\s+/g, " ").slice(0, 200)
    return text || said.files.map(({ name }) => name).join(", ") || t("quoteFile")
  }
}

interface QuoteProps {
  place: { id: string; seq: number }
  /** What is answered, as it is now; null where that isn't known yet, `"gone"` where it isn't kept any more. */
  said: Quoted | "gone" | null
  isOnAccent: boolean
}

/** What a message answers: its beginning, and the way to it. */
export function Quote({ place, said, isOnAccent }: QuoteProps) {
  const t = useTranslations("messages")
  const { me } = useRoomActions()
  const jumpTo = useJump()
  const excerpt = useExcerpt()
  const marked = useMarkedName()
  const nameOf = ({ id, name }: Said["sender"]) =>
    id === me.id ? t("you") : marked(id, name ?? t("somebody"))
  return (
    <button
      type="button"
      data-testid="quote"
      onClick={() => jumpTo(place)}
      className={clsx(
        "-mx-1.5 mb-1.5 flex w-[calc(100%+0.75rem)] min-w-0 items-start gap-1.5 rounded-xl border-l-2 px-2.5 py-1.5 text-left text-xs",
        isOnAccent ? "border-on-accent/60 bg-black/15" : "border-accent bg-raised",
      )}
    >
      <CornerUpLeft size={12} aria-hidden="true" className="mt-0.5 shrink-0" />
      <span className="sr-only">{t("answerTo")}</span>
      <span className="line-clamp-2 min-w-0 wrap-anywhere" dir="auto">
        {said && said !== "gone" && <bdi className="font-semibold">{nameOf(said.sender)} </bdi>}
        {excerpt(said)}
      </span>
    </button>
  )
}
