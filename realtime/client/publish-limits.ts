import { RealtimeError } from "../errors.ts"

/** A timer of more than this, some 24 days, would end at once. */
export const longestTimerMs = 2 ** 31 - 1

export const closedError = () =>
  new RealtimeError("not-connected", {
    message: "unable to publish; the client was closed",
    retryable: false,
  })
