"use client"
import { CircleAlert, RotateCw, X } from "lucide-react"
import { useFormatter, useTranslations } from "next-intl"
import { type ReactNode, useState } from "react"
import { maxFilesPerMessage } from "#lib/chat/channels.ts"
import { maxFileBytes } from "#lib/files/rules.ts"
import { FileIcon } from "./file-icon.tsx"
import { type Attachment, mayHelp } from "./uploads.ts"
import type { Attachments } from "./use-attachments.ts"
import { useFileSize } from "./use-file-size.ts"

/** What goes with the message that is being written: how far each file is, and what is wrong with it. */
export function AttachmentTray({ attachments }: { attachments: Attachments }) {
  const t = useTranslations("files")
  if (attachments.attachments.length === 0) return null
  return (
    <div className="grid gap-1.5 pb-2">
      <ul
        aria-label={t("tray")}
        className="flex max-h-[min(16rem,35dvh)] flex-wrap items-start gap-2 overflow-y-auto p-0.5"
      >
        {attachments.attachments.map((attachment) => (
          <TrayItem key={attachment.key} attachment={attachment} {...attachments} />
        ))}
      </ul>
      {attachments.isOverfull && (
        <p role="alert" className="flex items-center gap-2 rounded-xl bg-warn-soft px-3 text-sm text-warn">
          <span className="py-1.5">{t("tooMany", { count: maxFilesPerMessage })}</span>
          <button
            type="button"
            onClick={attachments.hideOverfull}
            className="ml-auto min-h-8 shrink-0 font-semibold underline"
          >
            {t("tooManyHide")}
          </button>
        </p>
      )}
    </div>
  )
}

function TrayItem({
  attachment,
  remove,
  retry,
}: { attachment: Attachment } & Pick<Attachments, "remove" | "retry">) {
  const t = useTranslations("files")
  const sizeOf = useFileSize()
  const { key, name, size, state, error } = attachment
  return (
    <li
      data-testid="attachment"
      data-state={state}
      className="w-full min-w-0 rounded-2xl border border-line bg-surface p-1.5 sm:w-72"
    >
      <div className="flex items-center gap-2.5">
        <Preview attachment={attachment} />
        <div className="grid min-w-0 flex-1 gap-1 text-xs">
          <p dir="auto" className="truncate font-medium text-sm" title={name}>
            {name}
          </p>
          <p className="truncate text-muted">
            {sizeOf(size)}
            <Progress attachment={attachment} />
          </p>
          {state !== "ready" && state !== "failed" && <ProgressBar attachment={attachment} />}
        </div>
        {error && mayHelp.has(error) && (
          <TrayButton label={t("retryOf", { name })} onClick={() => retry(key)}>
            <RotateCw size={16} aria-hidden="true" />
          </TrayButton>
        )}
        <TrayButton label={t("remove", { name })} onClick={() => remove(key)}>
          <X size={16} aria-hidden="true" />
        </TrayButton>
      </div>
      {error && (
        <p role="alert" className="flex items-start gap-1.5 px-1 pt-1.5 pb-0.5 text-bad text-xs">
          <CircleAlert size={14} aria-hidden="true" className="mt-px shrink-0" />
          {t(`errors.${error}`, { size: sizeOf(maxFileBytes) })}
        </p>
      )}
    </li>
  )
}

/** The picture, where it is one; a file that only calls itself so has a sign like all others. */
function Preview({ attachment: { preview, shared } }: { attachment: Attachment }) {
  const [isBroken, setIsBroken] = useState(false)
  const className = "size-12 shrink-0 rounded-xl bg-raised"
  if (preview && !isBroken)
    return (
      <img src={preview} alt="" onError={() => setIsBroken(true)} className={`${className} object-cover`} />
    )
  return (
    <span className={`${className} grid place-items-center text-muted`}>
      <FileIcon type={shared?.type ?? ""} />
    </span>
  )
}

function Progress({ attachment: { state, progress } }: { attachment: Attachment }) {
  const t = useTranslations("files")
  const format = useFormatter()
  if (state === "failed") return null
  return <> · {state === "uploading" ? format.number(progress, { style: "percent" }) : t(state)}</>
}

function ProgressBar({ attachment: { name, progress } }: { attachment: Attachment }) {
  const t = useTranslations("files")
  return (
    <div
      role="progressbar"
      aria-label={t("progress", { name })}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(progress * 100)}
      className="h-1 overflow-hidden rounded-full bg-raised"
    >
      <div
        className="h-full origin-left bg-accent transition-transform"
        style={{ transform: `scaleX(${progress})` }}
      />
    </div>
  )
}

function TrayButton({ label, onClick, children }: { label: string; onClick(): void; children: ReactNode }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      onClick={onClick}
      className="touchable grid size-9 shrink-0 place-items-center rounded-xl text-muted hover:bg-raised hover:text-text"
    >
      {children}
    </button>
  )
}
