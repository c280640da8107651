import { RealtimeError } from "./errors.ts"

/**
 * Of what pages and servers say to each other. It goes up by a change that the other side
 * would misread; what a reader may leave out, as a further field, changes nothing.
 */
export const wireVersion = 1

/** The oldest one that this server still understands. */
const oldestWireVersion = 1

const wireHeader = "Realtime-Wire"

/** Browser: what each request carries. */
export const wireHeaders: Readonly<Record<string, string>> = { [wireHeader]: String(wireVersion) }

/**
 * Server: throws `page-outdated` for the request of a page that is too old to be understood, and
 * `provider-unavailable`, which passes, for that of one that is newer than this server: while a release
 * replaces another, the next request may meet its like. Whoever names no version is answered.
 */
export function requireWireVersion({ headers }: Request): void {
  const named = headers.get(wireHeader)
  if (named === null) return
  const version = Number(named)
  if (version >= oldestWireVersion && version <= wireVersion) return
  if (version > wireVersion)
    throw new RealtimeError("provider-unavailable", {
      message: `unable to answer; the page speaks version ${version} of the wire, and this server ${wireVersion}. Deploy the server first`,
    })
  throw new RealtimeError("page-outdated", {
    message: `unable to answer; the page speaks version ${named} of the wire, and this server ${oldestWireVersion} to ${wireVersion}. Load the page again`,
  })
}
