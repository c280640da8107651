import type { IncomingMessage, ServerResponse } from "node:http"
import { type Logger, loggedPath } from "#lib/operations/logger.ts"
import { requestIdHeader, requestIdOf, withRequestId } from "#lib/operations/request-id.ts"

/**
 * Answers a request under its id: a proxy's, or one of its own. Everything that is logged meanwhile has it, so does the answer, and
 * at `debug` there is a line for each request.
 */
export function answerUnderId(
  request: IncomingMessage,
  response: ServerResponse,
  logger: Logger,
  answer: () => void,
): void {
  const id = requestIdOf(request.headers[requestIdHeader.toLowerCase()])
  // Whoever is behind, Next.js or the gateway, goes by the same.
  request.headers[requestIdHeader.toLowerCase()] = id
  response.setHeader(requestIdHeader, id)
  withRequestId(id, () => {
    if (logger.isLevelEnabled("debug")) {
      const began = performance.now()
      const about = { method: request.method, path: loggedPath(request.url) }
      response.once("close", () => {
        const ms = Math.round(performance.now() - began)
        const line = { ...about, status: response.statusCode, isComplete: response.writableFinished, ms }
        withRequestId(id, () => logger.debug(line, "request"))
      })
    }
    answer()
  })
}
