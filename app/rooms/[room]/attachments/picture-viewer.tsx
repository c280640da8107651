"use client"
import { Dialog } from "@base-ui/react/dialog"
import { ChevronLeft, ChevronRight, Download, X } from "lucide-react"
import { useTranslations } from "next-intl"
import { type KeyboardEvent, type ReactNode, useState } from "react"
import type { SharedFile } from "#lib/chat/channels.ts"
import { fileUrl } from "#lib/files/rules.ts"
import { IconButton, iconButtonClass } from "../../../_components/button.tsx"
import { useFileSize } from "./use-file-size.ts"

export type Picture = SharedFile & { width: number; height: number }

interface PictureViewerProps {
  pictures: readonly Picture[]
  index: number
  onMove(index: number): void
  onClose(): void
}

/** A picture as large as the screen; the arrows lead to the others of its message, Escape back to it. */
export function PictureViewer({ pictures, index, onMove, onClose }: PictureViewerProps) {
  const t = useTranslations("files")
  const sizeOf = useFileSize()
  const picture = pictures[index]
  if (!picture) return null
  const { id, name, size } = picture
  const move = (by: number) => {
    const next = index + by
    if (pictures[next]) onMove(next)
  }
  const onKeyDown = ({ key }: KeyboardEvent) => {
    if (key === "ArrowLeft") move(-1)
    if (key === "ArrowRight") move(1)
  }
  return (
    <Dialog.Root open onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-40 bg-background" />
        <Dialog.Popup
          onKeyDown={onKeyDown}
          className="fixed inset-0 z-50 flex flex-col pt-[env(safe-area-inset-top)] pb-[env(safe-area-inset-bottom)] outline-none"
        >
          <header className="flex items-center gap-1 p-2 pl-4">
            <div className="min-w-0 flex-1">
              <Dialog.Title dir="auto" className="truncate font-semibold text-sm">
                {name}
              </Dialog.Title>
              <p aria-live="polite" className="text-muted text-xs">
                {sizeOf(size)}
                {pictures.length > 1 && ` · ${t("position", { index: index + 1, count: pictures.length })}`}
              </p>
            </div>
            <a
              href={`${fileUrl(id)}?download`}
              download={name}
              aria-label={t("download", { name })}
              title={t("download", { name })}
              className={iconButtonClass()}
            >
              <Download size={18} aria-hidden="true" />
            </a>
            <Dialog.Close render={<IconButton label={t("close")} />}>
              <X size={20} aria-hidden="true" />
            </Dialog.Close>
          </header>
          <div className="relative min-h-0 flex-1 p-2">
            <FullPicture key={id} picture={picture} />
            {pictures.length > 1 && (
              <>
                <StepButton
                  label={t("previous")}
                  isEnd={index === 0}
                  onClick={() => move(-1)}
                  className="left-3"
                >
                  <ChevronLeft size={22} aria-hidden="true" />
                </StepButton>
                <StepButton
                  label={t("next")}
                  isEnd={index === pictures.length - 1}
                  onClick={() => move(1)}
                  className="right-3"
                >
                  <ChevronRight size={22} aria-hidden="true" />
                </StepButton>
              </>
            )}
          </div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

function FullPicture({ picture: { id, name, width, height } }: { picture: Picture }) {
  const t = useTranslations("files")
  const [isGone, setIsGone] = useState(false)
  if (isGone) return <p className="grid h-full place-items-center text-muted">{t("unavailable")}</p>
  return (
    <img
      src={fileUrl(id)}
      alt={t("picture", { name })}
      width={width}
      height={height}
      onError={() => setIsGone(true)}
      className="size-full object-scale-down"
    />
  )
}

interface StepButtonProps {
  label: string
  /** There is nothing further on. It stays where it is, and keeps the focus. */
  isEnd: boolean
  onClick(): void
  className: string
  children: ReactNode
}

function StepButton({ label, isEnd, onClick, className, children }: StepButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      aria-disabled={isEnd}
      onClick={onClick}
      className={`absolute top-1/2 grid size-11 -translate-y-1/2 place-items-center rounded-full border border-line bg-surface shadow-(--shadow) aria-disabled:opacity-40 ${className}`}
    >
      {children}
    </button>
  )
}
