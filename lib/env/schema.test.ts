import { mkdtempSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { envExample } from "../../scripts/env-example.ts"
import { developmentSecrets } from "./development.ts"
import { EnvError, parseEnv, variables } from "./schema.ts"

const secret = "s".repeat(32)
const production = { NODE_ENV: "production", REALTIME_PROVIDER: "socketio", SESSION_SECRET: secret }

function problemsOf(source: Record<string, string | undefined>): readonly string[] {
  try {
    parseEnv(source)
    return []
  } catch (error) {
    if (error instanceof EnvError) return error.problems
    throw error
  }
}

describe("the environment", () => {
  it("needs nothing but secrets in development, and is Socket.IO then", () => {
    expect(parseEnv({ SESSION_SECRET: secret })).toMatchObject({
      REALTIME_PROVIDER: ["socketio"],
      PORT: 3000,
      DATA_DIR: ".data",
      isProduction: false,
    })
  })

  it("says everything that is wrong at once", () => {
    const problems = problemsOf({
      NODE_ENV: "production",
      REALTIME_PROVIDER: "pusher,ably",
      ABLY_API_KEY: "not a key",
      DATABASE_URL: "mysql://x",
      PORT: "seventy",
      SOCKET_URL: "chat.example",
    })
    expect(problems.map((problem) => problem.split(" ")[0])).toEqual([
      "DATABASE_URL",
      "ABLY_API_KEY",
      "SOCKET_URL",
      "PORT",
      "PUSHER_APP_ID",
      "PUSHER_KEY",
      "PUSHER_SECRET",
      "PUSHER_CLUSTER",
      "SESSION_SECRET",
      "SOCKET_INTERNAL_SECRET",
    ])
  })

  it.each([
    [{ ...production, REALTIME_PROVIDER: undefined }, "choose one of socketio, pusher, ably"],
    [{ ...production, REALTIME_PROVIDER: "socket.io" }, "must be one of socketio, pusher, ably"],
    [{ ...production, REALTIME_PROVIDER: "ably,ably" }, "twice"],
    [
      { ...production, REALTIME_PROVIDER: undefined, PUSHER_KEY: "k", ABLY_API_KEY: "a.b:c" },
      "pusher and ably are set",
    ],
    [{ SESSION_SECRET: secret, PUSHER_KEY: "k", ABLY_API_KEY: "a.b:c" }, "pusher and ably are set"],
    [{ ...production, SESSION_SECRET: "short" }, "at least 32 characters"],
    [{ ...production, SOCKET_URL: "https://chat.example" }, "SOCKET_INTERNAL_SECRET is missing"],
    [{ ...production, SOCKET_CORS_ORIGIN: "chat.example" }, "list of origins"],
    [{ ...production, PUSHER_TLS: "maybe" }, "must be true or false"],
    [{ ...production, LOG_RETENTION_DAYS: "0" }, "LOG_RETENTION_DAYS"],
    [{ ...production, VERCEL: "1", DATABASE_URL: "postgres://x" }, "holds no socket"],
    [
      { ...production, VERCEL: "1", REALTIME_PROVIDER: "ably", ABLY_API_KEY: "a.b:c" },
      "on a serverless host an embedded file does not last",
    ],
  ])("%j is refused: %s", (source, words) => {
    expect(problemsOf(source).join("\n")).toContain(words)
  })

  it("takes an operator's word for losing messages", () => {
    const source = { ...production, VERCEL: "1", REALTIME_PROVIDER: "ably", ABLY_API_KEY: "a.b:c" }
    expect(problemsOf({ ...source, REALTIME_LIVE_ONLY: "true" })).toEqual([])
  })

  it("never prints a value", () => {
    const canaries = Object.fromEntries(Object.keys(variables).map((name) => [name, `canary-${name}`]))
    const message = problemsOf({ ...canaries, NODE_ENV: "production" }).join("\n")
    expect(message).not.toBe("")
    expect(message).not.toContain("canary")
  })

  it("derives the internal secret where nobody else has to know it", () => {
    const env = parseEnv(production)
    expect(env.SOCKET_INTERNAL_SECRET).not.toBe("")
    expect(env.SOCKET_INTERNAL_SECRET).not.toBe(env.SESSION_SECRET)
  })

  it("is frozen", () => {
    expect(Object.isFrozen(parseEnv(production))).toBe(true)
  })
})

describe("development secrets", () => {
  it("are made once, kept, and never replace what is set", () => {
    const DATA_DIR = mkdtempSync(join(tmpdir(), "throughline-env-"))
    const first = developmentSecrets({ DATA_DIR })
    expect(developmentSecrets({ DATA_DIR })).toEqual(first)
    expect(developmentSecrets({ DATA_DIR, SESSION_SECRET: secret })).not.toHaveProperty("SESSION_SECRET")
    expect(problemsOf({ ...first })).toEqual([])
  })
})

describe(".env.example", () => {
  it("lists every variable as the schema has it (`node scripts/env-example.ts` writes it)", () => {
    expect(readFileSync(new URL("../../.env.example", import.meta.url), "utf8")).toBe(envExample())
  })
})
