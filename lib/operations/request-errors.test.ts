import { RealtimeError } from "throughline"
import { beforeEach, expect, it, vi } from "vitest"
import { onRequestError } from "../../instrumentation.ts"
import { createLogger } from "./logger.ts"
import { shareLogger } from "./process-log.ts"

const lines: string[] = []
beforeEach(() => {
  lines.length = 0
  shareLogger(createLogger("test", { destination: { write: (line) => void lines.push(line) } }))
  vi.stubEnv("NEXT_RUNTIME", "nodejs")
})

const fail = (error: unknown, path: string) =>
  onRequestError(
    error,
    { path, method: "POST", headers: {} },
    { routerKind: "App Router", routePath: "/x", routeType: "action", revalidateReason: undefined },
  )

it("what an action threw is a line of the process's log, without what the path must not show", async () => {
  await fail(new Error("broken"), "/invitations/a-token?x=1")
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 50, msg: "realtime", stage: "action POST /invitations/…", err: { message: "broken" } },
  ])
})

it("the same failure is told of once, and a refusal isn't", async () => {
  const failure = new RealtimeError("log-unavailable", { message: "unable to read" })
  await fail(failure, "/rooms/lobby")
  await fail(failure, "/rooms/lobby")
  await fail(new RealtimeError("rate-limited", { message: "unable to read more" }), "/rooms/lobby")
  expect(lines).toHaveLength(1)
})
