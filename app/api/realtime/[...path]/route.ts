import { getChat } from "#lib/realtime/server.ts"

/** The adapter's catch-all: history, head, publish, signals, credentials. */
export const dynamic = "force-dynamic"

export const GET = async (request: Request) => (await getChat()).realtime.handlers.GET(request)
export const POST = async (request: Request) => (await getChat()).realtime.handlers.POST(request)
