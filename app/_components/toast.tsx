"use client"
import { useLayoutEffect, useSyncExternalStore } from "react"
import { createListeners, logError } from "throughline"

const shownMs = 6_000

let shown: string | null = null
let timer: ReturnType<typeof setTimeout> | undefined
/** How many places within the page there are for it. */
let places = 0
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

/** Where it is said on a page that has no place of its own for it: at the window's foot. */
export function ToastRegion() {
  const text = useSyncExternalStore(
    listeners.add,
    () => (places === 0 ? shown : null),
    () => null,
  )
  return (
    <div className="pointer-events-none fixed inset-x-0 bottom-[max(1rem,env(safe-area-inset-bottom))] z-60 px-4">
      <Toast text={text} />
    </div>
  )
}

/** Where it is said instead while this is there: in the column that it belongs to, among what else stands over that, and not upon it. */
export function ToastPlace() {
  useLayoutEffect(() => {
    places += 1
    listeners.tell()
    return () => {
      places -= 1
      listeners.tell()
    }
  }, [])
  const text = useSyncExternalStore(
    listeners.add,
    () => shown,
    () => null,
  )
  return (
    // Over a dialog, too, which has the rest of the page behind it.
    <div className="pointer-events-none relative z-60 w-full">
      <Toast text={text} />
    </div>
  )
}

/** It is there before the words are: a screen reader says what comes into it. */
const Toast = ({ text }: { text: string | null }) => (
  // With both, a dialog that hides the rest of the page leaves it audible.
  <div role="status" aria-live="polite" className="grid justify-items-center">
    {text !== null && (
      <p className="max-w-[min(28rem,100%)] animate-[arrive_0.15s] text-pretty break-words rounded-2xl border border-line bg-raised px-4 py-2.5 text-center text-sm shadow-(--shadow)">
        {text}
      </p>
    )}
  </div>
)
