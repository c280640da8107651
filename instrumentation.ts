import type { Instrumentation } from "next"

/** Next.js calls it once, when a server of its own starts. Where another program has begun to trace already, nothing happens. */
export async function register(): Promise<void> {
  // Said so that a bundle for another runtime has none of it.
  if (process.env.NEXT_RUNTIME === "nodejs" && process.env.OTEL_EXPORTER_OTLP_ENDPOINT) {
    const [{ loadEnv }, { startTracing }] = await Promise.all([
      import("#lib/env/load.ts"),
      import("#lib/tracing/server.ts"),
    ])
    await startTracing(loadEnv())
  }
}

/** Next.js calls it with whatever a page, an action or a route of the app threw. */
export const onRequestError: Instrumentation.onRequestError = async (...failure) => {
  if (process.env.NEXT_RUNTIME !== "nodejs") return
  const { logRequestError } = await import("#lib/operations/request-errors.ts")
  await logRequestError(...failure)
}
