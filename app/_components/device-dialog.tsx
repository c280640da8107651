"use client"
import { Dialog } from "@base-ui/react/dialog"
import { LoaderCircle } from "lucide-react"
import { useTranslations } from "next-intl"
import { useEffect, useState } from "react"
import { logError } from "throughline"
import { deviceLinkMinutes } from "#lib/chat/device-link.ts"
import { isolated } from "#lib/i18n/isolated.ts"
import { linkDevice } from "../actions.ts"
import { buttonClass } from "./button.tsx"
import { useMe } from "./chat-provider.tsx"
import type { DialogState } from "./farewell-dialog.tsx"
import { LinkToShare } from "./link-to-share.tsx"
import { Modal } from "./modal.tsx"
import { answerOr, type Unreached, useRefusalText } from "./server-action.tsx"

/** Brings a guest in on one more device, as the same person: by a picture for a phone's camera, or by the link itself. */
export function DeviceDialog({ isOpen, onOpenChange }: DialogState) {
  const t = useTranslations("device")
  const me = useMe()
  return (
    <Dialog.Root open={isOpen} onOpenChange={onOpenChange}>
      <Modal title={t("title")} lead={t("lead", { name: isolated(me.name), minutes: deviceLinkMinutes })}>
        <DeviceLink />
      </Modal>
    </Dialog.Root>
  )
}

/** A new one each time the dialog is opened. */
function DeviceLink() {
  const t = useTranslations("device")
  const rooms = useTranslations("rooms")
  const me = useMe()
  const refusalText = useRefusalText()
  const [answer, setAnswer] = useState<Awaited<ReturnType<typeof linkDevice>> | Unreached | null>()
  useEffect(() => {
    let isWanted = true
    answerOr(linkDevice(me.id), (unreached) => unreached)
      .catch((error: unknown) => {
        logError(error, { stage: "link a device" })
        return null
      })
      .then((given) => isWanted && setAnswer(given))
    return () => {
      isWanted = false
    }
  }, [me.id])
  const link = answer && "path" in answer ? new URL(answer.path, window.location.href).href : null
  const isRefused = answer !== undefined && link === null

  if (link) {
    return (
      <>
        <QrCode text={link} label={t("code")} />
        <LinkToShare link={link} label={t("link")} copied={t("copied")} />
      </>
    )
  }
  return (
    <>
      <p role={isRefused ? "alert" : "status"} className="grid min-h-40 place-items-center text-sm">
        {isRefused ? (
          <span className="text-bad">
            {answer && "error" in answer ? refusalText(answer) : rooms("inviteFailed")}
          </span>
        ) : (
          <span className="flex items-center gap-2 text-muted">
            <LoaderCircle size={16} aria-hidden="true" className="animate-spin" />
            {t("making")}
          </span>
        )}
      </p>
      <div className="flex justify-end">
        <Dialog.Close className={buttonClass("quiet")}>{rooms("done")}</Dialog.Close>
      </div>
    </>
  )
}

/** For cameras: dark on light in either theme. Its maker comes after the page; without it the link is there all the same. */
function QrCode({ text, label }: { text: string; label: string }) {
  const [modules, setModules] = useState<readonly (readonly boolean[])[] | null>(null)
  useEffect(() => {
    let isWanted = true
    import("uqr").then(
      ({ encode }) => isWanted && setModules(encode(text, { ecc: "M", border: 2 }).data),
      (error: unknown) => logError(error, { stage: "draw a code" }),
    )
    return () => {
      isWanted = false
    }
  }, [text])
  const size = modules?.length ?? 1
  const dark = modules?.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : [])))
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 ${size} ${size}`}
      shapeRendering="crispEdges"
      className="mx-auto size-44 rounded-xl bg-white"
    >
      <path d={dark?.join("")} fill="#000" />
    </svg>
  )
}
