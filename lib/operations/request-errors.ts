import type { Instrumentation } from "next"
import { reportFailure } from "throughline/server"
import { loggedPath } from "./logger.ts"
import { logFailure } from "./process-log.ts"
import { createSparing } from "./sparing.ts"

/** Strangers can make one place fail as often as they like: whoever knows an action may call it with what React can't decode. */
const hasRoom = createSparing(10, 60)

/**
 * Server: writes to this process's log what a page, an action or a route threw; resolves when it is written. Of each place in the code that
 * throws there are so many lines a minute.
 */
export const logRequestError: Instrumentation.onRequestError = async (error, request, context) => {
  const stage = `${context.routeType} ${request.method} ${loggedPath(request.path)}`
  const news: Promise<void>[] = []
  reportFailure((failure, at) => void news.push(logSparingly(failure, at)), error, { stage })
  await Promise.all(news)
}

const logSparingly: typeof logFailure = async (error, context) => {
  if (await hasRoom(placeOf(error))) await logFailure(error, context, process.env.LOG_LEVEL)
}

/** The innermost line of code. The message isn't looked at: it may hold a stranger's words, also such that look like one. */
function placeOf(error: unknown): string {
  if (!(error instanceof Error)) return "nowhere"
  const frames = (error.stack ?? "").replace(error.message, () => "")
  return /^\s+at .+$/m.exec(frames)?.[0] ?? error.name
}
