import { clsx } from "clsx"
import type { Entry } from "./ledger.ts"

const looks: Record<Entry["kind"], string> = {
  new: "border-transparent bg-raised text-text",
  repeated: "border-bad bg-bad-soft text-bad",
  late: "border-warn bg-warn-soft text-warn",
  missing: "border-bad border-dashed text-bad",
}

/** The end of a page's list, the newest at the right; what doesn't fit is cut off at the left. */
export function List({
  label,
  entries,
  isOurs,
}: {
  label: string
  entries: readonly Entry[]
  isOurs: boolean
}) {
  return (
    <div className="grid min-w-0 gap-1">
      <h3 className="text-muted text-xs">{label}</h3>
      <ol aria-label={label} className="flex h-7 justify-end gap-1 overflow-hidden">
        {entries.map(({ key, seq, kind }) => (
          <li
            key={key}
            data-kind={kind}
            className={clsx(
              "grid h-7 min-w-8 shrink-0 animate-[arrive_200ms_ease-out] place-items-center rounded-lg border px-1",
              "text-xs tabular-nums",
              isOurs && kind === "new" ? "border-transparent bg-accent-soft text-accent" : looks[kind],
            )}
          >
            {seq}
          </li>
        ))}
      </ol>
    </div>
  )
}
