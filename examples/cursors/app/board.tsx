"use client"
import type { PointerEvent } from "react"
import { useConnection } from "throughline/react"
import { type Language, texts } from "./texts.ts"
import { useCursors } from "./use-cursors.ts"

const dots = { up: "text-emerald-600", trying: "text-amber-600", down: "text-red-600" }
const quiet = "mt-3 text-neutral-600 text-sm dark:text-neutral-400"
const paper =
  "@container-size relative mt-4 aspect-4/3 touch-none overflow-hidden rounded-xl border border-neutral-500/40"

/** The same on every page. */
const hueOf = (id: string) => [...id].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 360, 7)

export function Board({ lang }: { lang: Language }) {
  const { title, about, board, here, somebody, states } = texts[lang]
  const { others, elements, point } = useCursors()
  const { state, provider, error } = useConnection()
  const is = state === "connected" ? "up" : error ? "down" : "trying"

  function move({ currentTarget: at, clientX, clientY }: PointerEvent<HTMLElement>): void {
    const { left, top, width, height } = at.getBoundingClientRect()
    point({ x: (clientX - left) / width, y: (clientY - top) / height })
  }
  const listeners = { onPointerMove: move, onPointerDown: move, onPointerLeave: () => point(null) }

  return (
    <main className="mx-auto max-w-5xl px-3 py-8 sm:px-8">
      <title>{title}</title>
      <h1 className="font-semibold text-2xl tracking-tight">{title}</h1>
      <p className="mt-1" role="status">
        <span className={dots[is]}>●</span> {states[is]} · {provider}
      </p>
      <p className={quiet}>{about}</p>
      <section aria-label={board} className={paper} {...listeners}>
        {others.map(({ key, user }) => (
          <div
            aria-hidden
            className="pointer-events-none absolute top-0 left-0 will-change-[translate]"
            hidden
            key={key}
            ref={(element) => void (element ? elements.set(key, element) : elements.delete(key))}
            style={{ color: `hsl(${hueOf(user.id)} 80% 32%)` }}
          >
            <svg className="size-5 fill-current stroke-white" viewBox="0 0 20 20" aria-hidden>
              <path d="M1 1l5 17 3.5-7L17 8z" />
            </svg>
            <span className="ml-4 whitespace-nowrap rounded bg-current px-1.5 py-0.5 text-xs">
              <span className="text-white">{user.name ?? somebody}</span>
            </span>
          </div>
        ))}
      </section>
      <p className={quiet} aria-live="polite">
        {here(others.map(({ user }) => user.name ?? somebody))}
      </p>
    </main>
  )
}
