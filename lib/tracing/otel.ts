import {
  type Attributes,
  context,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api"
import { isRealtimeError, type TraceStep, type Tracing } from "throughline"

const kinds: Record<TraceStep, SpanKind> = {
  send: SpanKind.PRODUCER,
  accept: SpanKind.SERVER,
  append: SpanKind.CLIENT,
  deliver: SpanKind.PRODUCER,
  receive: SpanKind.CONSUMER,
}

/** Only these begin a trace; the others go on with one, or aren't followed. */
const begins: ReadonlySet<TraceStep> = new Set(["send", "accept"])

/** https://www.w3.org/TR/trace-context/#traceparent-header; the caller has seen that it is one. */
function parse(traceparent: string): SpanContext {
  const [, traceId = "", spanId = "", flags = ""] = traceparent.split("-")
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
}

const format = ({ traceId, spanId, traceFlags }: SpanContext) =>
  `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`

/**
 * Follows messages as spans of OpenTelemetry, in a page and on a server alike. What a message says is in none of them.
 * Names as in https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
 */
export function createTracing(tracer: Tracer): Tracing {
  return {
    start(step, { id, channel, event }, parent, attributes) {
      if (!parent && !begins.has(step)) return null
      const active = context.active()
      const surrounding = parent ? trace.getSpanContext(active) : undefined
      const about: Attributes = {
        "messaging.system": "throughline",
        "messaging.operation.name": step,
        "messaging.destination.name": channel,
        "messaging.message.id": id,
        "throughline.event": event,
        ...attributes,
      }
      const span = tracer.startSpan(
        `message ${step}`,
        // The request that brought it has a trace of its own; one request may bring messages of several.
        { kind: kinds[step], attributes: about, links: surrounding ? [{ context: surrounding }] : [] },
        parent ? trace.setSpanContext(ROOT_CONTEXT, parse(parent)) : active,
      )
      if (!span.isRecording()) return null
      return {
        traceparent: format(span.spanContext()),
        end(error) {
          if (error !== undefined) {
            span.setStatus({ code: SpanStatusCode.ERROR })
            span.setAttribute("error.type", isRealtimeError(error) ? error.code : "internal")
          }
          span.end()
        },
      }
    },
  }
}
