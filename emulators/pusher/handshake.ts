import type { ErrorCode } from "./errors.ts"

export interface Handshake {
  key: string
  protocol: number
}

/** Versions 1 to 3 are no longer supported; 7 is the current one. */
const OLDEST_PROTOCOL = 4
const NEWEST_PROTOCOL = 7

/** Reads `/app/{key}?protocol=7&client=js&version=8.6.0` (pusher/README.md §1.1), or says with what code to close. */
export function parseHandshake(url: string): Handshake | { key?: string; refusal: ErrorCode } {
  // Not by URL, which throws at some of what a client may send.
  const [path = "", query] = url.split(/\?(.*)/s)
  const searchParams = new URLSearchParams(query)
  const key = /^\/app\/([^/]+)$/.exec(path)?.[1]
  if (key === undefined) return { refusal: 4005 }

  const version = searchParams.get("version")
  if (version !== null && !/^\d+(\.\d+)*([-+.]?[A-Za-z][\w.+-]*)?$/.test(version))
    return { key, refusal: 4006 }

  const protocol = searchParams.get("protocol")
  if (protocol === null || protocol === "") return { key, refusal: 4008 }
  const number = /^\d+$/.test(protocol) ? Number(protocol) : Number.NaN
  if (!(number >= OLDEST_PROTOCOL && number <= NEWEST_PROTOCOL)) return { key, refusal: 4007 }

  return { key, protocol: number }
}
