"use client"
import { Popover } from "@base-ui/react/popover"
import { CloudOff } from "lucide-react"
import { useTranslations } from "next-intl"
import { type ComponentType, type ReactElement, type RefObject, useEffect, useRef, useState } from "react"
import { Button } from "../../_components/button.tsx"
import type { EmojiPanelProps } from "./emoji-panel.tsx"

/** What most reactions are. */
export const quickReactions = ["👍", "❤️", "😂", "🎉", "😮", "🙏"] as const

interface Props {
  onPick(emoji: string): void
  /** The button that opens it. */
  children: ReactElement<Record<string, unknown>>
  /** A row of the most common ones stands above all the others. */
  hasQuickRow?: boolean
  /** What has the focus afterwards; by default the button. */
  finalFocus?: RefObject<HTMLElement | null>
  onOpenChange?(isOpen: boolean): void
  onOpenChangeComplete?(isOpen: boolean): void
}

/** Lets one pick an emoji, by mouse, touch or keyboard. What is heavy about it is downloaded when it is first opened. */
export function EmojiPicker({
  onPick,
  children,
  hasQuickRow = true,
  finalFocus,
  onOpenChange,
  onOpenChangeComplete,
}: Props) {
  const t = useTranslations("emoji")
  const [isOpen, setIsOpen] = useState(false)
  const change = (next: boolean) => {
    setIsOpen(next)
    onOpenChange?.(next)
  }
  const pick = (emoji: string) => {
    onPick(emoji)
    change(false)
  }
  return (
    <Popover.Root open={isOpen} onOpenChange={change} {...(onOpenChangeComplete && { onOpenChangeComplete })}>
      <Popover.Trigger render={children} onPointerEnter={preload} onFocus={preload} />
      <Popover.Portal>
        <Popover.Positioner side="top" align="end" sideOffset={8} collisionPadding={8} className="z-50">
          <Popover.Popup
            data-emoji-popup=""
            aria-label={t("title")}
            {...(finalFocus && { finalFocus })}
            className="flex max-h-(--available-height) w-[min(20rem,calc(100vw-1rem))] flex-col gap-1 rounded-2xl border border-line bg-surface p-1.5 shadow-(--shadow) outline-none transition data-ending-style:opacity-0 data-starting-style:opacity-0"
          >
            {hasQuickRow && (
              <fieldset className="flex shrink-0 justify-between px-1">
                <legend className="sr-only">{t("quick")}</legend>
                {quickReactions.map((emoji) => (
                  <button
                    key={emoji}
                    type="button"
                    onClick={() => pick(emoji)}
                    className="grid size-10 place-items-center rounded-xl text-2xl hover:bg-raised"
                  >
                    {emoji}
                  </button>
                ))}
              </fieldset>
            )}
            <LazyPanel onPick={pick} />
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}

type Panel = ComponentType<EmojiPanelProps>

/** Once it is here it is drawn at once, so that its field has the focus from the beginning. */
let loaded: Panel | null = null
const load = async () => {
  loaded = (await import("./emoji-panel.tsx")).EmojiPanel
  return loaded
}
/** Whoever comes near is likely to open it; if this fails, opening it says so. */
const preload = () => void load().catch(() => {})

/** The panel, once it and its data are here; where one of them couldn't be fetched, words and a way to try again. */
function LazyPanel({ onPick }: Pick<EmojiPanelProps, "onPick">) {
  const t = useTranslations("emoji")
  const box = useRef<HTMLDivElement>(null)
  const [Panel, setPanel] = useState(() => loaded)
  const [attempt, setAttempt] = useState(0)
  const [failedAttempt, setFailedAttempt] = useState(-1)
  const hasFailed = failedAttempt === attempt
  useEffect(() => {
    let isWanted = true
    load().then(
      (panel) => isWanted && setPanel(() => panel),
      () => isWanted && setFailedAttempt(attempt),
    )
    return () => {
      isWanted = false
    }
  }, [attempt])
  /** What has the focus is about to go: the popup holds it for what comes. */
  const holdFocus = () => {
    const { current } = box
    if (current?.contains(document.activeElement)) current.closest<HTMLElement>("[data-emoji-popup]")?.focus()
  }
  const fail = () => {
    holdFocus()
    setFailedAttempt(attempt)
  }
  const retry = () => {
    holdFocus()
    setAttempt(attempt + 1)
  }
  useEffect(() => {
    if (!hasFailed) return
    window.addEventListener("online", retry)
    return () => window.removeEventListener("online", retry)
  })
  return (
    <div
      ref={box}
      className="flex h-72 min-h-0 w-full flex-col items-center justify-center gap-3 text-muted text-sm"
    >
      {hasFailed ? (
        <>
          <CloudOff size={28} aria-hidden="true" />
          <p role="alert" className="text-center">
            {t("failed")}
          </p>
          <Button onClick={retry}>{t("retry")}</Button>
        </>
      ) : Panel ? (
        <Panel key={attempt} onPick={onPick} onFail={fail} />
      ) : (
        <p>{t("loading")}</p>
      )}
    </div>
  )
}
