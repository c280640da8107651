import { loadEnv } from "#lib/env/load.ts"
import { retention } from "#lib/operations/pages.ts"
import { getChat } from "#lib/realtime/server.ts"

/** Once a day by Vercel's clock, as `vercel.json` says: where nothing runs between requests, nothing is removed by itself. */
export const dynamic = "force-dynamic"

export const GET = (request: Request) =>
  retention(loadEnv().CRON_SECRET, request.headers.get("authorization"), async () =>
    (await getChat()).applyRetention(),
  )
