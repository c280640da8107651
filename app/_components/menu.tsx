"use client"
import { Menu } from "@base-ui/react/menu"
import type { ReactNode } from "react"

export const menuItemClass =
  "flex min-h-10 pointer-coarse:min-h-11 w-full items-center gap-2.5 rounded-xl px-3 text-left text-sm outline-none data-highlighted:bg-raised"

interface MenuPopupProps {
  children: ReactNode
  side?: "top" | "bottom"
  /** Which edge it shares with what opened it, where there is room for it so. */
  align?: "start" | "end"
}

/** The inside of a menu, beside what opened it. */
export function MenuPopup({ children, side = "bottom", align = "end" }: MenuPopupProps) {
  return (
    <Menu.Portal>
      <Menu.Positioner side={side} align={align} sideOffset={8} collisionPadding={8} className="z-50">
        {/* Its items have the focus by the arrows alone; what scrolls has to be reached without them, too. */}
        <Menu.Popup
          tabIndex={0}
          className="max-h-(--available-height) min-w-56 max-w-[min(20rem,var(--available-width))] overflow-y-auto rounded-2xl border border-line bg-surface p-1.5 shadow-(--shadow) outline-none transition data-ending-style:opacity-0 data-starting-style:opacity-0"
        >
          {children}
        </Menu.Popup>
      </Menu.Positioner>
    </Menu.Portal>
  )
}
