import { hostname } from "node:os"
import type { Tracing } from "throughline"
import { tellTraceId } from "./trace-id.ts"

/** What of the environment says whether and where traces are kept. */
export interface TracingEnvironment {
  OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined
  OTEL_SERVICE_NAME?: string | undefined
  OTEL_TRACES_SAMPLER_ARG?: number | undefined
}

interface Provider {
  forceFlush(): Promise<void>
  shutdown(): Promise<void>
}

/** Next.js and the servers are two bundles of this module; a process has one provider of spans. */
const key = Symbol.for("throughline.tracing")
const shared = globalThis as typeof globalThis & { [key]?: Provider }

/** More of a value is cut: strangers name events and channels. */
const maxAttributeLength = 256

/**
 * Server: sends spans to the collector that `OTEL_EXPORTER_OTLP_ENDPOINT` names, its headers in `OTEL_EXPORTER_OTLP_HEADERS`;
 * without one nothing of this is loaded. Next.js' own spans go there, too. Called once more it does nothing.
 */
export async function startTracing(env: TracingEnvironment): Promise<void> {
  if (!env.OTEL_EXPORTER_OTLP_ENDPOINT || shared[key]) return
  const [api, { AsyncLocalStorageContextManager }, { W3CTraceContextPropagator }, sdk, exporter, resources] =
    await Promise.all([
      import("@opentelemetry/api"),
      import("@opentelemetry/context-async-hooks"),
      import("@opentelemetry/core"),
      import("@opentelemetry/sdk-trace-base"),
      import("@opentelemetry/exporter-trace-otlp-http"),
      import("@opentelemetry/resources"),
    ])
  const provider = new sdk.BasicTracerProvider({
    resource: resources.resourceFromAttributes({
      "service.name": env.OTEL_SERVICE_NAME ?? "throughline",
      "service.instance.id": `${hostname()}:${process.pid}`,
    }),
    // A trace is kept whole or not at all: where it began is where that was decided.
    sampler: new sdk.ParentBasedSampler({
      root: new sdk.TraceIdRatioBasedSampler(env.OTEL_TRACES_SAMPLER_ARG ?? 1),
    }),
    spanLimits: { attributeValueLengthLimit: maxAttributeLength },
    spanProcessors: [new sdk.BatchSpanProcessor(new exporter.OTLPTraceExporter())],
  })
  shared[key] = provider
  api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  api.propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  api.trace.setGlobalTracerProvider(provider)
  tellTraceId(() => api.trace.getActiveSpan()?.spanContext().traceId)
}

/** Follows messages where traces are kept; elsewhere it loads nothing. */
export async function serverTracing(env: TracingEnvironment): Promise<Tracing | undefined> {
  if (!env.OTEL_EXPORTER_OTLP_ENDPOINT) return undefined
  const [{ trace }, { createTracing }] = await Promise.all([
    import("@opentelemetry/api"),
    import("./otel.ts"),
  ])
  return createTracing(trace.getTracer("throughline"))
}

/** Sends what waits: a function may be frozen when it has answered. */
export const flushTracing = async (): Promise<void> => shared[key]?.forceFlush()

/** Sends what waits, and ends it. */
export async function stopTracing(): Promise<void> {
  const provider = shared[key]
  delete shared[key]
  await provider?.shutdown()
}

/** The part of their traces that pages keep, for the page; 0: they follow nothing, and don't download what it takes. */
export const tracedRatio = (env: TracingEnvironment): number =>
  env.OTEL_EXPORTER_OTLP_ENDPOINT ? (env.OTEL_TRACES_SAMPLER_ARG ?? 1) : 0
