import { getChat } from "#lib/realtime/server.ts"

export const dynamic = "force-dynamic"

export const POST = async (request: Request) => (await getChat()).fileHandlers.announce(request)
