import type { User } from "./message.ts"

/** Names the person whom a page belongs to, in each of its requests. */
const ownerHeader = "Realtime-Owner"

/** An id may hold what a header can't. */
const toHeader = (id: string) => encodeURIComponent(id)

/**
 * Browser: what each request of a person's page carries; the id is the one that
 * the server's `identify` returns.
 */
export const ownerHeaders = (id: string): Record<string, string> => ({ [ownerHeader]: toHeader(id) })

/** Server: true when a request comes from a page of this user, or from one that doesn't say whose it is. */
export function isPageOf(user: User | null, { headers }: Request): boolean {
  const owner = headers.get(ownerHeader)
  return owner === null || owner === toHeader(user?.id ?? "")
}
