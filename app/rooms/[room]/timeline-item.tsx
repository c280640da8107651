"use client"
import { clsx } from "clsx"
import { Check, CircleAlert, Clock, LoaderCircle } from "lucide-react"
import { useFormatter, useTranslations } from "next-intl"
import type { TimelineEntry, TimelineRow } from "#lib/chat/timeline.ts"
import { Avatar } from "../../_components/avatar.tsx"

interface Context {
  me: { id: string }
  now: number
  timeZone: string | undefined
  retry(id: string): void
  discard(id: string): void
}

export function TimelineItem({ row, ...context }: { row: TimelineRow } & Context) {
  switch (row.kind) {
    case "day":
      return <DaySeparator at={row.at} {...context} />
    case "gap":
      return <GapLine count={row.count} />
    case "system":
      return <SystemLine row={row} />
    case "group":
      return <MessageGroup row={row} {...context} />
  }
}

/** `undefined` is where the reader is; next-intl would put its own default there. */
const zoneOf = (timeZone: string | undefined) => timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone

function DaySeparator({ at, now, timeZone }: { at: number } & Context) {
  const t = useTranslations("messages")
  const format = useFormatter()
  const zone = zoneOf(timeZone)
  const dayOf = (moment: number) => format.dateTime(moment, { dateStyle: "short", timeZone: zone })
  const text =
    dayOf(at) === dayOf(now)
      ? t("today")
      : dayOf(at) === dayOf(now - 86_400_000)
        ? t("yesterday")
        : format.dateTime(at, { dateStyle: "full", timeZone: zone })
  return (
    <div className="my-4 flex items-center gap-3 text-muted text-xs">
      <span className="h-px flex-1 bg-line" />
      <time dateTime={new Date(at).toISOString()}>{text}</time>
      <span className="h-px flex-1 bg-line" />
    </div>
  )
}

function GapLine({ count }: { count: number }) {
  const t = useTranslations("messages")
  return (
    <p className="my-3 rounded-xl bg-warn-soft px-4 py-2 text-center text-sm text-warn">
      {t("gap", { count })}
    </p>
  )
}

const systemTexts = { "room-created": "created", "member-joined": "joined", "member-left": "left" } as const

function SystemLine({ row: { message } }: { row: Extract<TimelineRow, { kind: "system" }> }) {
  const t = useTranslations("messages")
  const name = message.from?.name ?? t("somebody")
  return (
    <p data-event={message.event} className="my-2 break-words text-center text-muted text-sm">
      {t(systemTexts[message.event], { name })}
    </p>
  )
}

function MessageGroup({
  row: { sender, at, entries },
  ...context
}: { row: Extract<TimelineRow, { kind: "group" }> } & Context) {
  const t = useTranslations("messages")
  const format = useFormatter()
  const isMine = sender.id === context.me.id
  const name = sender.name ?? t("somebody")
  return (
    <article className={clsx("my-1.5 flex gap-2.5", isMine && "flex-row-reverse")}>
      {!isMine && <Avatar id={sender.id} name={name} />}
      <div
        className={clsx(
          "grid min-w-0 max-w-[min(85%,36rem)] gap-1",
          isMine ? "justify-items-end" : "justify-items-start",
        )}
      >
        <p className="flex items-baseline gap-2 px-1 text-xs">
          <span className={isMine ? "sr-only" : "max-w-48 truncate font-semibold"}>
            {isMine ? t("you") : name}
          </span>
          <time dateTime={new Date(at).toISOString()} className="text-muted">
            {format.dateTime(at, { timeStyle: "short", timeZone: zoneOf(context.timeZone) })}
          </time>
        </p>
        {entries.map((entry) => (
          <Bubble key={entry.id} entry={entry} isMine={isMine} {...context} />
        ))}
      </div>
    </article>
  )
}

function Bubble({ entry, isMine, retry, discard }: { entry: TimelineEntry; isMine: boolean } & Context) {
  const t = useTranslations("messages")
  const errors = useTranslations("errors")
  return (
    <div data-testid="message" data-state={entry.state} className="grid max-w-full gap-1">
      <p
        dir="auto"
        className={clsx(
          "w-fit max-w-full whitespace-pre-wrap break-words rounded-2xl px-3.5 py-2 leading-relaxed [overflow-wrap:anywhere]",
          isMine ? "justify-self-end bg-accent text-on-accent" : "border border-line bg-surface",
          (entry.state === "queued" || entry.state === "sending" || entry.state === "failed") && "opacity-70",
          entry.state === "refused" && "bg-bad-soft text-text",
        )}
      >
        {entry.text}
      </p>
      {isMine && (
        <div className="flex flex-wrap items-center justify-end gap-x-2 px-1 text-muted text-xs">
          {entry.state === "queued" && (
            <>
              <Clock size={12} aria-hidden="true" />
              {t("queued")}
            </>
          )}
          {entry.state === "sending" && (
            <>
              <LoaderCircle size={12} aria-hidden="true" className="animate-spin" />
              {t("sending")}
            </>
          )}
          {entry.state === "sent" && <Check size={13} role="img" aria-label={t("sent")} />}
          {(entry.state === "failed" || entry.state === "refused") && (
            <>
              <span className="flex items-center gap-1 text-bad">
                <CircleAlert size={13} aria-hidden="true" />
                {t(entry.state)}
                {entry.error && ` · ${errors(entry.error.code)}`}
              </span>
              <button
                type="button"
                className="min-h-8 font-semibold underline"
                onClick={() => retry(entry.id)}
              >
                {t("retry")}
              </button>
              <button type="button" className="min-h-8 underline" onClick={() => discard(entry.id)}>
                {t("discard")}
              </button>
            </>
          )}
        </div>
      )}
    </div>
  )
}
