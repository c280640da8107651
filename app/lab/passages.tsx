"use client"
import { useEffect, useRef, useState } from "react"
import type { LedgerState, Passage } from "./ledger.ts"

/** How much time the picture shows. */
const windowMs = 15_000
const height = 168
const margin = 14
const lanes = { sent: 30, delivered: 84, shown: 138 }

interface Props {
  state: LedgerState
  now: number
  label: string
  texts: { sent: string; delivered: string; shown: string }
}

/**
 * The way of each message from left to right through time: sent above, delivered by the SDK in the middle, given to the page
 * below. What the SDK never brought takes the dashed way, from the log.
 */
export function Passages({ state, now, label, texts }: Props) {
  const [width, setWidth] = useState(480)
  const frame = useRef<SVGSVGElement>(null)
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => entry && setWidth(entry.contentRect.width))
    if (frame.current) observer.observe(frame.current)
    return () => observer.disconnect()
  }, [])
  const x = (at: number) => width - margin - ((now - at) / windowMs) * (width - 2 * margin)
  const isVisible = ({ sentAt, deliveredAt, shownAt }: Passage) =>
    [sentAt, shownAt, ...deliveredAt].some((at) => at !== undefined && now - at < windowMs + 500)
  const visible = [...state.passages.values()].filter(isVisible).sort((a, b) => a.seq - b.seq)
  const open = visible.filter(({ sentAt, shownAt }) => sentAt !== undefined && shownAt === undefined)
  const oldestOpen = open[0]?.sentAt
  return (
    <svg
      ref={frame}
      viewBox={`0 0 ${width} ${height}`}
      height={height}
      role="img"
      aria-label={label}
      className="block w-full"
    >
      {oldestOpen !== undefined && now - oldestOpen > 400 && (
        <rect
          x={x(oldestOpen)}
          y={lanes.delivered + 12}
          width={Math.max(0, x(now) - x(oldestOpen))}
          height={lanes.shown - lanes.delivered}
          data-testid="gap"
          rx={6}
          className="fill-warn-soft"
        />
      )}
      {Object.entries(lanes).map(([lane, y]) => (
        <g key={lane}>
          <line x1={margin} x2={width - margin} y1={y} y2={y} className="stroke-line" strokeWidth={1} />
        </g>
      ))}
      {visible.map((passage) => (
        <Way key={passage.seq} passage={passage} x={x} />
      ))}
      {/* Above the ways, on a ground of their own. */}
      {Object.entries(lanes).map(([lane, y]) => (
        <text
          key={lane}
          x={2}
          y={y - 9}
          fontSize={11}
          strokeWidth={4}
          className="fill-muted stroke-surface [paint-order:stroke]"
        >
          {texts[lane as keyof typeof lanes]}
        </text>
      ))}
    </svg>
  )
}

function Way({
  passage: { seq, sentAt, deliveredAt, shownAt },
  x,
}: {
  passage: Passage
  x(at: number): number
}) {
  const [first, ...again] = deliveredAt
  const isFromLog = first === undefined || (shownAt !== undefined && first > shownAt + 5)
  const from = sentAt ?? first
  return (
    <g>
      {from !== undefined && !isFromLog && first !== undefined && (
        <line
          x1={x(from)}
          y1={lanes.sent}
          x2={x(first)}
          y2={lanes.delivered}
          className="stroke-accent"
          strokeWidth={1.5}
        />
      )}
      {!isFromLog && first !== undefined && shownAt !== undefined && (
        <line
          x1={x(first)}
          y1={lanes.delivered}
          x2={x(shownAt)}
          y2={lanes.shown}
          className="stroke-accent"
          strokeWidth={1.5}
        />
      )}
      {isFromLog && from !== undefined && shownAt !== undefined && (
        <line
          x1={x(from)}
          y1={lanes.sent}
          x2={x(shownAt)}
          y2={lanes.shown}
          className="stroke-warn"
          strokeWidth={1.5}
          strokeDasharray="4 3"
        />
      )}
      {sentAt !== undefined && <circle cx={x(sentAt)} cy={lanes.sent} r={3.5} className="fill-accent" />}
      {first !== undefined && <circle cx={x(first)} cy={lanes.delivered} r={3.5} className="fill-accent" />}
      {again.map((at) => (
        <circle
          key={at}
          cx={x(at)}
          cy={lanes.delivered}
          r={5}
          className="fill-none stroke-bad"
          strokeWidth={1.5}
        />
      ))}
      {shownAt !== undefined && (
        <>
          <circle
            cx={x(shownAt)}
            cy={lanes.shown}
            r={3.5}
            className={isFromLog ? "fill-warn" : "fill-good"}
          />
          <text x={x(shownAt)} y={lanes.shown + 16} textAnchor="middle" fontSize={9} className="fill-muted">
            {seq}
          </text>
        </>
      )}
    </g>
  )
}
