"use client"
import { clsx } from "clsx"
import { useTranslations } from "next-intl"
import { useEffect, useState } from "react"
import { useConnection } from "throughline/react"
import { useIsOnline } from "./use-is-online.ts"

/** A short loss of the network is over before anybody needs to hear of it. */
const graceMs = 1_500
const caughtUpMs = 4_000

/** Says that something is wrong with the connection, and afterwards that nothing was lost, or that something was. */
export function ConnectionBanner({ caughtUp }: { caughtUp: { count: number; recovered: boolean } | null }) {
  const t = useTranslations("connection")
  const { state, error, retry } = useConnection()
  const app = useTranslations("app")
  const errors = useTranslations("errors")
  const isOnline = useIsOnline()
  const isTroubled = state !== "connected" && state !== "closed"
  const [isLong, setIsLong] = useState(false)
  const [shown, setShown] = useState<typeof caughtUp>(null)

  useEffect(() => {
    if (!isTroubled) return setIsLong(false)
    const timer = setTimeout(() => setIsLong(true), graceMs)
    return () => clearTimeout(timer)
  }, [isTroubled])

  useEffect(() => {
    if (!caughtUp || (caughtUp.recovered && caughtUp.count === 0)) return
    setShown(caughtUp)
    const timer = setTimeout(() => setShown(null), caughtUpMs)
    return () => clearTimeout(timer)
  }, [caughtUp])

  const trouble = !isLong
    ? null
    : !isOnline
      ? t("offline")
      : state === "failed"
        ? error
          ? app("sentences", { first: t("failed"), next: errors(error.code) })
          : t("failed")
        : state === "suspended"
          ? t("suspended")
          : state === "reconnecting"
            ? t("reconnecting")
            : t("connecting")

  return (
    <div role="status" aria-live="polite">
      {trouble ? (
        <div
          className={clsx(
            "flex flex-wrap items-center justify-center gap-x-3 px-4 py-2 text-center text-sm",
            state === "failed" ? "bg-bad-soft text-bad" : "bg-warn-soft text-warn",
          )}
        >
          {trouble}
          {(state === "failed" || state === "suspended") && (
            <button
              type="button"
              onClick={retry}
              className="touchable min-h-8 rounded-lg px-2 font-semibold underline underline-offset-2"
            >
              {t("retry")}
            </button>
          )}
        </div>
      ) : (
        shown && (
          <p className="bg-accent-soft px-4 py-2 text-center text-sm">
            {t(shown.recovered ? "caughtUp" : "caughtUpPartly", { count: shown.count })}
          </p>
        )
      )}
    </div>
  )
}
