"use client"
import { AlertDialog } from "@base-ui/react/alert-dialog"
import { useTranslations } from "next-intl"
import { useRef } from "react"
import type { Said } from "#lib/chat/conversation.ts"
import { buttonClass } from "../../_components/button.tsx"
import { ToastAtTop } from "../../_components/toast.tsx"
import { messageElement } from "./jump.tsx"
import { useExcerpt } from "./quote.tsx"

/** Asks before a message is deleted; shows which, as it stands now. Once it is deleted, wherever that was, there is nothing to ask. */
export function DeleteDialog({
  said: found,
  onConfirm,
  onClose,
}: {
  said: Said | null
  onConfirm(said: Said): void
  onClose(): void
}) {
  const t = useTranslations("messages")
  const excerpt = useExcerpt()
  const said = found?.isDeleted ? null : found
  const asked = useRef("")
  if (said) asked.current = said.id
  return (
    <AlertDialog.Root open={said !== null} onOpenChange={(isOpen) => !isOpen && onClose()}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className="fixed inset-0 z-40 bg-black/40 transition-opacity data-ending-style:opacity-0 data-starting-style:opacity-0" />
        <ToastAtTop />
        <AlertDialog.Popup
          finalFocus={() => messageElement(asked.current)}
          className="fixed top-1/2 left-1/2 z-50 grid w-[min(26rem,calc(100vw-2rem))] -translate-x-1/2 -translate-y-1/2 max-h-[calc(100dvh-1rem)] gap-4 overflow-y-auto rounded-3xl border border-line bg-surface p-6 shadow-(--shadow) transition data-ending-style:opacity-0 data-starting-style:opacity-0"
        >
          <AlertDialog.Title className="font-semibold text-xl tracking-tight">
            {t("deleteTitle")}
          </AlertDialog.Title>
          <AlertDialog.Description className="text-muted text-sm">{t("deleteLead")}</AlertDialog.Description>
          {said && (
            <blockquote dir="auto" className="line-clamp-3 rounded-xl bg-raised px-3.5 py-2 text-sm">
              {excerpt(said)}
            </blockquote>
          )}
          <div className="flex justify-end gap-2">
            <AlertDialog.Close className={buttonClass("quiet")}>{t("cancel")}</AlertDialog.Close>
            <button
              type="button"
              className={buttonClass("danger")}
              onClick={() => {
                if (said) onConfirm(said)
                onClose()
              }}
            >
              {t("delete")}
            </button>
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  )
}
