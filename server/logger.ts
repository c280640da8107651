import { type Logger, pino } from "pino"

export type { Logger }

/**
 * One line of JSON an event, on standard output; in development in words and colours. `LOG_LEVEL` chooses how much.
 */
export async function createLogger(
  name: string,
  { dev, level = "info" }: { dev: boolean; level?: string | undefined },
): Promise<Logger> {
  if (!dev) return pino({ name, level })
  const { default: pretty } = await import("pino-pretty")
  return pino({ level }, pretty({ ignore: "pid,hostname,url", translateTime: "HH:MM:ss" }))
}
