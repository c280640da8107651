/** Throws what one part failed with, or all of what several did. */
export function throwAny(failures: readonly unknown[]): void {
  if (failures.length > 1) throw new AggregateError(failures, "unable to close all of it")
  if (failures.length > 0) throw failures[0]
}
