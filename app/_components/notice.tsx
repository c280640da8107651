import type { LucideIcon } from "lucide-react"
import type { ReactNode } from "react"

/** One thing to say and what to do next, in the middle of whatever is there. */
export function Notice({
  icon: Icon,
  title,
  lead,
  children,
}: {
  icon?: LucideIcon
  title: string
  lead: string
  children?: ReactNode
}) {
  return (
    <div className="grid max-w-md justify-items-center gap-4 text-center">
      {Icon && (
        <span
          aria-hidden="true"
          className="grid size-14 place-items-center rounded-full bg-accent-soft text-accent"
        >
          <Icon size={26} />
        </span>
      )}
      <h1 className="text-balance font-semibold text-2xl tracking-tight">{title}</h1>
      <p className="text-pretty text-muted">{lead}</p>
      {children}
    </div>
  )
}
