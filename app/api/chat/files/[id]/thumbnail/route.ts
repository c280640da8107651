import { getChat } from "#lib/realtime/server.ts"

/** A picture's preview. */
export const dynamic = "force-dynamic"

interface Context {
  params: Promise<{ id: string }>
}

const route =
  (name: "serve" | "receive") =>
  async (request: Request, { params }: Context): Promise<Response> =>
    (await getChat()).fileHandlers[name](request, (await params).id, "thumbnail")

export const GET = route("serve")
export const PUT = route("receive")
