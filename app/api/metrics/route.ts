import { loadEnv } from "#lib/env/load.ts"
import { metrics } from "#lib/operations/pages.ts"

export const dynamic = "force-dynamic"

export const GET = (request: Request) =>
  metrics(loadEnv().METRICS_TOKEN, request.headers.get("authorization"))
