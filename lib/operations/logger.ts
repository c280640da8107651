import { type DestinationStream, type Logger, pino } from "pino"
import { currentTraceId } from "../tracing/trace-id.ts"
import { currentRequest } from "./request-context.ts"

export type { Logger }

/** What each line says of where it was written: the request that it belongs to, and its trace where there is one. */
function surroundings(): object {
  const requestId = currentRequest()?.id
  const traceId = currentTraceId()
  return { ...(requestId && { requestId }), ...(traceId && { traceId }) }
}

export interface LoggerOptions {
  /** How much, as in `LOG_LEVEL`. Default `info`. */
  level?: string | undefined
  /** Where lines go, in place of standard output. */
  destination?: DestinationStream | undefined
}

/** One line of JSON an event, on standard output. */
export function createLogger(name: string, { level = "info", destination }: LoggerOptions = {}): Logger {
  const options = { name, level, mixin: surroundings }
  return destination ? pino(options, destination) : pino(options)
}

/** A path as a log may show it: the token of an invitation or of a device's link lets in, however it is written, and a query may hold anything. */
export function loggedPath(url: string | undefined): string {
  const path = (url ?? "/").replace(/[?#].*$/s, "")
  const plain = path.replace(/%([0-9a-f]{2})/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  )
  const [, secret] = /\/(invitations|devices)\//i.exec(plain) ?? []
  return secret ? `/${secret.toLowerCase()}/…` : path
}
