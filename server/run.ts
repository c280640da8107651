import type { Logger } from "#lib/operations/logger.ts"
import { stopTracing } from "#lib/tracing/server.ts"
import type { Stoppable } from "./listen.ts"

/**
 * Runs a server until it is told to stop: SIGTERM and SIGINT close it in order, a second one ends it at once. What
 * keeps it from starting is said in one line.
 */
export async function run(logger: Logger, start: () => Promise<Stoppable>): Promise<void> {
  let server: Stoppable
  try {
    server = await start()
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`)
    process.exit(1)
  }

  let isStopping = false
  const stop = async (signal: NodeJS.Signals) => {
    if (isStopping) process.exit(1)
    isStopping = true
    logger.info({ signal }, "stopping")
    await server.close().catch((error: unknown) => {
      logger.error({ err: error }, "unable to close in order")
      process.exitCode = 1
    })
    await stopTracing().catch((error) => logger.warn({ err: error }, "the last traces were not taken"))
    process.exit()
  }
  process.on("SIGTERM", stop)
  process.on("SIGINT", stop)
}

function explain(error: unknown): string {
  const { code, port, message, name } = error as NodeJS.ErrnoException & { port?: number }
  if (code === "EADDRINUSE")
    return `Port ${port} is in use. Stop what listens there, or set PORT to another one.`
  if (code === "EACCES" && port)
    return `Port ${port} needs more rights than this process has. Set PORT to one above 1023.`
  if (message.includes("production build"))
    return "There is no production build yet. Run `npm run build` first."
  return name === "EnvError" || name === "RealtimeError"
    ? message
    : `Unable to start. ${(error as Error).stack ?? error}`
}
