import { logFailure } from "#lib/operations/process-log.ts"
import { createSparing } from "#lib/operations/sparing.ts"
import { getChat } from "#lib/realtime/server.ts"
import { collectSpans } from "#lib/tracing/collect.ts"

/** Where pages bring their spans, for the collector that the environment names. */
export const dynamic = "force-dynamic"

/** Each page asks every few seconds: of each reason the log has a line in ten minutes, so that a later outage is told as the first was. */
const isNews = createSparing(1, 10 * 60)

export async function POST(request: Request): Promise<Response> {
  const { env, identify, limits } = await getChat()
  return collectSpans(request, {
    ...{ endpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT, headers: env.OTEL_EXPORTER_OTLP_HEADERS },
    ...{ identify, limits },
    async onFailure(error) {
      if (await isNews(error.message)) await logFailure(error, { stage: "traces" }, env.LOG_LEVEL)
    },
  })
}
