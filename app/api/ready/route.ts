import { ready } from "#lib/operations/pages.ts"
import { getChat } from "#lib/realtime/server.ts"

export const dynamic = "force-dynamic"

export const GET = () => ready(async () => (await getChat()).parts)
