"use client"
import { clsx } from "clsx"
import { Ban, Upload } from "lucide-react"
import { useTranslations } from "next-intl"
import { useEffect, useState } from "react"
import { maxFilesPerMessage } from "#lib/chat/channels.ts"
import { maxFileBytes } from "#lib/files/rules.ts"
import type { Attachments } from "./use-attachments.ts"
import { useFileSize } from "./use-file-size.ts"

const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false

interface DropZoneProps extends Pick<Attachments, "add"> {
  /** Whether files can be sent at all. */
  isEnabled: boolean
}

/**
 * Takes files that are dropped anywhere on the page, and says so while they are over it, or that they can't be sent. A file that
 * is dropped beside any such zone would be opened in place of the chat.
 */
export function DropZone({ add, isEnabled }: DropZoneProps) {
  const t = useTranslations("files")
  const sizeOf = useFileSize()
  const [isOver, setIsOver] = useState(false)
  useEffect(() => {
    const controller = new AbortController()
    const on = (name: "dragenter" | "dragover" | "dragleave" | "drop", act: (event: DragEvent) => void) =>
      window.addEventListener(name, (event) => hasFiles(event) && act(event), { signal: controller.signal })
    on("dragenter", () => setIsOver(true))
    on("dragover", (event) => {
      event.preventDefault()
      if (event.dataTransfer) event.dataTransfer.dropEffect = "copy"
      setIsOver(true)
    })
    // Between two elements of the page there is always another one; outside of it there is none.
    on("dragleave", (event) => event.relatedTarget === null && setIsOver(false))
    on("drop", (event) => {
      event.preventDefault()
      setIsOver(false)
      add([...(event.dataTransfer?.files ?? [])])
    })
    return () => controller.abort()
  }, [add])
  if (!isOver) return null
  const Icon = isEnabled ? Upload : Ban
  return (
    <div
      data-testid="drop-zone"
      className="pointer-events-none fixed inset-0 z-40 grid place-items-center bg-background/80 p-4 backdrop-blur-sm"
    >
      <div
        className={clsx(
          "grid w-full max-w-md justify-items-center gap-2 rounded-3xl border-2 border-dashed bg-surface px-6 py-10 text-center shadow-(--shadow)",
          isEnabled ? "border-accent" : "border-line",
        )}
      >
        <Icon size={32} aria-hidden="true" className={isEnabled ? "text-accent" : "text-muted"} />
        <p className="font-semibold text-lg">{t(isEnabled ? "drop" : "errors.files-off")}</p>
        {isEnabled && (
          <p className="text-muted text-sm">
            {t("limits", { count: maxFilesPerMessage, size: sizeOf(maxFileBytes) })}
          </p>
        )}
      </div>
    </div>
  )
}
