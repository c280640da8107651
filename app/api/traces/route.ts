import { getChat } from "#lib/realtime/server.ts"
import { collectSpans } from "#lib/tracing/collect.ts"

/** Where pages bring their spans, for the collector that the environment names. */
export const dynamic = "force-dynamic"

export async function POST(request: Request): Promise<Response> {
  const { env, identify, limits } = await getChat()
  return collectSpans(request, {
    ...{ endpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT, headers: env.OTEL_EXPORTER_OTLP_HEADERS },
    ...{ identify, limits },
  })
}
