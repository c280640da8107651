import type { IncomingHttpHeaders } from "node:http"

/** A route of the Build Output API: https://vercel.com/docs/build-output-api/configuration#routes */
export interface Route {
  src?: string
  dest?: string
  status?: number
  headers?: Record<string, string>
  continue?: boolean
  check?: boolean
  override?: boolean
  has?: Condition[]
  missing?: Condition[]
  handle?: string
  /** A function that is asked before: https://vercel.com/docs/build-output-api/configuration#source-route */
  middlewarePath?: string
}

interface Condition {
  type: string
  key: string
  value?: string
}

export interface Routed {
  /** The name of what answers: a static file's or a function's path, without the leading slash. */
  target: string
  query: URLSearchParams
  headers: Record<string, string>
  status: number | undefined
}

/**
 * Finds what answers a request, as the platform does: the routes before the file system, the file system, then those of
 * the phases `miss` and `rewrite`, each followed by another look. As much of it as this app's routes use.
 */
export function route(
  routes: readonly Route[],
  request: { url: URL; headers: IncomingHttpHeaders },
  exists: (target: string) => boolean,
): Routed {
  const phases = Map.groupBy(withPhases(routes), ({ phase }) => phase)
  const query = new URLSearchParams(request.url.searchParams)
  const headers: Record<string, string> = {}
  let path = request.url.pathname
  let status: number | undefined

  const targetOf = (pathname: string) => decodeURI(pathname).replace(/^\//, "") || "index"

  /** Whether what the phase's routes lead to is there. */
  function run(phase: string): boolean {
    for (const { route } of phases.get(phase) ?? []) {
      const match = route.src === undefined ? null : new RegExp(`^(?:${route.src})$`).exec(path)
      if (!match || route.middlewarePath !== undefined || !holds(route, request.headers)) continue
      const fill = (text: string) =>
        text.replace(/\$(\w+)/g, (_, name: string) => match.groups?.[name] ?? match[Number(name)] ?? "")
      for (const [name, value] of Object.entries(route.headers ?? {})) headers[name] = fill(value)
      if (route.status !== undefined) status = route.status
      if (route.dest !== undefined) {
        const filled = fill(route.dest)
        const [pathname = "", search = ""] = filled.split("?")
        path = pathname
        for (const [name, value] of new URLSearchParams(search)) query.set(name, value)
      }
      if (route.check && exists(targetOf(path))) return true
      if (!route.continue && !route.check) break
    }
    return exists(targetOf(path))
  }

  const isFound = run("start") || run("filesystem") || run("miss") || run("rewrite")
  if (!isFound) run("error")
  return { target: targetOf(path), query, headers, status }
}

/** The function that stands before this path, if one does. */
export function middlewareOf(
  routes: readonly Route[],
  { url, headers }: { url: URL; headers: IncomingHttpHeaders },
): string | null {
  const found = routes.find(
    (route) =>
      route.middlewarePath !== undefined &&
      new RegExp(route.src ?? "").test(url.pathname) &&
      holds(route, headers),
  )
  return found?.middlewarePath?.replace(/^\//, "") ?? null
}

function withPhases(routes: readonly Route[]): { phase: string; route: Route }[] {
  let phase = "start"
  return routes.flatMap((route) => {
    if (route.handle === undefined) return [{ phase, route }]
    phase = route.handle
    return []
  })
}

function holds({ has = [], missing = [] }: Route, headers: IncomingHttpHeaders): boolean {
  const isThere = ({ type, key, value }: Condition) => {
    const found = type === "header" ? headers[key.toLowerCase()] : undefined
    return found !== undefined && (value === undefined || new RegExp(`^(?:${value})$`).test(String(found)))
  }
  return has.every(isThere) && !missing.some(isThere)
}
