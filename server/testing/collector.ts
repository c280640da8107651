import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"

export interface CollectedSpan {
  traceId: string
  spanId: string
  parentSpanId: string | undefined
  name: string
  /** Whose it is. */
  service: string
  attributes: Readonly<Record<string, unknown>>
}

interface Attribute {
  key: string
  value: Record<string, unknown>
}

interface ExportRequest {
  resourceSpans: {
    resource: { attributes: Attribute[] }
    scopeSpans: { spans: (Omit<CollectedSpan, "service" | "attributes"> & { attributes?: Attribute[] })[] }[]
  }[]
}

const toRecord = (attributes: readonly Attribute[] = []) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

/** What stands where a collector of traces would: takes OTLP as JSON, by https://opentelemetry.io/docs/specs/otlp/. */
export async function startCollector() {
  const spans: CollectedSpan[] = []
  /** As they came. */
  const bodies: string[] = []
  const headers: Record<string, unknown>[] = []
  let status = 200
  const http = createServer(async (request, response) => {
    const body = await text(request)
    headers.push(request.headers)
    if (request.url === "/v1/traces" && status === 200) {
      bodies.push(body)
      for (const { resource, scopeSpans } of (JSON.parse(body) as ExportRequest).resourceSpans)
        for (const { spans: group } of scopeSpans)
          for (const { traceId, spanId, parentSpanId, name, attributes } of group) {
            const service = String(toRecord(resource.attributes)["service.name"])
            spans.push({ traceId, spanId, parentSpanId, name, service, attributes: toRecord(attributes) })
          }
    }
    response.writeHead(request.url === "/v1/traces" ? status : 404, { "Content-Type": "application/json" })
    response.end("{}")
  })
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    spans,
    bodies,
    headers,
    /** From now on it answers so. */
    answerWith(next: number) {
      status = next
    },
    async [Symbol.asyncDispose]() {
      http.closeAllConnections()
      await new Promise<void>((resolve) => http.close(() => resolve()))
    },
  }
}

export type Collector = Awaited<ReturnType<typeof startCollector>>
