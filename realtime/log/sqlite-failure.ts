/** SQLite's primary result codes that mean something to an operator; https://sqlite.org/rescode.html */
const reasons: Readonly<Record<number, string>> = {
  5: "another process holds the file's lock",
  6: "another process holds the file's lock",
  8: "the file is read-only",
  10: "the disk failed to read or write",
  11: "the file is damaged",
  13: "the disk is full",
  14: "the file cannot be opened for writing",
  26: "the file is not a database",
}

function resultCodeOf(error: unknown): number | undefined {
  const code = error instanceof Error && "errcode" in error ? error.errcode : undefined
  return typeof code === "number" ? code & 0xff : undefined
}

/** True for the error of a file whose lock another process holds: to be tried again. */
export function isLocked(error: unknown): boolean {
  const code = resultCodeOf(error)
  return code === 5 || code === 6
}

/** Why the file can't be used now, in words for an operator; null when what it was asked was wrong. */
export const unavailability = (error: unknown): string | null => reasons[resultCodeOf(error) ?? 0] ?? null

/** Why it failed, in words for an operator; the file's path is left to the cause. */
export function reasonOf(error: unknown): string {
  const code = resultCodeOf(error)
  if (code !== undefined) return reasons[code] ?? `SQLite answered with its code ${code}`
  const isSystemError = error instanceof Error && "syscall" in error && "code" in error
  return isSystemError ? `the file's folder cannot be used (${error.code})` : "it failed unexpectedly"
}
