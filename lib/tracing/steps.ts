import type { Logger } from "pino"
import type { Tracing } from "throughline"
import { currentRequest, withRequest } from "../operations/request-context.ts"

/**
 * Follows messages as lines of the log, at `debug`: which request brought which message, when it was committed and when it
 * was handed to whom. Undefined where nobody reads such lines.
 */
export function createLoggedSteps(logger: Logger): Tracing | undefined {
  if (!logger.isLevelEnabled("debug")) return undefined
  return {
    start(step, { id, channel, event }, _parent, attributes) {
      const request = currentRequest()
      const began = performance.now()
      return {
        end(error) {
          const ms = Math.round((performance.now() - began) * 10) / 10
          const line = {
            step,
            message: id,
            channel,
            event,
            ms,
            ...attributes,
            ...(error ? { err: error } : {}),
          }
          // A group is committed on behalf of several requests; each line is its own one's.
          if (request) withRequest(request, () => logger.debug(line, "message"))
          else logger.debug(line, "message")
        },
      }
    },
  }
}
