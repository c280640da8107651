"use client"
import { Dialog } from "@base-ui/react/dialog"
import { clsx } from "clsx"
import { Share2 } from "lucide-react"
import { useTranslations } from "next-intl"
import { useRef, useState } from "react"
import { buttonClass } from "./button.tsx"
import { copyText, hasClipboard } from "./clipboard.ts"

interface Props {
  link: string
  /** What it is. */
  label: string
  /** What to say once it is copied. */
  copied: string
}

/** The inside of a dialog: a link to be copied, or handed to another program. */
export function LinkToShare({ link, label, copied }: Props) {
  const t = useTranslations("rooms")
  const field = useRef<HTMLInputElement>(null)
  const [isCopied, setIsCopied] = useState(false)
  const [canCopy, setCanCopy] = useState(hasClipboard)
  async function copy(): Promise<void> {
    if (await copyText(link)) return setIsCopied(true)
    // Without permission the field stays selected, for the keyboard's own copy.
    setCanCopy(false)
    field.current?.select()
  }
  return (
    <div className="grid gap-3">
      <input
        ref={field}
        readOnly
        value={link}
        aria-label={label}
        // Backwards, its beginning stays in sight.
        onFocus={({ currentTarget }) => currentTarget.setSelectionRange(0, link.length, "backward")}
        className="min-h-11 w-full rounded-xl border border-line bg-background px-3.5 text-sm"
      />
      <p role="status" className={clsx("min-h-5 text-sm", canCopy ? "text-good" : "text-muted")}>
        {canCopy ? isCopied && copied : t("copyYourself")}
      </p>
      <div className="flex flex-wrap justify-end gap-2">
        <Dialog.Close className={buttonClass("quiet")}>{t("done")}</Dialog.Close>
        {"share" in navigator && (
          <button
            type="button"
            // Whoever closes the system's dialog has shared nothing, and knows it.
            onClick={() => void navigator.share({ url: link }).catch(() => {})}
            className={buttonClass()}
          >
            <Share2 size={16} aria-hidden="true" />
            {t("share")}
          </button>
        )}
        {canCopy && (
          <button type="button" onClick={copy} className={buttonClass("primary")}>
            {t("copy")}
          </button>
        )}
      </div>
    </div>
  )
}
