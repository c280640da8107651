"use client"
import { useSyncExternalStore } from "react"
import { createListeners, logError } from "throughline"

const shownMs = 6_000

let shown: string | null = null
let timer: ReturnType<typeof setTimeout> | undefined
const listeners = createListeners(logError, "toast.subscribe")

function show(text: string | null): void {
  shown = text
  listeners.tell()
}

/** Browser: says something for a moment, whatever page is shown. */
export function toast(text: string): void {
  clearTimeout(timer)
  timer = setTimeout(() => show(null), shownMs)
  show(text)
}

/** Where it is said. It is there before the words are: a screen reader says what comes into it. */
export function ToastRegion() {
  const text = useSyncExternalStore(
    listeners.add,
    () => shown,
    () => null,
  )
  return (
    <div
      role="status"
      className="pointer-events-none fixed inset-x-0 bottom-[calc(5.5rem+env(safe-area-inset-bottom))] z-60 grid justify-items-center px-4"
    >
      {text !== null && (
        <p className="max-w-[min(28rem,calc(100vw-2rem))] animate-[arrive_0.15s] text-pretty break-words rounded-2xl border border-line bg-raised px-4 py-2.5 text-center text-sm shadow-(--shadow)">
          {text}
        </p>
      )}
    </div>
  )
}
