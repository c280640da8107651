"use client"
import { clsx } from "clsx"
import { useTranslations } from "next-intl"
import type { ConnectionState } from "#realtime"
import { useConnection } from "#realtime/react"

const providerNames: Record<string, string> = { socketio: "Socket.IO", pusher: "Pusher", ably: "Ably" }

const dots: Record<ConnectionState, string> = {
  connecting: "bg-muted animate-[breathe_1.2s_infinite]",
  connected: "bg-good",
  reconnecting: "bg-warn animate-[breathe_1.2s_infinite]",
  suspended: "bg-warn",
  failed: "bg-bad",
  closed: "bg-muted",
}

const words: Record<ConnectionState, "connecting" | "connected" | "closed"> = {
  connecting: "connecting",
  connected: "connected",
  reconnecting: "connecting",
  suspended: "connecting",
  failed: "closed",
  closed: "closed",
}

/** Who carries the messages, and whether they do. */
export function ConnectionBadge() {
  const t = useTranslations("connection")
  const { state, provider } = useConnection()
  return (
    <p data-connection={state} className="flex items-center gap-1.5 text-muted text-xs">
      <span aria-hidden="true" className={clsx("size-1.5 shrink-0 rounded-full", dots[state])} />
      <span className="truncate">
        {t("via", { state: t(words[state]), provider: providerNames[provider] ?? provider })}
      </span>
    </p>
  )
}
