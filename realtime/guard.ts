import { type ErrorContext, isOwnFailure, logError, type OnError } from "./errors.ts"

/**
 * Calls code that isn't ours: a listener, a handler, a plug-in. What it throws, or its promise rejects with,
 * goes to `onError`, and whatever follows goes on.
 */
export function guard(onError: OnError, stage: string, call: () => unknown): void {
  const report = (error: unknown) => onError(error, { stage })
  try {
    const result = call()
    if (result instanceof Promise) result.catch(report)
  } catch (error) {
    report(error)
  }
}

/**
 * The application's `onError` as all that reports to it may call it: where it
 * fails itself, both errors are logged.
 */
export function createReporter(onError: OnError = logError): OnError {
  if (onError === logError) return logError
  return (error, context) => {
    const failed: OnError = (failure) => {
      logError(error, context)
      logError(failure, { stage: "onError" })
    }
    guard(failed, "onError", () => onError(error, context))
  }
}

/** Failures that were told of, or that belong to one that was. */
const told = new WeakSet<object>()

/** From here on nobody tells of it: what it belongs to was told. */
export function markTold(error: unknown): void {
  if (typeof error === "object" && error !== null) told.add(error)
}

/**
 * Server: for wherever somebody is answered with an error. What the server has to answer for goes to
 * `onError`, once, though several were waiting for the same; a refusal goes nowhere.
 */
export function reportFailure(onError: OnError, error: unknown, context: ErrorContext): void {
  const isTold = typeof error === "object" && error !== null && told.has(error)
  if (isTold || !isOwnFailure(error)) return
  markTold(error)
  onError(error, context)
}
