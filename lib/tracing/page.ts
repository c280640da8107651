import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http"
import { resourceFromAttributes } from "@opentelemetry/resources"
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace-base"
import type { Tracing } from "throughline"
import { followMessages } from "throughline/client"
import { createTracing } from "./otel.ts"

/** Where pages bring their spans; the app hands them to the collector. */
export const collectPath = "/api/traces"

/** Browser: follows messages out of this page and into it. `ratio` of all traces that begin here are kept. */
export function createPageTracing({ ratio, url = collectPath }: { ratio: number; url?: string }): Tracing & {
  flush(): Promise<void>
} {
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ "service.name": "throughline-page" }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url }), { scheduledDelayMillis: 2_000 })],
  })
  return { ...createTracing(provider.getTracer("throughline")), flush: () => provider.forceFlush() }
}

/** Browser: the same for a client, which tells it of its messages. */
export const followPage = (options: { ratio: number }) => followMessages(createPageTracing(options))
