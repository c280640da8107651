import { type IncomingMessage, Server } from "node:http"
import next from "next"
import { ownUrl, reachableHost } from "#lib/env/local-addresses.ts"
import type { App } from "./create-server.ts"

export interface NextAppOptions {
  dev: boolean
  dir: string
  port: number
  hostname?: string | undefined
}

/**
 * Next.js as one tenant of a server that somebody else owns. Requests that come while it starts wait for it.
 *
 * Next adds its own `upgrade` listener to the server it is given, and ends the sockets of paths that it has a route
 * for. So it is given one that never listens, and what is meant for Next (hot reload) is passed on to that.
 */
export function createNextApp(options: NextAppOptions): App & { ready: Promise<void> } {
  const { dev, dir, port } = options
  const hostname = reachableHost(options.hostname)
  const decoy = new Server()
  // Where an action redirects, Next.js asks itself for the page. Its own server says in this variable where that is; without it, it
  // goes by `X-Forwarded-Proto`, and speaks TLS to this port as soon as a proxy does so to browsers.
  process.env.__NEXT_PRIVATE_ORIGIN = ownUrl({ HOST: hostname, PORT: port })
  // Next.js makes each request's address of it. It puts an address of IPv6 in brackets.
  const app = next({ dev, dir, port, hostname, httpServer: decoy })
  const handle = app.getRequestHandler()
  const ready = app.prepare()

  return {
    ready,
    async handle(request, response) {
      await ready
      endQuietly(request)
      await handle(request, response)
    },
    upgrade(request, socket, head) {
      // Next.js leaves open whatever it has no use for.
      const isHotReload = dev && /^\/_next\/(webpack-)?hmr(\?|$)/.test(request.url ?? "")
      return isHotReload && decoy.emit("upgrade", request, socket, head)
    },
    close: () => app.close(),
  }
}

/**
 * A request that is broken off has an error for those who listen, and none for a process in which nobody does. Next.js puts a plain
 * stream's functions on one whose body has passed the proxy, and with them a plain stream's end: whoever goes away before the answer
 * would be an uncaught exception.
 */
export function endQuietly(request: IncomingMessage): void {
  let end = request._destroy
  const endWith: typeof end = (error, done) =>
    end.call(request, error, (last) => done(request.listenerCount("error") > 0 ? last : null))
  Object.defineProperty(request, "_destroy", {
    get: () => endWith,
    set(other: typeof end) {
      end = other
    },
  })
}
