import type { Instrumentation } from "next"
import { reportFailure } from "throughline/server"
import { loggedPath } from "./logger.ts"
import { openProcessLog } from "./process-log.ts"

/** Server: writes to this process's log what a page, an action or a route threw; resolves when it is written. */
export const logRequestError: Instrumentation.onRequestError = async (error, request, context) => {
  let written: Promise<unknown> | undefined
  const { onError } = await openProcessLog({
    level: process.env.LOG_LEVEL,
    waitUntil(work) {
      written = work
    },
  })
  const stage = `${context.routeType} ${request.method} ${loggedPath(request.path)}`
  reportFailure(onError, error, { stage })
  await written
}
