/** All that is kept in a browser for whoever uses it, and how long: as long as the browser likes, or as long as the tab. */
const places = {
  draft: "localStorage",
  files: "sessionStorage",
  notify: "localStorage",
  singleKeys: "localStorage",
} as const

const changed = "throughline:kept"

/** What one person keeps of one kind. */
export interface PersonalStorage {
  /** Null where there is nothing. */
  read(name?: string): string | null
  /** Null takes it away. A browser without room keeps nothing, rather than what was there before. */
  write(value: string | null, name?: string): void
  /** Takes away what others keep of this kind. */
  removeOthers(): void
  /** Calls back when this tab or another has changed something. Returns how to stop it. */
  subscribe(listener: () => void): () => void
}

/**
 * Browser: keeps things in the browser's own storage, each person's apart from everybody else's. The one place that touches that
 * storage: the linter refuses it elsewhere, so that nothing is kept without its owner. Reads nothing before it is used, so that it
 * may be made while rendering on the server.
 */
export function personalStorage(owner: string, kind: keyof typeof places): PersonalStorage {
  const ofKind = `throughline.${kind}.`
  // What separates the parts of a key is in none of them but the last.
  const own = `${ofKind}${encodeURIComponent(owner).replaceAll(".", "%2E")}`
  const keyOf = (name?: string) => (name === undefined ? own : `${own}.${name}`)
  const place = () => window[places[kind]]
  return {
    read: (name) => place().getItem(keyOf(name)),
    write(value, name) {
      place().removeItem(keyOf(name))
      try {
        if (value !== null) place().setItem(keyOf(name), value)
      } catch {
        // Full, or closed to the page, which holds it still.
      }
      window.dispatchEvent(new Event(changed))
    },
    removeOthers() {
      for (const key of Object.keys(place()))
        if (key.startsWith(ofKind) && key !== own && !key.startsWith(`${own}.`)) place().removeItem(key)
    },
    subscribe(listener) {
      window.addEventListener("storage", listener)
      window.addEventListener(changed, listener)
      return () => {
        window.removeEventListener("storage", listener)
        window.removeEventListener(changed, listener)
      }
    },
  }
}
