import type { OnError } from "throughline"
import type { MessageLog } from "throughline/server"
import type { Rooms } from "../chat/rooms.ts"
import type { Env } from "../env/schema.ts"
import type { Files } from "../files/files.ts"

/** How much was removed. */
export interface Removed {
  messages: number
  files: number
}

const trimEveryMs = 10 * 60 * 1000

const isTrimmed = ({ LOG_RETENTION_DAYS, LOG_RETENTION_MESSAGES }: Env) =>
  LOG_RETENTION_DAYS !== undefined || LOG_RETENTION_MESSAGES !== undefined

interface RetentionOptions {
  log: MessageLog
  rooms: Pick<Rooms, "clear">
  files: Files
  env: Env
}

/** What the environment says of keeping, and what nobody can see any more, as something to do. */
export function createRetention({ log, rooms, files, env }: RetentionOptions) {
  const { LOG_RETENTION_DAYS: days, LOG_RETENTION_MESSAGES: maxMessagesPerChannel } = env
  const maxAgeMs = days === undefined ? undefined : days * 86_400_000
  return async (): Promise<Removed> => ({
    messages:
      (await rooms.clear(log)) + (isTrimmed(env) ? await log.trim({ maxAgeMs, maxMessagesPerChannel }) : 0),
    files: await files.clear(log),
  })
}

export interface KeepRetentionOptions {
  applyRetention: () => Promise<Removed>
  env: Env
  onError: OnError
  waitUntil: ((work: Promise<unknown>) => void) | undefined
}

/** Applies the retention now and then, for as long as the process lives; a function, when it starts. */
export function keepRetention({ applyRetention, env, onError, waitUntil }: KeepRetentionOptions): () => void {
  const run = () =>
    applyRetention().then(
      () => {},
      (error: unknown) => onError(error, { stage: "apply the retention" }),
    )
  if (waitUntil) {
    waitUntil(run())
    return () => {}
  }
  const timer = setInterval(run, trimEveryMs).unref()
  if (isTrimmed(env)) void run()
  return () => clearInterval(timer)
}
