import { RealtimeError } from "./errors.ts"

/**
 * Of what pages and servers say to each other. It goes up by a change that the other side
 * would misread; what a reader may leave out, as a further field, changes nothing.
 */
export const wireVersion = 1

/** The oldest one that this server still understands. */
const oldestWireVersion = 1

export const wireHeader = "Realtime-Wire"

/** Browser: what each request carries. A Socket.IO connection names it as `wire`, next to its ticket. */
export const wireHeaders: Readonly<Record<string, string>> = { [wireHeader]: String(wireVersion) }

/**
 * Server: throws `page-outdated` for a page that is too old to be understood, and `provider-unavailable`,
 * which passes, for one that is newer than this server: while a release replaces another, what it asks next
 * may meet its like. Whoever names no version is answered; `invalid-request` is for what is no version.
 */
export function requireWireVersion(named: unknown): void {
  if (named === null || named === undefined) return
  if (!/^\d{1,9}$/.test(String(named)))
    throw new RealtimeError("invalid-request", {
      message: "unable to answer; the version of the wire is malformed",
    })
  const version = Number(named)
  if (version >= oldestWireVersion && version <= wireVersion) return
  if (version > wireVersion)
    throw new RealtimeError("provider-unavailable", {
      message: `unable to answer; the page speaks version ${version} of the wire, and this server ${wireVersion}. Deploy the server first`,
    })
  throw new RealtimeError("page-outdated", {
    message: `unable to answer; the page speaks version ${version} of the wire, and this server ${oldestWireVersion} to ${wireVersion}. Load the page again`,
  })
}
