"use client"
import { Paperclip } from "lucide-react"
import { useTranslations } from "next-intl"
import { useRef } from "react"
import { maxFilesPerMessage } from "#lib/chat/channels.ts"
import { maxFileBytes } from "#lib/files/rules.ts"
import { IconButton } from "../../../_components/button.tsx"
import type { Attachments } from "./use-attachments.ts"
import { useFileSize } from "./use-file-size.ts"

/** Opens the browser's own picker. */
export function AttachButton({ attachments }: { attachments: Attachments }) {
  const t = useTranslations("files")
  const sizeOf = useFileSize()
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <IconButton
        label={t("attach")}
        title={`${t("attach")} · ${t("limits", { count: maxFilesPerMessage, size: sizeOf(maxFileBytes) })}`}
        onClick={() => input.current?.click()}
      >
        <Paperclip size={18} aria-hidden="true" />
      </IconButton>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        data-testid="file-picker"
        onChange={({ currentTarget }) => {
          attachments.add([...(currentTarget.files ?? [])])
          // The same file may be chosen again.
          currentTarget.value = ""
        }}
      />
    </>
  )
}
