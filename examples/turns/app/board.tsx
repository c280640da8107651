"use client"
import { useEffect } from "react"
import type { LogPage } from "throughline"
import { useConnection, useMessages, useUser } from "throughline/react"
import { fold, table } from "../realtime/board.ts"
import { type Language, texts } from "./texts.ts"

const dots = { up: "text-emerald-600", trying: "text-amber-600", down: "text-red-600" }
const square = "aspect-square rounded-lg border border-neutral-500 text-5xl enabled:hover:bg-neutral-500/20"
const quiet = "mt-3 text-neutral-600 text-sm dark:text-neutral-400"

export function Board({ lang, initial }: { lang: Language; initial: LogPage }) {
  const { title, about, cell, again, won, draw, next, begin, states } = texts[lang]
  const { messages, pending, hasOlder, loadOlder, send } = useMessages(table, { initial })
  const { state, provider, error } = useConnection()
  const me = useUser()
  const is = state === "connected" ? "up" : error ? "down" : "trying"
  // A page has the newest messages; a game is known from its beginning.
  const isWhole = !hasOlder || messages.some(({ event }) => event === "begun")
  useEffect(() => {
    if (!isWhole) void loadOlder()
  }, [isWhole, messages.length])

  const { cells, players, isWon, isOver, mark, player } = fold(messages)
  const isMine = player ? player.id === me?.id : players.every(({ id }) => id !== me?.id)
  const mayPlace = me && isWhole && isMine && !isOver && pending.length === 0
  const says = isWon
    ? won(mark, player?.name)
    : isOver
      ? draw
      : player
        ? next(mark, player.name)
        : begin(mark)
  return (
    <main className="mx-auto max-w-sm px-3 py-8">
      <title>{title}</title>
      <h1 className="font-semibold text-2xl tracking-tight">{title}</h1>
      <p className="mt-1" role="status">
        <span className={dots[is]}>●</span> {states[is]} · {provider}
      </p>
      <p className={quiet}>{about}</p>
      <p className="mt-4" aria-live="polite">
        {says}
      </p>
      <div className="my-4 grid grid-cols-3 gap-2">
        {cells.map((placed, n) => (
          <button
            aria-label={cell(n + 1, placed)}
            className={square}
            disabled={!mayPlace || placed !== ""}
            key={n}
            onClick={() => send("placed", { cell: n })}
            type="button"
          >
            {placed}
          </button>
        ))}
      </div>
      {isOver && (
        <button className="rounded-lg border px-4 py-2" onClick={() => send("begun", {})} type="button">
          {again}
        </button>
      )}
    </main>
  )
}
