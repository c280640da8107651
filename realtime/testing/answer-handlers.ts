import type { IncomingMessage, ServerResponse } from "node:http"
import { text } from "node:stream/consumers"
import type { Realtime } from "../server/types.ts"

/** Lets the catch-all route answer what has come to a server of Node, as from somebody with these headers. */
export async function answerHandlers(
  handlers: Realtime["handlers"],
  request: IncomingMessage,
  response: ServerResponse,
  headers: Record<string, string> = {},
): Promise<void> {
  const isPost = request.method === "POST"
  const asked = new Request(new URL(request.url ?? "", "http://server.test"), {
    method: isPost ? "POST" : "GET",
    headers: { ...(request.headers as Record<string, string>), ...headers },
    body: isPost ? await text(request) : null,
  })
  const answer = await handlers[isPost ? "POST" : "GET"](asked)
  response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text())
}
