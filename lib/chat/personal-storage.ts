import { openPageStorage } from "./page-storage.ts"

/** Outlives the tab. */
const lasting = openPageStorage(() => window.localStorage)
/** Outlives a reload of the tab. */
const ofTab = openPageStorage(() => window.sessionStorage)

/** All that is kept in a browser for whoever uses it, and where. */
const places = { draft: lasting, edit: ofTab, files: ofTab, notify: lasting, singleKeys: lasting } as const

const changed = "throughline:kept"

/** What one person keeps of one kind. */
export interface PersonalStorage {
  /** Null where there is nothing. */
  read(name?: string): string | null
  /** The same of JSON, as `parse` takes it; null where that throws, since another version wrote it, or somebody by hand. */
  readJson<T>(parse: (kept: unknown) => T, name?: string): T | null
  /** Null takes it away. Where the browser keeps nothing, it is there for as long as the page. */
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
  const place = places[kind]
  const read = (name?: string) => place.getItem(keyOf(name))
  return {
    read,
    readJson(parse, name) {
      const kept = read(name)
      if (kept === null) return null
      try {
        return parse(JSON.parse(kept))
      } catch {
        return null
      }
    },
    write(value, name) {
      if (value === null) place.removeItem(keyOf(name))
      else place.setItem(keyOf(name), value)
      window.dispatchEvent(new Event(changed))
    },
    removeOthers() {
      for (const key of place.keys())
        if (key.startsWith(ofKind) && key !== own && !key.startsWith(`${own}.`)) place.removeItem(key)
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
