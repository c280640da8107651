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

it("what strangers make fail again and again is so many lines a minute, whatever they say", async () => {
  const decode = (words: string) => {
    try {
      return BigInt(words)
    } catch (error) {
      return error
    }
  }
  // Of another message each, some of which look like a place.
  for (let time = 0; time < 30; time += 1) await fail(decode(`x\n    at place${time} (a.js:1:1)\n`), "/")
  expect(lines).toHaveLength(10)
  await fail(new Error("something else"), "/")
  expect(lines).toHaveLength(11)
})

it("the same failure is told of once, and a refusal isn't", async () => {
  const failure = new RealtimeError("log-unavailable", { message: "unable to read" })
  await fail(failure, "/rooms/lobby")
  await fail(failure, "/rooms/lobby")
  await fail(new RealtimeError("rate-limited", { message: "unable to read more" }), "/rooms/lobby")
  expect(lines).toHaveLength(1)
})
