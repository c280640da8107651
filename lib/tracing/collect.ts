import { isRealtimeError, type User } from "throughline"
import { readWithin, statusOf } from "throughline/server"
import { contextOf, withRequest } from "../operations/request-context.ts"
import type { Limits } from "../security/limits.ts"
import { readHeaderList } from "./header-list.ts"

export interface CollectOptions {
  /** The collector, and its headers as `OTEL_EXPORTER_OTLP_HEADERS` has them. Without one there is no such page. */
  endpoint: string | undefined
  headers?: string | undefined
  identify(request: Request): Promise<User | null>
  limits: Pick<Limits, "takeOf">
  /** Is handed why the collector has them not, each time. */
  onFailure(error: Error): Promise<void>
}

const maxBytes = 512 * 1024
const timeoutMs = 5_000

const answer = (status: number) => new Response(null, { status, headers: { "Cache-Control": "no-store" } })

/**
 * Server: takes the spans of whoever is signed in and hands them to the collector, which browsers needn't reach. They stay a
 * page's spans, whatever they claim to be: nobody writes into the traces of a server in its name.
 */
export async function collectSpans(request: Request, options: CollectOptions): Promise<Response> {
  const { endpoint, headers, identify, limits, onFailure } = options
  if (!endpoint) return answer(404)
  // No other site can send this type without asking first.
  if (!request.headers.get("content-type")?.startsWith("application/json")) return answer(415)
  let text: string
  try {
    const user = await identify(request)
    if (!user) return answer(401)
    await withRequest(contextOf(request.headers), () => limits.takeOf("reads", user.id))
    text = await readWithin(request.body, maxBytes)
  } catch (error) {
    if (isRealtimeError(error)) return answer(statusOf(error))
    throw error
  }
  const spans = readSpans(text)
  if (!spans) return answer(400)
  const resource = { attributes: [{ key: "service.name", value: { stringValue: "throughline-page" } }] }
  const sent = await fetch(new URL("v1/traces", `${endpoint.replace(/\/$/, "")}/`), {
    method: "POST",
    headers: [...(readHeaderList(headers ?? "") ?? []), ["Content-Type", "application/json"]],
    body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: spans }] }),
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((cause: unknown) => new Error(`${failed}; the collector can't be reached`, { cause }))
  if (!(sent instanceof Error) && sent.ok) return answer(202)
  // The page tries again, and then forgets them: nobody waits for a trace.
  const isReached = !(sent instanceof Error)
  await onFailure(isReached ? new Error(`${failed}; the collector answered ${sent.status}`) : sent)
  return answer(isReached ? 502 : 503)
}

const failed = "unable to hand on a page's spans"

function readSpans(text: string): unknown[] | null {
  try {
    const { resourceSpans } = JSON.parse(text) as { resourceSpans?: unknown }
    if (!Array.isArray(resourceSpans)) return null
    return resourceSpans.flatMap((group: { scopeSpans?: unknown } | null) =>
      Array.isArray(group?.scopeSpans) ? group.scopeSpans : [],
    )
  } catch {
    return null
  }
}
