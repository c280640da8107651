import { createLogger, type Logger } from "#lib/operations/logger.ts"
import { shareLogger } from "#lib/operations/process-log.ts"

/** The log of a program, and of all that runs in its process; in development in words and colours. */
export async function createProgramLogger(name: string, { dev }: { dev: boolean }): Promise<Logger> {
  const level = process.env.LOG_LEVEL
  if (!dev) return shareLogger(createLogger(name, { level }))
  const { default: pretty } = await import("pino-pretty")
  const destination = pretty({ ignore: "pid,hostname,name,url,requestId", translateTime: "HH:MM:ss" })
  return shareLogger(createLogger(name, { level, destination }))
}
