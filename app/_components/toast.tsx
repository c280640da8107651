"use client"
import { clsx } from "clsx"
import { useLayoutEffect, useSyncExternalStore } from "react"
import { createListeners, logError } from "throughline"

const shownMs = 6_000

let shown: string | null = null
let timer: ReturnType<typeof setTimeout> | undefined
/** How many places within the page there are for it, and how many dialogs are open. */
const places = { page: 0, dialog: 0 }
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

function useToastPlace(kind: keyof typeof places): void {
  useLayoutEffect(() => {
    places[kind] += 1
    listeners.tell()
    return () => {
      places[kind] -= 1
      listeners.tell()
    }
  }, [kind])
}

/** Where it is said on a page that has no place of its own for it: at the window's foot, or at its top while a dialog is open. */
export function ToastRegion() {
  const isDialogOpen = useSyncExternalStore(
    listeners.add,
    () => places.dialog > 0,
    () => false,
  )
  const text = useSyncExternalStore(
    listeners.add,
    () => (places.page === 0 || places.dialog > 0 ? shown : null),
    () => null,
  )
  return (
    <div
      className={clsx(
        "pointer-events-none fixed inset-x-0 z-60 px-4",
        isDialogOpen
          ? "top-[max(0.5rem,env(safe-area-inset-top))]"
          : "bottom-[max(1rem,env(safe-area-inset-bottom))]",
      )}
    >
      <Toast text={text} />
    </div>
  )
}

/** Where it is said instead while this is there: in the column that it belongs to, among what else stands over that, and not upon it. */
export function ToastPlace() {
  useToastPlace("page")
  const text = useSyncExternalStore(
    listeners.add,
    () => (places.dialog === 0 ? shown : null),
    () => null,
  )
  return (
    // Over what is open beside it, too, as the list of rooms.
    <div className="pointer-events-none relative z-60 w-full">
      <Toast text={text} />
    </div>
  )
}

/** In a dialog whose buttons are at its foot: while that is open, it is said at the window's top. */
export function ToastAtTop(): null {
  useToastPlace("dialog")
  return null
}

/** It is there before the words are: a screen reader says what comes into it. */
const Toast = ({ text }: { text: string | null }) => (
  // With both, a dialog that hides the rest of the page leaves it audible.
  <div role="status" aria-live="polite" className="grid justify-items-center">
    {text !== null && (
      <p className="max-w-[min(28rem,100%)] animate-[arrive_0.15s] text-pretty rounded-2xl border border-line bg-raised px-4 py-2.5 text-center text-sm shadow-(--shadow)">
        {text}
      </p>
    )}
  </div>
)
