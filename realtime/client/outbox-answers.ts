import { isPageOver, isRealtimeError, RealtimeError } from "../errors.ts"
import type { PublishResult } from "../transport.ts"
import type { OutboxEntry } from "./outbox-entries.ts"

/** What a request brought: a result for each message; or, without one, why, which is the same for each. */
export type Answer = readonly PublishResult[] | RealtimeError

/** The result of one message of the request. */
export const resultAt = (answer: Answer, index: number): PublishResult =>
  isRealtimeError(answer) ? { error: answer } : (answer[index] ?? { error: unanswered() })

/**
 * Why a message stays where it is, to be tried again; null where it leaves, accepted or refused. What is kept
 * stays for its writer's next page, too; whoever published waits in this one.
 */
export function obstacleOf({ caller }: OutboxEntry, result: PublishResult): RealtimeError | null {
  if ("receipt" in result) return null
  const { error } = result
  return error.retryable || (!caller && isPageOver(error)) ? error : null
}

/** Whether something on the way takes less at once. A message that is too large alone is found alone. */
export const isTooLargeTogether = (batch: readonly OutboxEntry[], answer: Answer) =>
  isRealtimeError(answer) && answer.code === "message-too-large" && batch.length > 1

/**
 * Whether the server failed at this message, the first that stays, and doesn't know why. A whole request at
 * which it fails says nothing of a message.
 */
export const isAccident = ({ caller }: OutboxEntry, { code, retryable }: RealtimeError, answer: Answer) =>
  code === "internal" && retryable && !isRealtimeError(answer) && !caller

/** How what stays is shown: where there was no way for it, it wasn't tried in vain. */
export const stateBehind = (error: RealtimeError): Pick<OutboxEntry, "state" | "error"> =>
  error.code === "not-connected" || isPageOver(error) ? { state: "queued" } : { state: "failed", error }

const unanswered = () =>
  new RealtimeError("internal", { message: "unable to publish; the answer is incomplete" })
