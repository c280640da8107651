"use client"
import { Popover } from "@base-ui/react/popover"
import { clsx } from "clsx"
import { ChevronDown, FlaskConical } from "lucide-react"
import Link from "next/link"
import { useFormatter, useTranslations } from "next-intl"
import { type ReactNode, useMemo } from "react"
import type { ConnectionState } from "throughline"
import { useConnection } from "throughline/react"
import { room as roomChannel } from "#lib/chat/channels.ts"
import { providerNameOf } from "#lib/chat/providers.ts"
import { buttonClass } from "../../_components/button.tsx"
import { useRoomActivity } from "../../_components/room-activity.tsx"
import { useIsOnline } from "./use-is-online.ts"
import { useLatency } from "./use-latency.ts"

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

const explained = ["socketio", "pusher", "ably"] as const

/** Who carries the messages, and whether they do; pressed, it says what that means and how well it goes. */
export function ConnectionBadge({ room }: { room: string }) {
  const t = useTranslations("connection")
  const format = useFormatter()
  const { state, provider } = useConnection()
  const ref = useMemo(() => roomChannel({ room }), [room])
  const latency = useLatency(room, ref)
  const seq = useRoomActivity().get(room)?.head.seq
  const isOnline = useIsOnline()
  const isOffline = !isOnline && state !== "connected"
  const via = { state: t(isOffline ? "isOffline" : words[state]), provider: providerNameOf(provider) }
  const service = explained.find((name) => name === provider)
  return (
    <Popover.Root>
      <Popover.Trigger
        data-connection={state}
        aria-label={t("details", via)}
        className="touchable -ml-1.5 flex min-h-6 max-w-full items-center gap-1.5 rounded-md px-1.5 text-muted text-xs hover:bg-raised hover:text-text"
      >
        <Dot state={state} />
        <span className="truncate max-[359px]:hidden">{t("via", via)}</span>
        <span className="truncate min-[360px]:hidden">
          {state === "connected" ? via.provider : via.state}
        </span>
        <ChevronDown size={12} aria-hidden="true" className="shrink-0" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner align="start" sideOffset={6} collisionPadding={8} className="z-50">
          <Popover.Popup className="grid w-80 max-w-[calc(100vw-1rem)] gap-3 rounded-2xl border border-line bg-surface p-4 text-sm shadow-(--shadow) transition data-ending-style:opacity-0 data-starting-style:opacity-0">
            <Popover.Title className="font-semibold">{t("aboutTitle")}</Popover.Title>
            <Popover.Description className="text-pretty text-muted">
              {t("about", { provider: via.provider })}
            </Popover.Description>
            <dl className="grid gap-2.5 rounded-xl bg-raised p-3">
              <Fact name={t("provider")}>{service ? t(service) : via.provider}</Fact>
              <Fact name={t("state")}>
                <span className="inline-flex items-center gap-1.5">
                  <Dot state={state} />
                  {via.state}
                </span>
              </Fact>
              <Fact name={t("latency")} help={t("latencyHelp")} testId="latency">
                {latency === null ? t("noJourney") : t("milliseconds", { count: latency })}
              </Fact>
              <Fact name={t("seq")} help={t("seqHelp")} testId="last-seq">
                {seq === undefined ? t("unknown") : format.number(seq)}
              </Fact>
            </dl>
            <Link href="/lab" className={buttonClass("plain", "min-h-11 py-1.5 text-pretty")}>
              <FlaskConical size={16} aria-hidden="true" className="shrink-0" />
              {t("lab")}
            </Link>
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}

const Dot = ({ state }: { state: ConnectionState }) => (
  <span aria-hidden="true" className={clsx("size-1.5 shrink-0 rounded-full", dots[state])} />
)

interface FactProps {
  name: string
  help?: string
  testId?: string
  children: ReactNode
}

/** One line: what it is, what it means, and how it stands. */
function Fact({ name, help, testId, children }: FactProps) {
  return (
    <div className="flex items-baseline justify-between gap-4">
      <dt>
        {name}
        {help && <span className="block text-pretty text-muted text-xs">{help}</span>}
      </dt>
      <dd data-testid={testId} className="shrink-0 text-right font-medium tabular-nums max-w-[60%]">
        {children}
      </dd>
    </div>
  )
}
