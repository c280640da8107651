import { AsyncLocalStorage } from "node:async_hooks"
import { createServer } from "node:http"
import { createRequire, registerHooks } from "node:module"
import type { AddressInfo } from "node:net"
import { join } from "node:path"

/**
 * One instance of a serverless function, as Vercel runs it: the handler of the Build Output API behind an HTTP server, with
 * the platform's `waitUntil`. Started by `platform.ts` in a process of its own, which may read the function's folder and
 * nothing else, and write nothing.
 */
type Handler = (request: unknown, response: unknown) => Promise<void>

const [folder = "", handlerFile = ""] = process.argv.slice(2)
const loaded = new Set<string>()
registerHooks({
  load(url, context, next) {
    loaded.add(url)
    return next(url, context)
  },
})

const contexts = new AsyncLocalStorage<{ waitUntil(work: Promise<unknown>): void }>()
Object.assign(globalThis, {
  [Symbol.for("@vercel/request-context")]: { get: () => contexts.getStore() },
})

const tell = (message: object) => process.send?.(message)

const handler = createRequire(join(folder, handlerFile))(join(folder, handlerFile)) as Handler
const server = createServer((request, response) => {
  const pending: Promise<unknown>[] = []
  const ended = new Promise((resolve) => response.once("close", resolve))
  const waitUntil = (work: Promise<unknown>) => void pending.push(work)
  contexts.run({ waitUntil }, async () => {
    await handler(request, response).catch((error: unknown) => {
      tell({ kind: "failed", error: String(error) })
      response.destroy()
    })
    await ended
    // What was handed over may hand over more.
    while (pending.length > 0) await Promise.allSettled(pending.splice(0))
    tell({ kind: "over", invocation: request.headers["x-invocation"], loaded: [...loaded] })
  })
})
server.listen(0, "127.0.0.1", () => tell({ kind: "ready", port: (server.address() as AddressInfo).port }))
