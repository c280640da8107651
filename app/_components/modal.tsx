"use client"
import { Dialog } from "@base-ui/react/dialog"
import type { ReactNode } from "react"
import { ToastAtTop } from "./toast.tsx"

interface ModalProps {
  title: string
  lead: string
  /** What has the focus afterwards, where what opened it is gone by then. */
  finalFocus?: () => HTMLElement | null
  children: ReactNode
}

/** The inside of a dialog, in the middle of the screen. */
export function Modal({ title, lead, finalFocus, children }: ModalProps) {
  return (
    <Dialog.Portal>
      {/* Over the list of rooms, too, where that is a dialog. */}
      <Dialog.Backdrop
        forceRender
        className="fixed inset-0 z-40 bg-black/40 transition-opacity data-ending-style:opacity-0 data-starting-style:opacity-0"
      />
      <ToastAtTop />
      <Dialog.Popup
        {...(finalFocus && { finalFocus })}
        className="fixed top-1/2 left-1/2 z-50 grid w-[min(28rem,calc(100vw-2rem))] -translate-x-1/2 -translate-y-1/2 max-h-[calc(100dvh-1rem)] gap-4 overflow-y-auto rounded-3xl border border-line bg-surface p-6 shadow-(--shadow) transition data-ending-style:scale-95 data-starting-style:scale-95 data-ending-style:opacity-0 data-starting-style:opacity-0"
      >
        <div className="grid gap-1.5">
          <Dialog.Title className="font-semibold text-xl tracking-tight">{title}</Dialog.Title>
          <Dialog.Description className="text-muted text-sm">{lead}</Dialog.Description>
        </div>
        {children}
      </Dialog.Popup>
    </Dialog.Portal>
  )
}
