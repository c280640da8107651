"use client"
import { useTranslations } from "next-intl"
import { useEffect, useId, useLayoutEffect, useRef, useState } from "react"
import { matches } from "../_components/media.ts"
import type { Passage } from "./ledger.ts"
import type { Mark } from "./side.ts"

const height = 208
const lanes = { sent: 40, delivered: 110, shown: 170 }
/** Where the lanes' names stand, and the room behind now. */
const margin = { left: 68, right: 14 }
/** How much time a pixel is. */
const msPerPixel = 30
/** What takes longer than this waits for another one; before, it is only on its way. */
const waitMs = 400
/** Numbers closer than this stand as one. */
const numberWidth = 40
const markWidth = 84

interface Props {
  passages: readonly Passage[]
  marks: readonly Mark[]
  now: number
}

/**
 * The way of each message from left to right through time: sent above, delivered by the SDK in the middle, given to the page
 * below. What the SDK never brought takes the dashed way, from the log; while the page waits for it, the gap is open.
 */
export function Passages({ passages, marks, now }: Props) {
  const t = useTranslations("lab")
  const id = useId()
  const [width, setWidth] = useState(480)
  const frame = useRef<SVGSVGElement>(null)
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => entry && setWidth(entry.contentRect.width))
    if (frame.current) observer.observe(frame.current)
    return () => observer.disconnect()
  }, [])
  const moving = useGlide(now)

  const right = width - margin.right
  const x = (at: number) => right - (now - at) / msPerPixel
  const oldest = now - (width - margin.left) * msPerPixel - 1_000
  const isVisible = ({ sentAt, deliveredAt, shownAt }: Passage) =>
    shownAt === undefined ? sentAt !== undefined : Math.max(shownAt, ...deliveredAt) > oldest
  const visible = passages.filter(isVisible).sort((a, b) => a.seq - b.seq)
  return (
    <svg
      ref={frame}
      viewBox={`0 0 ${width} ${height}`}
      height={height}
      role="img"
      aria-label={t("picture")}
      className="block w-full"
    >
      <defs>
        <linearGradient id={`${id}fade`}>
          <stop offset="0" stopColor="black" />
          <stop offset="1" stopColor="white" />
        </linearGradient>
        <mask id={`${id}mask`} maskUnits="userSpaceOnUse" x={0} y={0} width={width} height={height}>
          <rect x={margin.left} width={24} height={height} fill={`url(#${id}fade)`} />
          <rect
            x={margin.left + 24}
            width={Math.max(0, width - margin.left - 24)}
            height={height}
            fill="white"
          />
        </mask>
      </defs>
      {Object.entries(lanes).map(([lane, y]) => (
        <g key={lane}>
          <line x1={margin.left} x2={right} y1={y} y2={y} className="stroke-line" />
          <text x={0} y={y + 4} fontSize={11} className="fill-muted">
            {t(`lanes.${lane as keyof typeof lanes}`)}
          </text>
        </g>
      ))}
      <line x1={right} x2={right} y1={24} y2={height - 24} className="stroke-line" strokeDasharray="2 4" />
      <g mask={`url(#${id}mask)`}>
        <g ref={moving}>
          <Marks marks={marks.filter(({ at }) => at > oldest)} x={x} />
          {gapsIn(visible, now).map(({ from, to, seq }) => (
            <Gap key={seq} isOpen={to === now} x={x(from)} width={x(to) - x(from)} seq={seq} />
          ))}
          {visible.map((passage) => (
            <Way key={passage.seq} passage={passage} x={x} />
          ))}
          {numbersOf(visible, x).map(({ at, text }) => (
            <text
              key={text}
              x={at}
              y={lanes.shown + 24}
              textAnchor="middle"
              fontSize={10}
              className="fill-muted tabular-nums"
            >
              {text}
            </text>
          ))}
        </g>
      </g>
    </svg>
  )
}

/** Moves what is drawn on with time until it is drawn anew, so that it glides instead of jumping. */
function useGlide(now: number) {
  const moving = useRef<SVGGElement>(null)
  useLayoutEffect(() => {
    moving.current?.removeAttribute("transform")
    if (matches("(prefers-reduced-motion: reduce)")) return
    let request = requestAnimationFrame(glide)
    function glide(): void {
      const gone = (performance.now() - now) / msPerPixel
      moving.current?.setAttribute("transform", `translate(${-gone} 0)`)
      request = requestAnimationFrame(glide)
    }
    return () => cancelAnimationFrame(request)
  }, [now])
  return moving
}

/** When the page waited, and for which one first. */
function gapsIn(visible: readonly Passage[], now: number): { from: number; to: number; seq: number }[] {
  const gaps: { from: number; to: number; seq: number }[] = []
  const waits = visible
    .flatMap(({ seq, sentAt, shownAt = now }) => (sentAt === undefined ? [] : { seq, sentAt, shownAt }))
    .filter(({ sentAt, shownAt }) => shownAt - sentAt > waitMs)
    .sort((a, b) => a.sentAt - b.sentAt)
  for (const { seq, sentAt, shownAt } of waits) {
    const last = gaps.at(-1)
    if (last && sentAt <= last.to) last.to = Math.max(last.to, shownAt)
    else gaps.push({ from: sentAt, to: shownAt, seq })
  }
  return gaps
}

/** Messages that were shown together have one number together. */
function numbersOf(visible: readonly Passage[], x: (at: number) => number): { at: number; text: string }[] {
  const groups: { from: number; to: number; first: number; last: number }[] = []
  for (const { seq, shownAt } of visible) {
    if (shownAt === undefined) continue
    const at = x(shownAt)
    const group = groups.at(-1)
    if (group && at - group.from < numberWidth) Object.assign(group, { to: at, last: seq })
    else groups.push({ from: at, to: at, first: seq, last: seq })
  }
  return groups.map(({ from, to, first, last }) => ({
    at: (from + to) / 2,
    text: first === last ? String(first) : `${first}–${last}`,
  }))
}

function Gap({ isOpen, x, width, seq }: { isOpen: boolean; x: number; width: number; seq: number }) {
  const t = useTranslations("lab")
  const top = lanes.shown - 12
  return (
    <g data-testid={isOpen ? "gap" : undefined}>
      <rect
        x={x}
        y={top}
        width={Math.max(0, width)}
        height={24}
        rx={12}
        strokeDasharray={isOpen ? "4 4" : undefined}
        className={isOpen ? "fill-warn-soft stroke-warn" : "fill-warn-soft"}
      />
      {isOpen && width > 124 && (
        <text x={x + 12} y={lanes.shown + 4} fontSize={11} className="fill-warn tabular-nums">
          {t("waiting", { seq })}
        </text>
      )}
    </g>
  )
}

function Marks({ marks, x }: { marks: readonly Mark[]; x(at: number): number }) {
  const t = useTranslations("lab")
  let nextFree = Number.NEGATIVE_INFINITY
  return marks.map(({ at, what, isOn, provider }) => {
    const place = x(at)
    const isNamed = isOn && place >= nextFree
    if (isNamed) nextFree = place + markWidth
    return (
      <g key={`${what} ${at}`} className={isOn ? "text-bad" : "text-muted"}>
        <line
          x1={place}
          x2={place}
          y1={isNamed ? 10 : 24}
          y2={height - 24}
          stroke="currentColor"
          strokeOpacity={0.5}
          strokeDasharray={isOn ? undefined : "2 3"}
        />
        {isNamed && (
          <text x={place + 4} y={16} fontSize={10} fill="currentColor">
            {provider ?? t(`marks.${what}`)}
          </text>
        )}
      </g>
    )
  })
}

const curve = (x1: number, y1: number, x2: number, y2: number) => {
  const middle = (y1 + y2) / 2
  return `M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2}`
}

function Way({ passage: { sentAt, deliveredAt, shownAt }, x }: { passage: Passage; x(at: number): number }) {
  const [first, ...again] = deliveredAt
  const isFromLog = shownAt !== undefined && (first === undefined || first > shownAt + 5)
  const from = sentAt ?? first
  const live = { fill: "none", strokeWidth: 1.5, className: "stroke-accent" } as const
  return (
    <g>
      {from !== undefined && first !== undefined && !isFromLog && (
        <path d={curve(x(from), lanes.sent, x(first), lanes.delivered)} {...live} />
      )}
      {first !== undefined && shownAt !== undefined && !isFromLog && (
        <path d={curve(x(first), lanes.delivered, x(shownAt), lanes.shown)} {...live} />
      )}
      {isFromLog && from !== undefined && (
        <>
          <path
            d={curve(x(from), lanes.sent, x(shownAt), lanes.shown)}
            fill="none"
            strokeWidth={1.5}
            strokeDasharray="4 3"
            className="stroke-warn"
          />
          {first === undefined && <Lost x={(x(from) + x(shownAt)) / 2} />}
        </>
      )}
      {sentAt !== undefined && <circle cx={x(sentAt)} cy={lanes.sent} r={3.5} className="fill-accent" />}
      {first !== undefined && <circle cx={x(first)} cy={lanes.delivered} r={3.5} className="fill-accent" />}
      {again.map((at) => (
        <circle
          key={at}
          cx={x(at)}
          cy={lanes.delivered}
          r={5.5}
          strokeWidth={1.5}
          className="fill-surface stroke-bad"
        />
      ))}
      {shownAt !== undefined && (
        <circle cx={x(shownAt)} cy={lanes.shown} r={4.5} className={isFromLog ? "fill-warn" : "fill-good"} />
      )}
    </g>
  )
}

/** Where the SDK should have brought it. */
function Lost({ x }: { x: number }) {
  return (
    <path
      d={`M${x - 4} ${lanes.delivered - 4}l8 8m0 -8l-8 8`}
      strokeWidth={2}
      strokeLinecap="round"
      className="stroke-bad"
    />
  )
}
