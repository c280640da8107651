import { getChat } from "#lib/realtime/server.ts"

export const dynamic = "force-dynamic"

export const GET = async (request: Request) => (await getChat()).handlers.keptOut(request)
