import { AsyncLocalStorage } from "node:async_hooks"
import { randomUUID } from "node:crypto"

/** Next.js and the servers are two bundles of this module; in one process they share the storage. */
const key = Symbol.for("throughline.request-id")
const shared = globalThis as typeof globalThis & { [key]?: AsyncLocalStorage<string> }
shared[key] ??= new AsyncLocalStorage<string>()
const storage = shared[key]

export const requestIdHeader = "X-Request-Id"

/** Server: does what a request asks for, under its id. What is logged meanwhile carries it. */
export const withRequestId = <T>(id: string, work: () => T): T => storage.run(id, work)

/** Of the request that is being answered, if one is. */
export const currentRequestId = (): string | undefined => storage.getStore()

/** The id that a proxy gave the request, as nginx' `$request_id`; else a new one. It can't break a line of the log. */
export const requestIdOf = (given?: string | string[] | null): string =>
  typeof given === "string" && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID()
