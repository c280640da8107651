"use client"
import { defaultEmojiDataResolver, EmojiPicker as Emoji, type EmojiDataResolver } from "frimousse"
import { useLocale, useTranslations } from "next-intl"
import { type AriaAttributes, useEffect, useRef } from "react"
import { emojiDataUrl } from "#lib/chat/emoji-data.ts"
import { isComposing } from "../../_components/is-composing.ts"
import { matches } from "../../_components/media.ts"

/** ARIA counts rows and columns from 1, frimousse from 0. */
function countedFromOne<P extends AriaAttributes>(props: P): P {
  const { "aria-rowindex": row, "aria-colindex": column } = props
  return {
    ...props,
    ...(row !== undefined && { "aria-rowindex": row + 1 }),
    ...(column !== undefined && { "aria-colindex": column + 1 }),
  }
}

export interface EmojiPanelProps {
  onPick(emoji: string): void
  /** What it shows couldn't be fetched. */
  onFail(): void
}

/** All emoji with a search, in the reader's language. A chunk of its own: few messages need it. */
export function EmojiPanel({ onPick, onFail }: EmojiPanelProps) {
  const t = useTranslations("emoji")
  const search = useRef<HTMLInputElement>(null)
  useEffect(() => {
    // The popup was there first and has the focus until something in it takes it. A finger would get a keyboard in its way.
    const holder = search.current?.closest("[data-emoji-popup]")
    if (document.activeElement === holder && matches("(pointer: fine)")) search.current?.focus()
  }, [])
  /** The list itself would go on loading for ever. */
  const resolve: EmojiDataResolver = async (locale, options) => {
    try {
      return await defaultEmojiDataResolver(locale, options)
    } catch (error) {
      if (!options.signal?.aborted) onFail()
      throw error
    }
  }
  return (
    <Emoji.Root
      locale={useLocale()}
      emojibaseUrl={emojiDataUrl}
      resolveEmojiData={resolve}
      columns={8}
      onEmojiSelect={({ emoji }) => onPick(emoji)}
      className="flex h-full w-full flex-col text-text"
    >
      <Emoji.Search
        ref={search}
        aria-label={t("search")}
        placeholder={t("search")}
        className="mx-1 min-h-10 rounded-xl border border-line bg-background px-3 text-base placeholder:text-muted"
        onKeyDown={(event) => {
          // The list listens on the document, and would take the Enter of a conversion for a choice.
          if (isComposing(event)) event.nativeEvent.stopImmediatePropagation()
        }}
      />
      <Emoji.Viewport tabIndex={0} className="mt-1 min-h-0 flex-1 rounded-xl -outline-offset-2">
        <Emoji.Loading className="absolute inset-0 grid place-items-center text-muted text-sm">
          {t("loading")}
        </Emoji.Loading>
        <Emoji.Empty className="absolute inset-0 grid place-items-center text-muted text-sm">
          {t("none")}
        </Emoji.Empty>
        <Emoji.List
          aria-label={t("all")}
          className="select-none pb-1"
          components={{
            CategoryHeader: ({ category, ...props }) => (
              <div {...props} className="bg-surface px-2 pt-2 pb-1 font-medium text-muted text-xs">
                {category.label}
              </div>
            ),
            Row: ({ children, ...props }) => (
              <div {...countedFromOne(props)} className="px-1">
                {children}
              </div>
            ),
            Emoji: ({ emoji, ...props }) => (
              <button
                type="button"
                {...countedFromOne(props)}
                className="grid h-9 min-w-0 flex-1 max-w-[12.5%] place-items-center rounded-lg text-xl data-active:bg-raised data-active:ring-2 data-active:ring-accent data-active:ring-inset"
              >
                {emoji.emoji}
              </button>
            ),
          }}
        />
      </Emoji.Viewport>
      <div className="flex min-h-10 items-center justify-between gap-2 border-line border-t px-2 pt-1 text-sm">
        <Emoji.ActiveEmoji>
          {({ emoji }) => (
            <span className="min-w-0 truncate text-muted" aria-hidden="true">
              {emoji ? `${emoji.emoji} ${emoji.label}` : t("pick")}
            </span>
          )}
        </Emoji.ActiveEmoji>
        <Emoji.SkinToneSelector
          aria-label={t("skinTone")}
          className="grid size-9 shrink-0 place-items-center rounded-lg text-xl hover:bg-raised"
        />
      </div>
    </Emoji.Root>
  )
}
