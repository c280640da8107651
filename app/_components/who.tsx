import type { ReactNode } from "react"

/** A name in a `names-in-line`, of which the words around it leave as much as there is room for. */
export const who = (name: ReactNode) => <span className="truncate">{name}</span>
