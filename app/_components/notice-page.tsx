import type { LucideIcon } from "lucide-react"
import Link from "next/link"
import type { ReactNode } from "react"
import { buttonClass } from "./button.tsx"
import { Notice } from "./notice.tsx"

/** A page with one thing to say, what to do about it, and a way back. */
export function NoticePage({
  back,
  ...notice
}: {
  icon?: LucideIcon
  title: string
  lead: string
  back?: string
  children?: ReactNode
}) {
  return (
    <main className="grid min-h-dvh place-items-center p-6">
      <Notice {...notice}>
        {notice.children}
        {back && (
          <Link href="/" className={buttonClass(notice.children ? "quiet" : "primary")}>
            {back}
          </Link>
        )}
      </Notice>
    </main>
  )
}
