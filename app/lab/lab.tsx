"use client"
import { clsx } from "clsx"
import {
  ArrowLeft,
  Copy,
  Dices,
  KeyRound,
  Pause,
  Play,
  PlugZap,
  Shuffle,
  Sun,
  Timer,
  Unplug,
  Zap,
} from "lucide-react"
import Link from "next/link"
import { useTranslations } from "next-intl"
import { useEffect, useRef, useState } from "react"
import type { RealtimeClientOptions } from "throughline/client"
import { v7 as uuidv7 } from "uuid"
import { Button, iconButtonClass } from "../_components/button.tsx"
import { LanguageSwitch } from "../_components/language-switch.tsx"
import { answerOr, useRefusalText } from "../_components/server-action.tsx"
import { expirePermissions } from "./actions.ts"
import type { Faults } from "./faulty-transport.ts"
import type { Counters, LedgerState } from "./ledger.ts"
import { List } from "./list.tsx"
import { Passages } from "./passages.tsx"
import { createSide, type Side } from "./side.ts"

const providerNames: Record<string, string> = { socketio: "Socket.IO", pusher: "Pusher", ably: "Ably" }
const sendEveryMs = 500
/** In between, what is drawn glides on. */
const drawEveryMs = 150
/** What the SDK may still bring is not yet lost. */
const graceMs = 3_000

const faultButtons = [
  ["cut", Unplug],
  ["drop", Dices],
  ["duplicate", Copy],
  ["reorder", Shuffle],
  ["delay", Timer],
] as const satisfies readonly (readonly [keyof Faults, typeof Unplug])[]

/** What one button does to both. */
const stormy = ["drop", "duplicate", "reorder", "delay"] as const satisfies readonly (keyof Faults)[]

/** A laboratory for one visitor: what it sends and receives is theirs alone. */
export function Lab({ config, owner }: { config: RealtimeClientOptions["config"]; owner: string }) {
  const t = useTranslations("lab")
  const [sides, setSides] = useState<{ sides: [Side, Side]; visit: string } | null>(null)
  const [isReady, setIsReady] = useState(false)
  const [isSending, setIsSending] = useState(true)
  const [now, setNow] = useState(0)

  useEffect(() => {
    const visit = uuidv7()
    const opened: [Side, Side] = [
      createSide("left", config, { owner, visit }),
      createSide("right", config, { owner, visit }),
    ]
    setSides({ sides: opened, visit })
    Promise.all(opened.map(({ ready }) => ready)).then(
      () => setIsReady(true),
      () => {
        // It was left before it began.
      },
    )
    return () => {
      setIsReady(false)
      for (const side of opened) side.close()
    }
  }, [config, owner])

  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), drawEveryMs)
    return () => clearInterval(timer)
  }, [])

  const turn = useRef(0)
  useEffect(() => {
    if (!sides || !isReady || !isSending) return
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
  }, [sides, isReady, isSending])

  const [left, right] = sides?.sides.map(({ ledger }) => ledger.read(now, graceMs)) ?? []
  const storm = sides?.sides.every(({ faults }) => stormy.every((fault) => faults[fault])) ?? false
  const toggleStorm = () => {
    const change = Object.fromEntries(stormy.map((fault) => [fault, !storm]))
    for (const side of sides?.sides ?? []) side.setFaults(change)
  }

  return (
    <main className="mx-auto grid w-full max-w-6xl gap-4 px-4 pt-4 pb-16 sm:gap-6 sm:px-6">
      <header className="grid gap-2">
        <div className="flex items-center gap-2 sm:gap-3">
          <Link href="/" aria-label={t("back")} className={iconButtonClass()}>
            <ArrowLeft size={20} aria-hidden="true" />
          </Link>
          <h1 className="font-semibold text-xl tracking-tight sm:text-2xl">{t("title")}</h1>
          <span className="ml-auto">
            <LanguageSwitch />
          </span>
        </div>
        <p className="text-balance text-muted text-sm sm:text-base">{t("lead")}</p>
      </header>
      {sides && left && right && (
        <>
          <Score left={left} right={right} />
          <div className="flex flex-wrap items-center gap-2">
            <Button look={storm ? "plain" : "primary"} onClick={toggleStorm}>
              {storm ? <Sun size={16} aria-hidden="true" /> : <Zap size={16} aria-hidden="true" />}
              {t(storm ? "calm" : "storm")}
            </Button>
            <Button onClick={() => setIsSending(!isSending)}>
              {isSending ? <Pause size={16} aria-hidden="true" /> : <Play size={16} aria-hidden="true" />}
              {t(isSending ? "pause" : "resume")}
            </Button>
            <p className="px-1 text-muted text-sm tabular-nums">
              {t("shownCount", { count: left.shown + right.shown, underWay: left.underWay + right.underWay })}
            </p>
          </div>
          <div className="grid gap-4 sm:gap-6 lg:grid-cols-2">
            {[left, right].map((ledger, index) => {
              const side = sides.sides[index] as Side
              return <SideView key={side.name} side={side} ledger={ledger} visit={sides.visit} now={now} />
            })}
          </div>
          <Legend />
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

/** Both sides together: what the SDK alone would have done, beside what the page was given. In sight whatever is being spoiled. */
function Score({ left, right }: { left: LedgerState; right: LedgerState }) {
  const t = useTranslations("lab")
  const rows = [
    { name: "alone", counters: add(left.alone, right.alone) },
    { name: "contract", counters: add(left.contract, right.contract) },
  ] as const
  return (
    <section
      aria-label={t("score")}
      className="sticky top-2 z-10 rounded-3xl border border-line bg-surface p-2 shadow-sm sm:p-3"
    >
      <table className="w-full table-fixed border-separate border-spacing-0 text-center">
        <thead>
          <tr className="text-[0.6875rem] text-muted sm:text-sm">
            <td className="w-[29%]" />
            {counterNames.map((counter) => (
              <th key={counter} scope="col" className="whitespace-nowrap pb-1 font-normal">
                {t(counter)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, counters }) => (
            <tr
              key={name}
              data-testid={`score-${name}`}
              className={clsx("h-11 sm:h-14", name === "contract" && "*:bg-accent-soft")}
            >
              <th
                scope="row"
                className="wrap-normal rounded-l-2xl px-2 text-left font-semibold text-xs sm:px-4 sm:text-base"
              >
                {t(name)}
              </th>
              {counterNames.map((counter) => (
                <td
                  key={counter}
                  data-counter={counter}
                  className={clsx(
                    "font-semibold text-2xl tabular-nums last:rounded-r-2xl sm:text-3xl",
                    counters[counter] > 0 ? "text-bad" : "text-good",
                  )}
                >
                  {counters[counter]}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

interface SideViewProps {
  side: Side
  ledger: LedgerState
  visit: string
  now: number
}

function SideView({ side, ledger, visit, now }: SideViewProps) {
  const t = useTranslations("lab")
  const connection = useTranslations("connection")
  const { client, faults } = side
  const { provider, status } = client.connection
  const { passages, aloneList, contractList } = ledger
  const isUp = status.state === "connected"
  const isFailed = faults.failed.has(provider)
  const failProvider = () =>
    side.setFaults({ failed: faults.failed.size > 0 ? new Set() : new Set([provider]) })
  const refusalText = useRefusalText()
  const [refusal, setRefusal] = useState<Parameters<typeof refusalText>[0] | null>(null)
  const expire = async () => {
    const refused = await answerOr(expirePermissions(visit), (unreached) => unreached)
    setRefusal(refused)
    if (!refused) side.mark("expire", true)
  }
  const marks = side.marks.map((mark) =>
    mark.provider ? { ...mark, provider: providerNames[mark.provider] ?? mark.provider } : mark,
  )
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
          <fieldset className="flex w-full rounded-xl bg-raised p-1 sm:ml-auto sm:w-auto">
            <legend className="sr-only">{t("provider")}</legend>
            {client.providers.map((name) => (
              <button
                key={name}
                type="button"
                aria-pressed={name === provider}
                onClick={() => client.prefer(name)}
                className={clsx(
                  "min-h-9 flex-1 rounded-lg px-3 font-medium text-sm transition",
                  name === provider ? "bg-surface shadow-sm" : "text-muted hover:text-text",
                )}
              >
                {providerNames[name] ?? name}
              </button>
            ))}
          </fieldset>
        )}
      </div>
      <Passages passages={passages} marks={marks} now={now} />
      <div className="grid gap-3">
        <List label={t("aloneList")} entries={aloneList} isOurs={false} />
        <List label={t("contractList")} entries={contractList} isOurs />
      </div>
      <fieldset className="grid grid-cols-2 gap-2 sm:flex sm:flex-wrap">
        <legend className="sr-only">{t("faults")}</legend>
        {faultButtons.map(([fault, Icon]) => (
          <FaultButton
            key={fault}
            isOn={faults[fault]}
            onClick={() => side.setFaults({ [fault]: !faults[fault] })}
          >
            <Icon size={16} aria-hidden="true" className="shrink-0" />
            {t(fault)}
          </FaultButton>
        ))}
        <FaultButton isOn={faults.failed.size > 0} onClick={failProvider}>
          <PlugZap size={16} aria-hidden="true" className="shrink-0" />
          {t("fail")}
        </FaultButton>
        <FaultButton onClick={expire}>
          <KeyRound size={16} aria-hidden="true" className="shrink-0" />
          {t("expire")}
        </FaultButton>
      </fieldset>
      {refusal && (
        <p role="alert" className="text-bad text-sm">
          {refusalText(refusal)}
        </p>
      )}
    </section>
  )
}

/** What the signs in the picture mean. */
function Legend() {
  const t = useTranslations("lab")
  const line = "h-3 w-8 shrink-0"
  const signs = [
    ["live", <path key="line" d="M0 6h32" strokeWidth={1.5} className="stroke-accent" />],
    [
      "fromLog",
      <path key="line" d="M0 6h32" strokeWidth={1.5} strokeDasharray="4 3" className="stroke-warn" />,
    ],
    [
      "lostOnTheWay",
      <path
        key="line"
        d="M12 2l8 8m0 -8l-8 8"
        strokeWidth={2}
        strokeLinecap="round"
        className="stroke-bad"
      />,
    ],
    [
      "stopped",
      <circle key="ring" cx={16} cy={6} r={5} strokeWidth={1.5} className="fill-none stroke-bad" />,
    ],
    ["gap", <rect key="band" y={1} width={32} height={10} rx={5} className="fill-warn-soft stroke-warn" />],
  ] as const
  return (
    <ul className="grid gap-x-8 gap-y-2 text-muted text-sm sm:grid-cols-2 lg:grid-cols-3">
      {signs.map(([name, sign]) => (
        <li key={name} className="flex items-center gap-3">
          <svg viewBox="0 0 32 12" className={line} aria-hidden="true">
            {sign}
          </svg>
          {t(`legend.${name}`)}
        </li>
      ))}
    </ul>
  )
}

function FaultButton({ isOn, ...props }: React.ComponentProps<"button"> & { isOn?: boolean }) {
  return (
    <button
      type="button"
      aria-pressed={isOn}
      className={clsx(
        "inline-flex min-h-11 items-center gap-2 rounded-xl border px-3 py-1 text-left font-medium text-sm transition",
        "[word-break:auto-phrase] max-sm:gap-1.5 max-sm:px-2 max-sm:text-xs",
        isOn ? "border-bad bg-bad-soft text-bad" : "border-line bg-surface hover:bg-raised",
      )}
      {...props}
    />
  )
}
