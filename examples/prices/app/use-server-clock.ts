import { useEffect, useState } from "react"

/**
 * What time it is on the server, known to within `error` milliseconds; null until it has answered. Between two answers, half a minute
 * apart, the page counts by whichever of its own clocks ran faster: one may be set back, the other stands still while it sleeps.
 */
export function useServerClock() {
  const [clock, setClock] = useState<{ now: number; error: number } | null>(null)
  useEffect(() => {
    let known: { at: number; error: number; wall: number; steady: number } | undefined
    function tick() {
      if (!known) return
      const passed = Math.max(Date.now() - known.wall, performance.now() - known.steady)
      setClock({ now: known.at + passed, error: known.error })
    }
    async function ask() {
      const began = performance.now()
      const at: number = await (await fetch("/api/clock", { cache: "no-store" })).json()
      // It was read somewhere on the way there and back.
      const error = (performance.now() - began) / 2
      known = { at: at + error, error, wall: Date.now(), steady: performance.now() }
    }
    // Without an answer the last one counts on.
    const tryToAsk = () => void ask().then(tick, () => {})
    tryToAsk()
    const timers = [setInterval(tick, 250), setInterval(tryToAsk, 30_000)]
    return () => timers.forEach(clearInterval)
  }, [])
  return clock
}
