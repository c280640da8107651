import { type Logger, pino } from "pino"

export type { Logger }

/** One line of JSON an event, on standard output. `LOG_LEVEL` chooses how much. */
export function createLogger(name: string, level = "info"): Logger {
  return pino({ name, level })
}
