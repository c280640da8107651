import { describe, expect, it } from "vitest"
import { readEnvironment } from "./environment.ts"

const problem = (source: Record<string, string>) => {
  try {
    readEnvironment(source)
  } catch (error) {
    expect(error).toMatchObject({ code: "invalid-config" })
    const { message } = error as Error
    expect(message).not.toContain("\n")
    return message
  }
  return null
}

const production = { NODE_ENV: "production" }
const pusher = { PUSHER_APP_ID: "1", PUSHER_KEY: "key", PUSHER_SECRET: "secret", PUSHER_CLUSTER: "eu" }

describe("the environment", () => {
  it("may be empty: the bundled gateway, and a file", () => {
    expect(readEnvironment(production)).toMatchObject({
      ...{ providers: ["socketio"], emulated: [], dataDir: ".data", databaseUrl: undefined },
      ...{ isProduction: true, isServerless: false },
    })
  })

  it("names providers in order of preference, and their keys", () => {
    const read = readEnvironment({ ...production, ...pusher, REALTIME_PROVIDER: " pusher, socketio\n" })
    expect(read.providers).toEqual(["pusher", "socketio"])
    expect(read.pusher).toEqual({
      ...{ appId: "1", key: "key", secret: "secret", cluster: "eu" },
      ...{ host: undefined, port: undefined, tls: true },
    })
  })

  it("in development emulates what is named without keys, and nothing of which any is there", () => {
    const both = { NODE_ENV: "development", REALTIME_PROVIDER: "ably,pusher" }
    expect(readEnvironment(both).emulated).toEqual(["ably", "pusher"])
    expect(problem({ ...both, PUSHER_KEY: "key" })).toMatch(
      /PUSHER_APP_ID is missing.*PUSHER_SECRET is missing/,
    )
    expect(problem({ ...production, REALTIME_PROVIDER: "ably" })).toContain("ABLY_API_KEY is missing")
  })

  it.each<[string, Record<string, string>, RegExp]>([
    [
      "an unknown provider",
      { REALTIME_PROVIDER: "pushr" },
      /REALTIME_PROVIDER must be one of socketio, pusher, ably/,
    ],
    [
      "no cluster",
      { REALTIME_PROVIDER: "pusher", ...pusher, PUSHER_CLUSTER: "" },
      /PUSHER_CLUSTER is missing/,
    ],
    [
      "another database",
      { DATABASE_URL: "mysql://localhost/app" },
      /DATABASE_URL must be a URL that begins with postgres:/,
    ],
    ["a port that is none", { SOCKET_PORT: "70000" }, /SOCKET_PORT must be a port/],
    [
      "a flag that is none",
      { REALTIME_PROVIDER: "pusher", ...pusher, PUSHER_TLS: "no" },
      /PUSHER_TLS must be true or false/,
    ],
    ["a short secret", { SESSION_SECRET: "short" }, /SESSION_SECRET must be at least 32 characters/],
    [
      "a gateway elsewhere without a secret",
      { SOCKET_URL: "https://g.example" },
      /SOCKET_INTERNAL_SECRET is missing/,
    ],
    [
      "several gateways without one log",
      { REDIS_URL: "redis://localhost" },
      /DATABASE_URL is missing: REDIS_URL/,
    ],
    [
      "Socket.IO in a function",
      { VERCEL: "1", DATABASE_URL: "postgres://localhost/app" },
      /a serverless function holds no socket/,
    ],
    [
      "a file in a function",
      { AWS_LAMBDA_FUNCTION_NAME: "app", REALTIME_PROVIDER: "pusher", ...pusher },
      /DATABASE_URL is missing: on a serverless host/,
    ],
  ])("refuses %s in one line that names the variable", (_, source, message) => {
    expect(problem({ ...production, ...source })).toMatch(message)
  })

  it("asks for no database where the app's code gives the log", () => {
    const several = { ...production, REDIS_URL: "redis://localhost" }
    const inFunction = { ...production, ...pusher, VERCEL: "1", REALTIME_PROVIDER: "pusher" }
    for (const source of [several, inFunction]) {
      expect(readEnvironment(source, { hasLog: true }).databaseUrl).toBeUndefined()
      expect(problem(source)).toContain("DATABASE_URL is missing")
    }
  })

  it("says everything at once, and no value", () => {
    const message = problem({ ...production, DATABASE_URL: "hunter2", SESSION_SECRET: "hunter3" })
    expect(message).toMatch(/DATABASE_URL.*SESSION_SECRET/)
    expect(message).not.toContain("hunter")
  })

  it("lets a function lose its messages where that is accepted", () => {
    const source = { VERCEL: "1", REALTIME_PROVIDER: "pusher", ...pusher, REALTIME_LIVE_ONLY: "true" }
    expect(problem({ ...production, ...source })).toBeNull()
  })
})
