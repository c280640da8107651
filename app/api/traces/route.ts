import { createOnce } from "#lib/operations/once.ts"
import { openProcessLog } from "#lib/operations/process-log.ts"
import { getChat } from "#lib/realtime/server.ts"
import { collectSpans } from "#lib/tracing/collect.ts"

/** Where pages bring their spans, for the collector that the environment names. */
export const dynamic = "force-dynamic"

/** Each page asks every few seconds: the log has one line of each reason. */
const isNews = createOnce()

export async function POST(request: Request): Promise<Response> {
  const { env, identify, limits } = await getChat()
  return collectSpans(request, {
    ...{ endpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT, headers: env.OTEL_EXPORTER_OTLP_HEADERS },
    ...{ identify, limits },
    async onFailure(error) {
      if (isNews(error.message)) await log(error, env.LOG_LEVEL)
    },
  })
}

async function log(error: Error, level: string | undefined): Promise<void> {
  let written: Promise<unknown> | undefined
  const { onError } = await openProcessLog({
    level,
    waitUntil(work) {
      written = work
    },
  })
  onError(error, { stage: "traces" })
  await written
}
