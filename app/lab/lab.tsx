"use client"
import { clsx } from "clsx"
import { ArrowLeft, Copy, Dices, KeyRound, Pause, Play, PlugZap, Shuffle, Timer, Unplug } from "lucide-react"
import Link from "next/link"
import { useTranslations } from "next-intl"
import { useEffect, useRef, useState } from "react"
import type { RealtimeClientOptions } from "#realtime/client"
import { Button, iconButtonClass } from "../_components/button.tsx"
import { LanguageSwitch } from "../_components/language-switch.tsx"
import { expirePermissions } from "./actions.ts"
import type { Faults } from "./faulty-transport.ts"
import type { Counters, LedgerState } from "./ledger.ts"
import { Passages } from "./passages.tsx"
import { createSide, type Side } from "./side.ts"

const providerNames: Record<string, string> = { socketio: "Socket.IO", pusher: "Pusher", ably: "Ably" }
const sendEveryMs = 500
const drawEveryMs = 80
/** What the SDK may still bring is not yet lost. */
const graceMs = 3_000

const faultButtons = [
  ["cut", Unplug],
  ["drop", Dices],
  ["duplicate", Copy],
  ["reorder", Shuffle],
  ["delay", Timer],
] as const satisfies readonly (readonly [keyof Faults, typeof Unplug])[]

/** A laboratory for one visitor: what it sends and receives is theirs alone. */
export function Lab({ config, owner }: { config: RealtimeClientOptions["config"]; owner: string }) {
  const t = useTranslations("lab")
  const [sides, setSides] = useState<{ sides: [Side, Side]; visit: string } | null>(null)
  const [isSending, setIsSending] = useState(true)
  const [now, setNow] = useState(0)

  useEffect(() => {
    const visit = crypto.randomUUID()
    const opened: [Side, Side] = [
      createSide("left", config, { owner, visit }),
      createSide("right", config, { owner, visit }),
    ]
    setSides({ sides: opened, visit })
    return () => {
      for (const side of opened) side.close()
    }
  }, [config, owner])

  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), drawEveryMs)
    return () => clearInterval(timer)
  }, [])

  const turn = useRef(0)
  useEffect(() => {
    if (!sides || !isSending) return
    const timer = setInterval(() => {
      const writer = sides.sides[turn.current % 2] as Side
      turn.current += 1
      const at = performance.now()
      writer.send().then(
        (seq) => {
          for (const side of sides.sides) side.ledger.sent(seq, at)
        },
        () => {
          // Never accepted: the laboratory was closed meanwhile.
        },
      )
    }, sendEveryMs)
    return () => clearInterval(timer)
  }, [sides, isSending])

  return (
    <main className="mx-auto grid w-full max-w-6xl gap-6 px-4 pt-4 pb-16 sm:px-6">
      <header className="flex flex-wrap items-center gap-3">
        <Link href="/" aria-label={t("back")} className={iconButtonClass()}>
          <ArrowLeft size={20} aria-hidden="true" />
        </Link>
        <h1 className="font-semibold text-2xl tracking-tight">{t("title")}</h1>
        <span className="ml-auto flex items-center gap-2">
          <Button look={isSending ? "plain" : "primary"} onClick={() => setIsSending(!isSending)}>
            {isSending ? <Pause size={16} aria-hidden="true" /> : <Play size={16} aria-hidden="true" />}
            {t(isSending ? "pause" : "resume")}
          </Button>
          <LanguageSwitch />
        </span>
        <p className="basis-full text-balance text-muted">{t("lead")}</p>
      </header>
      {sides && (
        <>
          <Score sides={sides.sides} now={now} />
          <div className="grid gap-6 lg:grid-cols-2">
            {sides.sides.map((side) => (
              <SideView key={side.name} side={side} visit={sides.visit} now={now} />
            ))}
          </div>
          <p className="text-muted text-sm">{t("legend")}</p>
        </>
      )}
    </main>
  )
}

const add = (one: Counters, other: Counters): Counters => ({
  lost: one.lost + other.lost,
  repeated: one.repeated + other.repeated,
  outOfOrder: one.outOfOrder + other.outOfOrder,
})

const counterNames = ["lost", "repeated", "outOfOrder"] as const

/** Both sides together: what the SDK alone would have done, beside what the page was given. */
function Score({ sides, now }: { sides: [Side, Side]; now: number }) {
  const t = useTranslations("lab")
  const [left, right] = sides.map(({ ledger }) => ledger.read(now, graceMs)) as [LedgerState, LedgerState]
  const columns = [
    { name: "alone", counters: add(left.alone, right.alone) },
    { name: "contract", counters: add(left.contract, right.contract) },
  ] as const
  return (
    <section aria-label={t("score")} className="grid gap-3 sm:grid-cols-2">
      {columns.map(({ name, counters }) => (
        <div
          key={name}
          data-testid={`score-${name}`}
          className={clsx(
            "rounded-3xl border p-4 sm:p-5",
            name === "contract" ? "border-accent bg-accent-soft" : "border-line bg-surface",
          )}
        >
          <h2 className="mb-3 font-semibold text-sm">{t(name)}</h2>
          <dl className="grid grid-cols-3 gap-2">
            {counterNames.map((counter) => (
              <div key={counter}>
                <dd
                  data-counter={counter}
                  className={clsx(
                    "font-semibold text-3xl tabular-nums",
                    counters[counter] > 0 ? "text-bad" : "text-good",
                  )}
                >
                  {counters[counter]}
                </dd>
                <dt className="text-muted text-xs sm:text-sm">{t(counter)}</dt>
              </div>
            ))}
          </dl>
        </div>
      ))}
      <p className="text-muted text-sm sm:col-span-2">
        {t("shownCount", { count: left.shown + right.shown })}
      </p>
    </section>
  )
}

function SideView({ side, visit, now }: { side: Side; visit: string; now: number }) {
  const t = useTranslations("lab")
  const connection = useTranslations("connection")
  const { client, faults } = side
  const { provider, status } = client.connection
  const isUp = status.state === "connected"
  const isFailed = faults.failed.has(provider)
  const failProvider = () =>
    side.setFaults({ failed: faults.failed.size > 0 ? new Set() : new Set([provider]) })
  return (
    <section
      aria-label={t(side.name)}
      data-testid={`side-${side.name}`}
      className="grid min-w-0 content-start gap-4 rounded-3xl border border-line bg-surface p-4 sm:p-5"
    >
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <h2 className="font-semibold">{t(side.name)}</h2>
        <p className="flex items-center gap-1.5 text-muted text-sm" data-state={status.state}>
          <span
            aria-hidden="true"
            className={clsx("size-2 rounded-full", isUp ? "bg-good" : isFailed ? "bg-bad" : "bg-warn")}
          />
          {connection("via", {
            state: connection(isUp ? "connected" : "connecting"),
            provider: providerNames[provider] ?? provider,
          })}
        </p>
        {client.providers.length > 1 && (
          <fieldset className="ml-auto flex rounded-xl bg-raised p-1">
            <legend className="sr-only">{t("provider")}</legend>
            {client.providers.map((name) => (
              <button
                key={name}
                type="button"
                aria-pressed={name === provider}
                onClick={() => client.prefer(name)}
                className={clsx(
                  "min-h-9 rounded-lg px-3 font-medium text-sm transition",
                  name === provider ? "bg-surface shadow-sm" : "text-muted hover:text-text",
                )}
              >
                {providerNames[name] ?? name}
              </button>
            ))}
          </fieldset>
        )}
      </div>
      <Passages
        state={side.ledger.read(now, graceMs)}
        now={now}
        label={t("picture")}
        texts={{ sent: t("laneSent"), delivered: t("laneDelivered"), shown: t("laneShown") }}
      />
      <fieldset className="flex flex-wrap gap-2">
        <legend className="sr-only">{t("faults")}</legend>
        {faultButtons.map(([fault, Icon]) => (
          <FaultButton
            key={fault}
            isOn={faults[fault]}
            onClick={() => side.setFaults({ [fault]: !faults[fault] })}
          >
            <Icon size={16} aria-hidden="true" />
            {t(fault)}
          </FaultButton>
        ))}
        <FaultButton isOn={faults.failed.size > 0} onClick={failProvider}>
          <PlugZap size={16} aria-hidden="true" />
          {t("fail")}
        </FaultButton>
        <FaultButton isOn={false} onClick={() => void expirePermissions(visit)}>
          <KeyRound size={16} aria-hidden="true" />
          {t("expire")}
        </FaultButton>
      </fieldset>
    </section>
  )
}

function FaultButton({ isOn, ...props }: React.ComponentProps<"button"> & { isOn: boolean }) {
  return (
    <button
      type="button"
      aria-pressed={isOn}
      className={clsx(
        "inline-flex min-h-10 items-center gap-2 rounded-xl border px-3 font-medium text-sm transition",
        isOn ? "border-bad bg-bad-soft text-bad" : "border-line bg-surface hover:bg-raised",
      )}
      {...props}
    />
  )
}
