import type { LucideIcon } from "lucide-react"
import Link from "next/link"
import type { ReactNode } from "react"
import { buttonClass } from "./button.tsx"
import { Notice } from "./notice.tsx"

/** A page with one thing to say, and one way on. */
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
          <Link href="/" className={buttonClass("primary")}>
            {back}
          </Link>
        )}
      </Notice>
    </main>
  )
}
