"use client"
import { clsx } from "clsx"
import { useTranslations } from "next-intl"
import { useEffect, useRef, useState } from "react"
import { useConnection } from "throughline/react"
import type { CaughtUp } from "./caught-up.ts"
import { useIsOnline } from "./use-is-online.ts"

/** A short loss of the network is over before anybody needs to hear of it. */
const graceMs = 1_500
const caughtUpMs = 4_000

/** There is nothing to read, but the connection is back. */
const nothingNew: CaughtUp = { count: 0, recovered: true }

/** Says that something is wrong with the connection, and afterwards that nothing was lost, or that something was. */
export function ConnectionBanner({ caughtUp }: { caughtUp: CaughtUp | null }) {
  const t = useTranslations("connection")
  const { state, error, retry } = useConnection()
  const app = useTranslations("app")
  const errors = useTranslations("errors")
  const isOnline = useIsOnline()
  const isTroubled = state !== "connected" && state !== "closed"
  const [isLong, setIsLong] = useState(false)
  /** Whoever was told of the trouble is told that it is over. */
  const wasTold = useRef(false)
  const [shown, setShown] = useState<CaughtUp | null>(null)

  useEffect(() => {
    if (!isTroubled) return setIsLong(false)
    const timer = setTimeout(() => setIsLong(true), graceMs)
    return () => clearTimeout(timer)
  }, [isTroubled])

  useEffect(() => {
    if (isLong) wasTold.current = true
    if (state !== "connected" || !wasTold.current) return
    wasTold.current = false
    setShown((known) => known ?? nothingNew)
  }, [isLong, state])

  useEffect(() => {
    if (caughtUp && (caughtUp.count > 0 || !caughtUp.recovered)) setShown(caughtUp)
  }, [caughtUp])

  useEffect(() => {
    if (!shown) return
    const timer = setTimeout(() => setShown(null), caughtUpMs)
    return () => clearTimeout(timer)
  }, [shown])

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
