import { logError, type OnError } from "./errors.ts"

/**
 * Calls code that isn't ours: a listener, a handler, a plug-in. What it throws, or its promise rejects with, goes to `onError`,
 * and whatever follows goes on.
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

/** The application's `onError` as all that reports to it may call it: where it fails itself, both errors are logged. */
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
