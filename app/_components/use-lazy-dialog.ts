"use client"
import { useTranslations } from "next-intl"
import { type ComponentType, useState } from "react"
import { logError } from "throughline"
import type { DialogState } from "./farewell-dialog.tsx"
import { toast } from "./toast.tsx"

/** A dialog that few people open: its code comes when they do. Where it can't be had, they are told so. */
export function useLazyDialog<Props extends DialogState>(load: () => Promise<ComponentType<Props>>) {
  const errors = useTranslations("errors")
  const [Dialog, setDialog] = useState<ComponentType<Props> | null>(null)
  const [isOpen, setIsOpen] = useState(false)
  return {
    /** Null before it is there. */
    Dialog,
    state: { isOpen, onOpenChange: setIsOpen } satisfies DialogState,
    open() {
      setIsOpen(true)
      if (Dialog) return
      load().then(
        (loaded) => setDialog(() => loaded),
        (error: unknown) => {
          setIsOpen(false)
          logError(error, { stage: "open a dialog" })
          toast(errors("not-connected"))
        },
      )
    },
  }
}
