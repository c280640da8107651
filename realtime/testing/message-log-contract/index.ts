import { appendChecks } from "./append.ts"
import { eraseChecks } from "./erase.ts"
import { lifetimeChecks } from "./lifetime.ts"
import { readChecks } from "./read.ts"
import { snapshotChecks } from "./snapshots.ts"
import { stateChecks } from "./state.ts"
import { trimChecks } from "./trim.ts"

export { type MessageLogCheck, type MessageLogStage, type MessageLogStore, withMessageLog } from "./stage.ts"

/**
 * Every promise that a message log has to keep, as a sentence and how to see that it is kept. A check rejects
 * with what it saw instead. For each one `broken-logs.ts` has a log that breaks it.
 */
export const messageLogChecks = {
  ...appendChecks,
  ...readChecks,
  ...trimChecks,
  ...eraseChecks,
  ...stateChecks,
  ...snapshotChecks,
  ...lifetimeChecks,
}

export type MessageLogPromise = keyof typeof messageLogChecks
