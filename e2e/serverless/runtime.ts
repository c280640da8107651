import { AsyncLocalStorage } from "node:async_hooks"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { createRequire, registerHooks } from "node:module"
import type { AddressInfo } from "node:net"
import { join } from "node:path"

/**
 * One instance of a serverless function, as Vercel runs it: the handler of the Build Output API behind an HTTP server, with
 * the platform's `waitUntil`. Started by `platform.ts` in a process of its own, which may read the function's folder and
 * nothing else, and write nothing.
 */
type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>
type WebHandler = (request: Request) => Promise<Response>

const [folder = "", handlerFile = "", kind] = process.argv.slice(2)
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

/** Of a request's body nothing is handed over: what stands before the pages decides by the rest. */
const fromWeb =
  (serve: WebHandler): Handler =>
  async (request, response) => {
    const headers = new Headers()
    for (const [name, values] of Object.entries(request.headersDistinct))
      for (const value of values ?? []) headers.append(name, value)
    const { "x-forwarded-proto": protocol, "x-forwarded-host": host } = request.headers
    const answer = await serve(new Request(`${protocol}://${host}${request.url}`, { headers }))
    response.writeHead(answer.status, Object.fromEntries(answer.headers))
    response.end(Buffer.from(await answer.arrayBuffer()))
  }

const emitted = createRequire(join(folder, handlerFile))(join(folder, handlerFile))
const handler: Handler = kind === "web" ? fromWeb(emitted) : emitted
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
