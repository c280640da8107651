import { AsyncLocalStorage } from "node:async_hooks"
import { randomUUID } from "node:crypto"
import type { IncomingHttpHeaders } from "node:http"

/** What is known of a request wherever it is worked on. */
interface RequestContext {
  /** What is logged meanwhile carries it. */
  id: string
  /** Where it comes from; undefined where nobody has said so. */
  address?: string | undefined
}

/** Next.js and the servers are two bundles of this module; in one process they share the storage. */
const key = Symbol.for("throughline.request")
const shared = globalThis as typeof globalThis & { [key]?: AsyncLocalStorage<RequestContext> }
shared[key] ??= new AsyncLocalStorage<RequestContext>()
const storage = shared[key]

export const requestIdHeader = "X-Request-Id"

/** Server: does what a request asks for, as that request. */
export const withRequest = <T>(context: RequestContext, work: () => T): T => storage.run(context, work)

/** The request that is being answered, if one is. */
export const currentRequest = (): RequestContext | undefined => storage.getStore()

/** Of headers that `server/client-address.ts` or the platform wrote. */
export const contextOf = (headers: IncomingHttpHeaders | Headers): RequestContext => {
  const read = (name: string) =>
    headers instanceof Headers ? headers.get(name) : headers[name.toLowerCase()]
  return { id: requestIdOf(read(requestIdHeader)), address: addressOf(read("x-forwarded-for")) }
}

/** The id that a proxy gave the request, as nginx' `$request_id`; else a new one. It can't break a line of the log. */
export const requestIdOf = (given?: string | string[] | null): string =>
  typeof given === "string" && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID()

/**
 * The visitor's, in what `X-Forwarded-For` says by the time that we read it: one address, where `server/client-address.ts` or Vercel wrote it.
 * Elsewhere the last is what the nearest proxy added, and those before it are its visitor's own word.
 */
const addressOf = (forwarded?: string | string[] | null): string | undefined =>
  (typeof forwarded === "string" && forwarded.split(",").at(-1)?.trim()) || undefined
