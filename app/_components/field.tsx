import type { ComponentProps } from "react"

/** A text field with its label, and what is wrong with it. */
export function Field({
  label,
  error,
  id,
  ...props
}: ComponentProps<"input"> & { label: string; id: string; error?: string | undefined }) {
  return (
    <div className="grid gap-1.5">
      <label htmlFor={id} className="font-medium text-sm">
        {label}
      </label>
      <input
        id={id}
        className="min-h-11 w-full rounded-xl border border-line bg-background px-3.5 text-base placeholder:text-muted"
        aria-invalid={error ? true : undefined}
        aria-describedby={error ? `${id}-error` : undefined}
        autoComplete="off"
        {...props}
      />
      {error && (
        <p id={`${id}-error`} role="alert" className="text-bad text-sm">
          {error}
        </p>
      )}
    </div>
  )
}
