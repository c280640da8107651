"use client"
import { useEffect, useState } from "react"

const idleAfterMs = 3 * 60 * 1000

/** Whether nobody has done anything with this page for a while, or looked at it. */
export function useIdle(): boolean {
  const [isIdle, setIsIdle] = useState(false)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>
    const active = () => {
      if (document.visibilityState === "hidden") return
      clearTimeout(timer)
      setIsIdle(false)
      timer = setTimeout(() => setIsIdle(true), idleAfterMs)
    }
    const events = ["pointerdown", "pointermove", "wheel", "keydown", "focus", "visibilitychange"] as const
    for (const event of events) window.addEventListener(event, active, { passive: true })
    active()
    return () => {
      clearTimeout(timer)
      for (const event of events) window.removeEventListener(event, active)
    }
  }, [])
  return isIdle
}
