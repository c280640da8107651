import type { Chance } from "../chance.ts"

/** How a page's requests fare. */
export type Weather =
  /** They arrive and are answered. */
  | "fine"
  /** No request arrives. */
  | "cut"
  /** Requests arrive; the answers don't. */
  | "deaf"
  /** Nothing comes back, not even a failure. */
  | "hanging"
  /** Something before the server answers instead of it. */
  | "bad gateway"
  /** Any of these, or none. */
  | "changeable"

/** What connects one page with everybody else. */
export interface Link {
  weather: Weather
  /** The page is gone; nothing that was under way comes back to it. */
  isDead: boolean
  fetch: typeof globalThis.fetch
}

const bad: readonly Weather[] = ["fine", "fine", "cut", "deaf", "hanging", "bad gateway"]
const never = new Promise<never>(() => {})

export function createLink(chance: Chance, serve: (request: Request) => Promise<Response>): Link {
  const pause = () => new Promise<void>((resolve) => setTimeout(resolve, chance.between(5, 80)))
  const lost = () => new TypeError("fetch failed")

  async function travel(input: string | URL | Request, init: RequestInit): Promise<Response> {
    const { weather } = link
    const now = weather === "changeable" ? chance.pick(bad) : weather
    await pause()
    if (link.isDead || now === "hanging") return never
    if (now === "cut") throw lost()
    if (now === "bad gateway") return new Response("<h1>Bad gateway</h1>", { status: 502 })
    const response = await serve(new Request(input, init))
    await pause()
    if (link.isDead) return never
    if (now === "deaf" || link.weather === "cut") throw lost()
    return response
  }

  const link: Link = {
    weather: "fine",
    isDead: false,
    async fetch(input, { signal, ...init } = {}) {
      if (!signal) return travel(input, init)
      const aborted = new Promise<never>((_, reject) => {
        signal.addEventListener("abort", () => link.isDead || reject(signal.reason))
      })
      return Promise.race([travel(input, init), aborted])
    },
  }
  return link
}
