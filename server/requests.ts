import type { IncomingMessage, ServerResponse } from "node:http"
import { type Logger, loggedPath } from "#lib/operations/logger.ts"
import { contextOf, requestIdHeader, withRequest } from "#lib/operations/request-context.ts"

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
  const context = contextOf(request.headers)
  // Whoever is behind, Next.js or the gateway, goes by the same.
  request.headers[requestIdHeader.toLowerCase()] = context.id
  response.setHeader(requestIdHeader, context.id)
  withRequest(context, () => {
    if (logger.isLevelEnabled("debug")) {
      const began = performance.now()
      const about = { method: request.method, path: loggedPath(request.url) }
      response.once("close", () => {
        const ms = Math.round(performance.now() - began)
        const line = { ...about, status: response.statusCode, isComplete: response.writableFinished, ms }
        withRequest(context, () => logger.debug(line, "request"))
      })
    }
    answer()
  })
}
