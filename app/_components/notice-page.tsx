import Link from "next/link"
import type { ReactNode } from "react"
import { buttonClass } from "./button.tsx"

/** A page with one thing to say, and one way on. */
export function NoticePage({
  title,
  lead,
  back,
  children,
}: {
  title: string
  lead: string
  back?: string
  children?: ReactNode
}) {
  return (
    <main className="grid min-h-dvh place-items-center p-6">
      <div className="grid max-w-sm justify-items-center gap-4 text-center">
        <h1 className="font-semibold text-2xl tracking-tight">{title}</h1>
        <p className="text-muted">{lead}</p>
        {children}
        {back && (
          <Link href="/" className={buttonClass("primary")}>
            {back}
          </Link>
        )}
      </div>
    </main>
  )
}
