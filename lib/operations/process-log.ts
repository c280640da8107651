import type { Logger } from "pino"
import type { ErrorContext, OnError, Tracing } from "throughline"
import { createLoggedSteps } from "../tracing/steps.ts"
import { createOnce } from "./once.ts"

/** Next.js and the servers are two bundles of this module; in one process they write to one log. */
const key = Symbol.for("throughline.logger")
const shared = globalThis as typeof globalThis & { [key]?: Logger }

/** From now on all that runs in this process writes to it. */
export function shareLogger(logger: Logger): Logger {
  shared[key] = logger
  return logger
}

const isNew = createOnce()

/** Says what an operator has to change, once in this process. */
export function warnOnce(about: string, fields: object, text: string): void {
  if (isNew(about)) shared[key]?.warn(fields, text)
}

/** Where the realtime layer's background failures go: what failed, at which stage, and whose messages were part of it. */
export const logErrors =
  (logger: Logger): OnError =>
  (error, context) =>
    logger.error({ err: error, ...context }, "realtime")

export interface ProcessLogOptions {
  /** By default the program's that runs this process; where no program of ours does, one of its own. */
  logger?: Logger | undefined
  level?: string | undefined
  /** Of a function, which stands still once it has answered; as in `RealtimeOptions`. */
  waitUntil?: ((work: Promise<unknown>) => void) | undefined
}

export interface ProcessLog {
  onError: OnError
  /** Follows messages, where the log is to say so much. */
  steps: Tracing | undefined
}

/** The log as the chat needs it. What writes its lines is loaded when there is one to write: a cold start doesn't pay for it. */
export async function openProcessLog(options: ProcessLogOptions): Promise<ProcessLog> {
  const { logger = shared[key], level, waitUntil } = options
  const load = async () => (await import("./logger.ts")).createLogger("throughline", { level })
  const isDetailed = level === "debug" || level === "trace"
  const known = logger ?? (isDetailed ? await load() : undefined)
  if (known) return { onError: logErrors(known), steps: createLoggedSteps(known) }
  let loading: Promise<Logger> | undefined
  return {
    onError(error, context) {
      loading ??= load()
      const written = loading.then((loaded) => logErrors(loaded)(error, context))
      waitUntil?.(written)
    },
    steps: undefined,
  }
}

/** Writes one failure to this process's log; resolves when it is written. */
export async function logFailure(error: unknown, context: ErrorContext, level?: string): Promise<void> {
  let written: Promise<unknown> | undefined
  const { onError } = await openProcessLog({
    level,
    waitUntil(work) {
      written = work
    },
  })
  onError(error, context)
  await written
}
