import { clsx } from "clsx"
import type { ComponentProps } from "react"

const looks = {
  primary: "bg-accent text-on-accent hover:brightness-110",
  plain: "bg-raised text-text hover:bg-line",
  /** For what can't be taken back. */
  danger: "bg-bad text-background hover:brightness-110",
  quiet: "text-muted hover:bg-raised hover:text-text",
} as const

export interface ButtonProps extends ComponentProps<"button"> {
  look?: keyof typeof looks
}

const base =
  "touchable wrap-break-word inline-flex min-h-10 items-center justify-center gap-2 rounded-xl font-medium text-sm transition disabled:opacity-60"

export function buttonClass(look: keyof typeof looks = "plain", className?: string): string {
  return clsx(base, "px-4", looks[look], className)
}

export function iconButtonClass(className?: string): string {
  return clsx(base, "w-10 shrink-0", looks.quiet, className)
}

export function Button({ look = "plain", className, type = "button", ...props }: ButtonProps) {
  return <button type={type} className={buttonClass(look, className)} {...props} />
}

/** A square button that shows an icon; its label is for those who don't see it. */
export function IconButton({ label, className, ...props }: ComponentProps<"button"> & { label: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={iconButtonClass(className)}
      {...props}
    />
  )
}
