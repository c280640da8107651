import { getChat } from "#lib/realtime/server.ts"

/** A file: its bytes come by `PUT`, `POST` says that they have come, `GET` reads them. */
export const dynamic = "force-dynamic"

interface Context {
  params: Promise<{ id: string }>
}

const route =
  (name: "serve" | "receive" | "complete" | "discard") =>
  async (request: Request, { params }: Context): Promise<Response> =>
    (await getChat()).fileHandlers[name](request, (await params).id, "file")

export const GET = route("serve")
export const PUT = route("receive")
export const POST = route("complete")
export const DELETE = route("discard")
