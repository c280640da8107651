import { after } from "next/server"
import { contextOf, withRequest } from "#lib/operations/request-context.ts"
import { getChat } from "#lib/realtime/server.ts"
import { flushTracing } from "#lib/tracing/server.ts"

/** The adapter's catch-all: history, head, publish, signals, credentials. */
export const dynamic = "force-dynamic"

/** Under the id that the server before it gave, or where there is none, one of its own. */
const answer = (method: "GET" | "POST") => (request: Request) =>
  withRequest(contextOf(request.headers), async () => {
    const { env, realtime } = await getChat()
    // A function may be frozen as soon as it has answered.
    if (env.isServerless && env.OTEL_EXPORTER_OTLP_ENDPOINT) after(flushTracing)
    return realtime.handlers[method](request)
  })

export const GET = answer("GET")
export const POST = answer("POST")
