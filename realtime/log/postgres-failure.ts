import { RealtimeError } from "../errors.ts"
import { logUnavailable } from "./record.ts"

/**
 * PostgreSQL's and the network's codes that mean something to an operator; a class of
 * codes by its first two characters.
 */
const reasons: Readonly<Record<string, string>> = {
  "08": "the connection to PostgreSQL broke",
  "25006": "PostgreSQL is read-only (a standby, or a full disk)",
  "28": "PostgreSQL refused the credentials",
  "3D": "PostgreSQL has no such database",
  "40": "PostgreSQL undid it in favour of another transaction",
  "42501": "the database user lacks a right that the log needs",
  "53": "PostgreSQL ran out of a resource",
  "53100": "PostgreSQL's disk is full",
  "53300": "PostgreSQL has too many connections",
  "55P03": "PostgreSQL could not get a lock in time",
  "57014": "PostgreSQL cancelled it, most likely for its statement_timeout",
  "57P": "PostgreSQL is starting or shutting down",
  "58": "PostgreSQL met an error of its system",
  ECONNREFUSED: "nothing answers at PostgreSQL's address",
  ECONNRESET: "the connection to PostgreSQL broke",
  ENOENT: "nothing answers at PostgreSQL's socket",
  ENOTFOUND: "PostgreSQL's host name is unknown",
  EPIPE: "the connection to PostgreSQL broke",
  ETIMEDOUT: "PostgreSQL doesn't answer",
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined
}

/** A serialization failure or a deadlock: nothing was kept, and nothing is wrong. */
export function isConflict(error: unknown): boolean {
  const code = codeOf(error)
  return code === "40001" || code === "40P01"
}

/**
 * Why PostgreSQL can't be used now, in words for an operator; null when it answered,
 * and what it was asked was wrong.
 */
export function unavailability(error: unknown): string | null {
  const code = codeOf(error)
  const known = code === undefined ? undefined : reasonFor(code)
  if (known !== undefined) return known
  return !(code !== undefined && isSqlState(code)) && isOfTheWay(error) ? unreachable : null
}

/**
 * What didn't come from PostgreSQL came from the way there, whether or not we know its code; the driver's own
 * have none. Node tells of a host with several addresses by all of their errors, with the code of the first.
 * A programming mistake is another kind of error.
 */
const isOfTheWay = (error: unknown) =>
  error instanceof Error && (error.name === "Error" || error.name === "AggregateError")

/** Codes of PostgreSQL; no class of them begins with the letter of the network's. */
const isSqlState = (code: string) => /^[0-9A-Z]{5}$/.test(code) && !code.startsWith("E")

const unreachable = "PostgreSQL cannot be reached or does not answer"

const reasonFor = (code: string) => reasons[code] ?? reasons[code.slice(0, 3)] ?? reasons[code.slice(0, 2)]

/** Says why without the driver's words, which may hold host, user or part of a connection string. */
export function toLogError(operation: string, error: unknown): RealtimeError {
  const code = codeOf(error)
  if (code === "ERR_INVALID_URL" || error instanceof URIError) {
    // No cause: it holds the text that could not be read, and that may be the secret.
    const message = `unable to ${operation}; the connection string of PostgreSQL is malformed`
    return new RealtimeError("invalid-config", { message })
  }
  const reason =
    unavailability(error) ?? (code === undefined ? unreachable : `PostgreSQL answered with ${code}`)
  return logUnavailable(operation, reason, error)
}
