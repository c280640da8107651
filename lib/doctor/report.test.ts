import { stripVTControlCharacters } from "node:util"
import { describe, expect, it } from "vitest"
import { examineEnvironment } from "./environment.ts"
import { clockFinding, type Finding } from "./finding.ts"
import { exitCodeOf, renderReport } from "./report.ts"

const findings: Finding[] = [
  { subject: "PostgreSQL", verdict: "ok", detail: "17.2 answers in 3 ms" },
  { subject: "Ably", verdict: "warning", detail: "tokens can't be revoked", advice: "Switch it on." },
  { subject: "Redis", verdict: "failed", detail: "ECONNREFUSED", advice: "Is it running?" },
]

describe("the report", () => {
  it("lines up what was seen, says what to do, and adds up", () => {
    expect(stripVTControlCharacters(renderReport(findings)).split("\n")).toEqual([
      "✓ PostgreSQL  17.2 answers in 3 ms",
      "! Ably        tokens can't be revoked",
      "              → Switch it on.",
      "✗ Redis       ECONNREFUSED",
      "              → Is it running?",
      "",
      "1 of 3 failed, 1 to look at",
    ])
  })

  it("ends with 1 for a failure alone", () => {
    expect([exitCodeOf(findings), exitCodeOf(findings.slice(0, 2)), exitCodeOf([])]).toEqual([1, 0, 0])
  })

  it.each([
    [0, "ok"],
    [-4_000, "ok"],
    [20_000, "warning"],
    [-700_000, "failed"],
  ])("takes a clock that is %i ms ahead for %s", (aheadMs, verdict) => {
    expect(clockFinding("Pusher", aheadMs, 600_000).verdict).toBe(verdict)
  })
})

describe("the environment", () => {
  it("is looked at whole: everything that is missing is a failure of its own", () => {
    const { env, findings: seen } = examineEnvironment({ NODE_ENV: "production", PUSHER_KEY: "k" })
    expect(env).toBeNull()
    expect(seen.map(({ subject, verdict }) => `${verdict} ${subject}`)).toEqual([
      "failed REALTIME_PROVIDER",
      "failed SESSION_SECRET",
    ])
  })

  it("shows no secret, and warns of what is allowed and seldom meant", () => {
    const source = {
      ...{ REALTIME_PROVIDER: "socketio", SESSION_SECRET: "s".repeat(32), ABLY_API_KEY: "app.key:hidden" },
      ...{ REDIS_URL: "redis://:hidden@cache", SOCKET_URL: "http://live.example", NODE_ENV: "production" },
      SOCKET_INTERNAL_SECRET: "hidden and long enough",
    }
    const warned = (given: Record<string, string>) =>
      examineEnvironment(given)
        .findings.filter(({ verdict }) => verdict === "warning")
        .map(({ subject }) => subject)
    const { findings: seen } = examineEnvironment(source)
    expect(JSON.stringify(seen)).not.toContain("hidden")
    expect(warned(source)).toEqual(["REDIS_URL", "SOCKET_URL", "SOCKET_CORS_ORIGIN", "ably"])
    const mixed = { ...source, APP_ORIGIN: "https://chat.example,http://192.168.1.5:3000" }
    expect(warned(mixed)).toEqual(["REDIS_URL", "SOCKET_URL", "APP_ORIGIN", "ably"])
    expect(warned({ ...source, APP_ORIGIN: "https://chat.example" })).not.toContain("APP_ORIGIN")
  })
})
