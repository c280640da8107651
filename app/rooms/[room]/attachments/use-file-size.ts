import { useFormatter } from "next-intl"
import { useCallback } from "react"

const units = ["byte", "kilobyte", "megabyte", "gigabyte"] as const

/** Writes a number of bytes as people say it. */
export function useFileSize(): (bytes: number) => string {
  const format = useFormatter()
  return useCallback(
    (bytes) => {
      const power = Math.min(units.length - 1, bytes > 0 ? Math.floor(Math.log(bytes) / Math.log(1024)) : 0)
      const value = bytes / 1024 ** power
      return format.number(value, {
        ...{ style: "unit", unit: units[power] ?? "byte", unitDisplay: power === 0 ? "long" : "short" },
        maximumFractionDigits: value < 10 && power > 0 ? 1 : 0,
      })
    },
    [format],
  )
}
