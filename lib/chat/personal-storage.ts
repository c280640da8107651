import { openPageStorage } from "./page-storage.ts"

/** Outlives the tab. */
const lasting = openPageStorage(() => window.localStorage)
/** Outlives a reload of the tab. */
const ofTab = openPageStorage(() => window.sessionStorage)

/** All that is kept in a browser for whoever uses it, and where. */
const places = {
  ...{ draft: lasting, edit: ofTab, files: ofTab, notify: lasting, singleKeys: lasting },
  /** That files of theirs lie in the browser's database: it goes once they don't. */
  hasFiles: lasting,
} as const

/** Those of whom nothing is kept any more. */
const forgotten = new Set<string>()

const changed = "throughline:kept"

/** What one person keeps of one kind. */
export interface PersonalStorage {
  /** Null where there is nothing. */
  read(name?: string): string | null
  /** The same of JSON, as `parse` takes it; null where that throws, since another version wrote it, or somebody by hand. */
  readJson<T>(parse: (kept: unknown) => T, name?: string): T | null
  /** Null takes it away. Where the browser keeps nothing, it is there for as long as the page. */
  write(value: string | null, name?: string): void
  /** Whether others keep something of this kind. */
  hasOthers(): boolean
  /** Takes away what others keep of this kind. */
  removeOthers(): void
  /** Calls back when this tab or another has changed something. Returns how to stop it. */
  subscribe(listener: () => void): () => void
}

// What separates the parts of a key is in none of them but the last.
const keyOfOwner = (owner: string, kind: keyof typeof places) =>
  `throughline.${kind}.${encodeURIComponent(owner).replaceAll(".", "%2E")}`

const isOf = (own: string, key: string) => key === own || key.startsWith(`${own}.`)

/**
 * Browser: takes away all that this person keeps, in this tab and outside of any, but for the mark that files of theirs lie elsewhere. They can
 * never come back for it: what this page still writes for them, as an upload that goes on, isn't kept either.
 */
export function forgetPerson(owner: string): void {
  forgotten.add(owner)
  for (const kind of Object.keys(places) as (keyof typeof places)[]) {
    if (kind === "hasFiles") continue
    const own = keyOfOwner(owner, kind)
    for (const key of places[kind].keys()) if (isOf(own, key)) places[kind].removeItem(key)
  }
}

/**
 * Browser: keeps things in the browser's own storage, each person's apart from everybody else's. The one place that touches that
 * storage: the linter refuses it elsewhere, so that nothing is kept without its owner. Reads nothing before it is used, so that it
 * may be made while rendering on the server.
 */
export function personalStorage(owner: string, kind: keyof typeof places): PersonalStorage {
  const ofKind = `throughline.${kind}.`
  const own = keyOfOwner(owner, kind)
  const keyOf = (name?: string) => (name === undefined ? own : `${own}.${name}`)
  const place = places[kind]
  const others = () => place.keys().filter((key) => key.startsWith(ofKind) && !isOf(own, key))
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
      else if (!forgotten.has(owner)) place.setItem(keyOf(name), value)
      window.dispatchEvent(new Event(changed))
    },
    hasOthers: () => others().length > 0,
    removeOthers() {
      for (const key of others()) place.removeItem(key)
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
