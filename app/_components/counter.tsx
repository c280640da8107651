"use client"
import { clsx } from "clsx"
import { useTranslations } from "next-intl"

interface Props {
  /** How many characters more may be written; below 0 there are too many. */
  left: number
  max: number
  /** From here on it is shown. */
  warnAt: number
  /** So often it is said aloud, and not at each key. */
  sayEvery: number
}

/** How much more may be written, near the limit. Nothing that somebody writes or pastes is cut: past the limit the field says so. */
export function Counter({ left, max, warnAt, sayEvery }: Props) {
  const t = useTranslations("length")
  const said = Math.ceil(left / sayEvery) * sayEvery
  return (
    <>
      <span aria-hidden="true" className={clsx("ml-auto", left < 0 && "font-medium text-bad")}>
        {left < 0 ? t("over", { count: -left, max }) : left <= warnAt ? t("left", { count: left }) : ""}
      </span>
      <span role="status" className="sr-only">
        {left < 0 ? t("tooLong", { max }) : left <= warnAt ? t("left", { count: said }) : ""}
      </span>
    </>
  )
}
