"use client"
import { Copy } from "lucide-react"
import { useTranslations } from "next-intl"
import { useContext, useEffect, useRef, useState } from "react"
import { createDrafts } from "#lib/chat/drafts.ts"
import { visibleText } from "#lib/chat/visible-text.ts"
import { Button } from "../../_components/button.tsx"
import { MeContext } from "../../_components/chat-provider.tsx"
import { copyText, hasClipboard } from "../../_components/clipboard.ts"
import { useCurrentRoom } from "../../_components/room-activity.tsx"
import { toast } from "../../_components/toast.tsx"

/** What somebody was writing in a room that they aren't in any more: there is no field left for it, and it is theirs. */
export function KeptDraft() {
  const t = useTranslations()
  // At an address that names no room nobody needs to have signed in.
  const me = useContext(MeContext)
  const room = useCurrentRoom()
  const field = useRef<HTMLTextAreaElement>(null)
  const [text, setText] = useState("")
  useEffect(() => {
    setText(me && room !== null ? visibleText(createDrafts(me.id).read(room).text) : "")
  }, [me, room])
  if (text === "") return null

  async function copy(): Promise<void> {
    const isCopied = await copyText(text)
    toast(t(isCopied ? "messages.copied" : "messages.copyFailed"))
    // For the keyboard's own copy.
    if (!isCopied) field.current?.select()
  }
  return (
    <section className="grid w-full justify-items-center gap-3 border-line border-t pt-4">
      <p className="text-pretty text-muted text-sm">{t("rooms.keptDraft")}</p>
      <textarea
        ref={field}
        readOnly
        rows={4}
        value={text}
        dir="auto"
        aria-label={t("rooms.keptDraftLabel")}
        className="w-full resize-none rounded-xl border border-line bg-background px-3.5 py-2 text-left text-base"
      />
      {hasClipboard() && (
        <Button onClick={copy}>
          <Copy size={16} aria-hidden="true" />
          {t("messages.copy")}
        </Button>
      )}
    </section>
  )
}
