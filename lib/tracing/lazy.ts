import { logError, type Tracing } from "throughline"

/** Browser: follows messages once the code for that is there. Those before it aren't followed. */
export function createLazyTracing(load: () => Promise<Tracing>): Tracing {
  let tracing: Tracing | null = null
  load().then(
    (loaded) => {
      tracing = loaded
    },
    (error: unknown) => logError(error, { stage: "load the code for traces" }),
  )
  return { start: (...step) => tracing?.start(...step) ?? null }
}
