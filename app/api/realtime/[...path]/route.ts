import { after } from "next/server"
import { requestIdHeader, requestIdOf, withRequestId } from "#lib/operations/request-id.ts"
import { getChat } from "#lib/realtime/server.ts"
import { flushTracing } from "#lib/tracing/server.ts"

/** The adapter's catch-all: history, head, publish, signals, credentials. */
export const dynamic = "force-dynamic"

/** Under the id that the server before it gave, or where there is none, one of its own. */
const answer = (method: "GET" | "POST") => (request: Request) =>
  withRequestId(requestIdOf(request.headers.get(requestIdHeader)), async () => {
    const { env, realtime } = await getChat()
    // A function may be frozen as soon as it has answered.
    if (env.isServerless && env.OTEL_EXPORTER_OTLP_ENDPOINT) after(flushTracing)
    return realtime.handlers[method](request)
  })

export const GET = answer("GET")
export const POST = answer("POST")
