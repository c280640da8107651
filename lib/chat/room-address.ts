import { isKeepable } from "throughline"

/** The room that a page's address names, as it stands there; null where nothing could be called so. */
export function roomIdIn(parameter: string): string | null {
  try {
    const id = decodeURIComponent(parameter)
    return isKeepable(id) ? id : null
  } catch {
    // An address that somebody made up.
    return null
  }
}
