"use client"
import { AlertDialog } from "@base-ui/react/alert-dialog"
import { type ReactNode, useState, useTransition } from "react"
import type { Refusal } from "#lib/chat/current.ts"
import { buttonClass } from "./button.tsx"
import { answerOr, type Unreached, useRefusalText } from "./server-action.tsx"
import { ToastAtTop } from "./toast.tsx"

export interface DialogState {
  isOpen: boolean
  onOpenChange(isOpen: boolean): void
}

interface Props extends DialogState {
  title: string
  /** What it means. */
  lead: string
  /** What else there is to know of it, or to choose. */
  children?: ReactNode
  stay: string
  leave: string
  /** False while what `children` say isn't known yet: nobody leaves without it. True by default. */
  isReady?: boolean
  /** An action of the server, after which the dialog is closed or the page is another one, unless it was refused. */
  action(): Promise<Refusal | null>
}

/** Asks before something that can't be taken back, as going for good. Stays open and says why where it wasn't done. */
export function FarewellDialog(props: Props) {
  const { isOpen, onOpenChange, title, lead, children, stay, leave, isReady = true, action } = props
  const refusalText = useRefusalText()
  const [isLeaving, start] = useTransition()
  const [refusal, setRefusal] = useState<Refusal | Unreached | null>(null)
  const go = () => start(async () => setRefusal(await answerOr(action(), (unreached) => unreached)))
  return (
    <AlertDialog.Root open={isOpen} onOpenChange={onOpenChange}>
      <AlertDialog.Portal>
        {/* Over a dialog from which it was asked for, too. */}
        <AlertDialog.Backdrop
          forceRender
          className="fixed inset-0 z-50 bg-black/40 transition-opacity data-ending-style:opacity-0 data-starting-style:opacity-0"
        />
        <ToastAtTop />
        <AlertDialog.Popup className="fixed top-1/2 left-1/2 z-50 grid w-[min(28rem,calc(100vw-2rem))] -translate-x-1/2 -translate-y-1/2 max-h-[calc(100dvh-1rem)] gap-4 overflow-y-auto rounded-3xl border border-line bg-surface p-6 shadow-(--shadow) transition data-ending-style:scale-95 data-starting-style:scale-95 data-ending-style:opacity-0 data-starting-style:opacity-0">
          <AlertDialog.Title className="font-semibold text-xl tracking-tight">{title}</AlertDialog.Title>
          <AlertDialog.Description className="text-pretty text-muted text-sm">{lead}</AlertDialog.Description>
          {children}
          {refusal && (
            <p role="alert" className="text-bad text-sm">
              {refusalText(refusal)}
            </p>
          )}
          <div className="flex justify-end gap-2">
            <AlertDialog.Close className={buttonClass("quiet")}>{stay}</AlertDialog.Close>
            <button
              type="button"
              onClick={go}
              disabled={isLeaving || !isReady}
              className={buttonClass("danger")}
            >
              {leave}
            </button>
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  )
}
