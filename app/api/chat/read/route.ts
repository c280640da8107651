import { getChat } from "#lib/realtime/server.ts"

export const dynamic = "force-dynamic"

export const POST = async (request: Request) => (await getChat()).handlers.read(request)
