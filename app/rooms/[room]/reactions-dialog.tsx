"use client"
import { Dialog } from "@base-ui/react/dialog"
import { useFormatter, useTranslations } from "next-intl"
import { useRef } from "react"
import type { Said } from "#lib/chat/conversation.ts"
import { buttonClass } from "../../_components/button.tsx"
import { Modal } from "../../_components/modal.tsx"
import { messageElement } from "./jump.tsx"
import { useExcerpt } from "./quote.tsx"
import { useReactors } from "./reactions.tsx"

/** Everybody who reacted to a message, by name: what a pointer finds out by resting on a reaction. */
export function ReactionsDialog({ said, onClose }: { said: Said | null; onClose(): void }) {
  const t = useTranslations("messages")
  const rooms = useTranslations("rooms")
  const format = useFormatter()
  const excerpt = useExcerpt()
  const namesOf = useReactors()
  const asked = useRef("")
  if (said) asked.current = said.id
  return (
    <Dialog.Root open={said !== null} onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Modal
        title={t("whoReacted")}
        lead={said ? excerpt(said) : ""}
        finalFocus={() => messageElement(asked.current)}
      >
        <ul aria-label={t("whoReacted")} className="grid max-h-[50dvh] gap-3 overflow-y-auto">
          {said?.reactions.map(({ emoji, people }) => (
            <li key={emoji} className="flex items-baseline gap-3">
              <span className="text-xl leading-none">{emoji}</span>
              <span className="min-w-0 text-sm">{format.list(namesOf(people))}</span>
            </li>
          ))}
        </ul>
        <div className="flex justify-end">
          <Dialog.Close className={buttonClass("quiet")}>{rooms("done")}</Dialog.Close>
        </div>
      </Modal>
    </Dialog.Root>
  )
}
