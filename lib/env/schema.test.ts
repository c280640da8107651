import { execFile } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { describe, expect, it } from "vitest"
import { envExample } from "../../scripts/env-example.ts"
import { developmentSecrets } from "./development.ts"
import { EnvError, parseEnv, variables } from "./schema.ts"

const secret = "s".repeat(32)
const production = { NODE_ENV: "production", REALTIME_PROVIDER: "socketio", SESSION_SECRET: secret }
const split = { ...production, SOCKET_INTERNAL_SECRET: secret }
const pusher = {
  ...production,
  REALTIME_PROVIDER: "pusher",
  PUSHER_APP_ID: "1",
  PUSHER_KEY: "k",
  PUSHER_SECRET: "s",
  PUSHER_CLUSTER: "eu",
}
const ably = { ...production, REALTIME_PROVIDER: "ably", ABLY_API_KEY: "a.b:c" }
const files = {
  ...production,
  FILES_S3_ENDPOINT: "https://s3.example",
  FILES_S3_BUCKET: "files",
  FILES_S3_ACCESS_KEY_ID: "id",
  FILES_S3_SECRET_ACCESS_KEY: "key",
}

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
    [{ ...production, REALTIME_PROVIDER: "," }, "must name a provider"],
    [{ ...production, SESSION_SECRET: " ".repeat(40) }, "SESSION_SECRET is missing"],
    [{ ...pusher, PUSHER_CLUSTER: " \n" }, "PUSHER_CLUSTER is missing"],
    [{ ...pusher, PUSHER_PORT: "6001" }, "PUSHER_PORT is set without PUSHER_HOST"],
    [{ ...pusher, PUSHER_TLS: "false" }, "PUSHER_TLS is false without PUSHER_HOST"],
    [{ ...pusher, PUSHER_HOST: "https://ws.example:6001" }, "without scheme, port or path"],
    [{ ...pusher, PUSHER_HOST: "ws.example:6001" }, "without scheme, port or path"],
    [{ ...ably, ABLY_PORT: "8080" }, "ABLY_PORT is set without ABLY_ENDPOINT"],
    [{ ...ably, ABLY_TLS: "0" }, "ABLY_TLS is false without ABLY_ENDPOINT"],
    [{ ...ably, ABLY_ENDPOINT: "https://ably.example" }, "without scheme, port or path"],
    [{ ...ably, DATABASE_URL: "postgres://x", REALTIME_LIVE_ONLY: "true" }, "not both"],
    [
      { ...production, REALTIME_PROVIDER: undefined, PUSHER_KEY: "k", ABLY_API_KEY: "a.b:c" },
      "pusher and ably are set",
    ],
    [{ SESSION_SECRET: secret, PUSHER_KEY: "k", ABLY_API_KEY: "a.b:c" }, "pusher and ably are set"],
    [{ ...production, SESSION_SECRET: "short" }, "at least 32 characters"],
    [{ ...production, SOCKET_URL: "https://chat.example" }, "SOCKET_INTERNAL_SECRET is missing"],
    [{ ...production, SOCKET_CORS_ORIGIN: "chat.example" }, "list of origins"],
    [{ ...production, SOCKET_CORS_ORIGIN: "https://chat.example/rooms" }, "without path"],
    [{ ...production, SOCKET_CORS_ORIGIN: "https://chat.example,*" }, "list of origins"],
    [{ ...production, SOCKET_CORS_ORIGIN: "https://*.chat.example" }, "list of origins"],
    [{ ...production, SOCKET_CORS_ORIGIN: "wss://chat.example" }, "list of origins"],
    [{ ...production, SOCKET_CORS_ORIGIN: "null" }, "list of origins"],
    [{ ...production, SOCKET_CORS_ORIGIN: "capacitor://localhost/rooms" }, "list of origins"],
    [{ ...production, SOCKET_CORS_ORIGIN: "chrome-extension://*" }, "list of origins"],
    [{ ...production, SOCKET_CORS_ORIGIN: "file:///" }, "list of origins"],
    [{ ...production, APP_ORIGIN: "capacitor://localhost" }, "list of origins"],
    [{ ...split, SOCKET_URL: "https://chat.example/live" }, "without path"],
    [{ ...split, SOCKET_URL: "https://chat.example/?x" }, "without path"],
    [{ ...split, SOCKET_URL: "https://user:word@chat.example" }, "must be an origin"],
    [{ ...split, SOCKET_URL: "wss://chat.example" }, "must be an origin"],
    [{ ...split, SOCKET_URL: "localhost:3001" }, "must be an origin"],
    [{ ...split, SOCKET_INTERNAL_URL: "http://gateway:3001/internal" }, "without path"],
    [{ ...production, REDIS_URL: "redis://cache:port" }, "begins with redis://"],
    [{ ...production, HOST: "http://127.0.0.1" }, "HOST must be a host alone"],
    [{ ...production, HOST: "127.0.0.1:3000" }, "HOST must be a host alone"],
    [{ ...production, HOST: "127.0.0.1:80" }, "HOST must be a host alone"],
    [{ ...production, HOST: "127.0.0.1%eth0" }, "HOST must be a host alone"],
    [{ ...production, HOST: "fe80::1%" }, "HOST must be a host alone"],
    [{ ...ably, ABLY_ENDPOINT: "ably.example:8080" }, "without scheme, port or path"],
    [{ ...production, OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318/?x" }, "must be a URL"],
    [{ ...production, OTEL_EXPORTER_OTLP_HEADERS: "a=50%" }, "must list headers"],
    [{ ...production, OTEL_EXPORTER_OTLP_HEADERS: "a b=x" }, "must list headers"],
    [{ ...production, OTEL_EXPORTER_OTLP_HEADERS: "a=x%0Ay" }, "must list headers"],
    [{ ...production, OTEL_EXPORTER_OTLP_HEADERS: "," }, "must list headers"],
    [{ ...production, PUSHER_TLS: "maybe" }, "must be true or false"],
    [{ ...production, LOG_RETENTION_DAYS: "0" }, "LOG_RETENTION_DAYS"],
    [{ ...production, FILES_S3_REGION: "auto" }, "FILES_S3_ENDPOINT is missing: FILES_S3_REGION is set"],
    [{ ...files, FILES_S3_SECRET_ACCESS_KEY: undefined }, "FILES_S3_SECRET_ACCESS_KEY is missing"],
    [{ ...files, FILES_S3_ENDPOINT: "s3.example" }, "must be a URL"],
    [{ ...files, FILES_S3_BUCKET: "a/b" }, "must be a bucket's name"],
    [{ ...production, VERCEL: "1", DATABASE_URL: "postgres://x" }, "holds no socket"],
    [{ ...ably, VERCEL: "1" }, "on a serverless host an embedded file does not last"],
  ])("%j is refused: %s", (source, words) => {
    expect(problemsOf(source).join("\n")).toContain(words)
  })

  it("says what the known names of a malformed list lack, and nothing of those that nobody named", () => {
    const problems = problemsOf({
      NODE_ENV: "production",
      VERCEL: "1",
      DATABASE_URL: "postgres://x",
      SESSION_SECRET: secret,
      REALTIME_PROVIDER: "abyl,pusher",
    })
    expect(problems.map((problem) => problem.split(" ")[0])).toEqual([
      "REALTIME_PROVIDER",
      "PUSHER_APP_ID",
      "PUSHER_KEY",
      "PUSHER_SECRET",
      "PUSHER_CLUSTER",
    ])
    for (const REALTIME_PROVIDER of [undefined, "pushr"]) {
      const source = { ...production, VERCEL: "1", DATABASE_URL: "postgres://x", REALTIME_PROVIDER }
      expect(problemsOf(source)).toMatchObject([
        expect.stringMatching(/^REALTIME_PROVIDER (is missing|must be)/),
      ])
    }
  })

  it("doesn't take a line break at the end for a part of the value", () => {
    expect(parseEnv({ ...pusher, PUSHER_SECRET: "s\n", REALTIME_PROVIDER: "pusher\n" })).toMatchObject({
      PUSHER_SECRET: "s",
      REALTIME_PROVIDER: ["pusher"],
    })
  })

  it.each([
    {
      ...pusher,
      PUSHER_CLUSTER: undefined,
      PUSHER_HOST: "ws_1.example",
      PUSHER_PORT: "6001",
      PUSHER_TLS: "false",
    },
    { ...pusher, PUSHER_HOST: "::1" },
    { ...pusher, PUSHER_TLS: "true" },
    { ...ably, ABLY_ENDPOINT: "nonprod:sandbox" },
    { ...ably, ABLY_ENDPOINT: "localhost", ABLY_PORT: "8080", ABLY_TLS: "false" },
    { ...production, DATABASE_URL: "POSTGRES://x", REDIS_URL: "REDIS://x" },
    { ...production, OTEL_EXPORTER_OTLP_HEADERS: "api-key=50%25, other=a%2Cb=" },
    files,
  ])("%j is taken", (source) => {
    expect(problemsOf(source)).toEqual([])
  })

  it.each([
    ["SOCKET_CORS_ORIGIN", "https://chat.example/", ["https://chat.example"]],
    ["SOCKET_CORS_ORIGIN", "HTTPS://Chat.Example", ["https://chat.example"]],
    [
      "SOCKET_CORS_ORIGIN",
      "https://chat.example:443, http://10.0.0.7:80",
      ["https://chat.example", "http://10.0.0.7"],
    ],
    ["SOCKET_CORS_ORIGIN", "https://チャット.example", ["https://xn--7ckep0i.example"]],
    [
      "SOCKET_CORS_ORIGIN",
      "capacitor://localhost, Tauri://LocalHost/, chrome-extension://abc",
      ["capacitor://localhost", "tauri://localhost", "chrome-extension://abc"],
    ],
    ["SOCKET_URL", "https://Live.example:443/", "https://live.example"],
    ["SOCKET_INTERNAL_URL", "http://127.1:3001/", "http://127.0.0.1:3001"],
    ["FILES_S3_ENDPOINT", "https://S3.example:443/minio/", "https://s3.example/minio"],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/", "http://collector:4318"],
    ["HOST", "::", "::"],
    ["HOST", "[::1]", "::1"],
    ["HOST", "0:0:0:0:0:0:0:1", "::1"],
    ["HOST", "LocalHost", "localhost"],
    ["HOST", "fe80::1%eth0", "fe80::1%eth0"],
    ["HOST", "[FE80:0::1%en0]", "fe80::1%en0"],
    ["PUSHER_HOST", "::1", "[::1]"],
    ["PUSHER_HOST", "WS_1.example", "ws_1.example"],
  ] as const)("reads %s as browsers read addresses: %s", (name, value, read) => {
    expect(parseEnv({ ...files, SOCKET_INTERNAL_SECRET: secret, [name]: value })[name]).toEqual(read)
  })

  it("takes an operator's word for losing messages", () => {
    expect(problemsOf({ ...ably, VERCEL: "1", REALTIME_LIVE_ONLY: "true" })).toEqual([])
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

  it.each(["", "{", "null", "{}", '{"SESSION_SECRET":5}'])(
    "are made anew where what is kept is %j, as after a crash, and nothing else is left",
    (broken) => {
      const DATA_DIR = mkdtempSync(join(tmpdir(), "throughline-env-"))
      writeFileSync(join(DATA_DIR, "secrets.json"), broken)
      const made = developmentSecrets({ DATA_DIR })
      expect(problemsOf({ ...made })).toEqual([])
      expect(developmentSecrets({ DATA_DIR })).toEqual(made)
      expect(readdirSync(DATA_DIR)).toEqual(["secrets.json"])
    },
  )

  it("are kept where one of the two is there", () => {
    const DATA_DIR = mkdtempSync(join(tmpdir(), "throughline-env-"))
    writeFileSync(join(DATA_DIR, "secrets.json"), JSON.stringify({ SESSION_SECRET: secret }))
    const made = developmentSecrets({ DATA_DIR })
    expect(made.SESSION_SECRET).toBe(secret)
    expect(problemsOf({ ...made })).toEqual([])
    expect(developmentSecrets({ DATA_DIR })).toEqual(made)
  })

  it("are left to the process that makes them", () => {
    const DATA_DIR = mkdtempSync(join(tmpdir(), "throughline-env-"))
    const lock = join(DATA_DIR, "secrets.json.lock")
    const theirs = { SESSION_SECRET: secret, SOCKET_INTERNAL_SECRET: secret }
    writeFileSync(lock, "")
    writeFileSync(join(DATA_DIR, "secrets.json"), JSON.stringify(theirs))
    expect(developmentSecrets({ DATA_DIR })).toEqual(theirs)
    expect(existsSync(lock)).toBe(true)
  })

  it("are made at once where a process was killed while it made them, whenever it was", () => {
    const DATA_DIR = mkdtempSync(join(tmpdir(), "throughline-env-"))
    const left = ["secrets.json.lock", "secrets.json.lock.1"]
    // Before anything was in it, and after.
    for (const [turn, name] of left.entries()) {
      writeFileSync(join(DATA_DIR, name), turn === 0 ? "" : "{")
      utimesSync(join(DATA_DIR, name), 1, 1)
    }
    const made = developmentSecrets({ DATA_DIR })
    expect(readdirSync(DATA_DIR)).toEqual(["secrets.json"])
    expect(developmentSecrets({ DATA_DIR })).toEqual(made)
  })

  it("are made after a while where the lock that was left seems to be of a day to come", () => {
    const DATA_DIR = mkdtempSync(join(tmpdir(), "throughline-env-"))
    const [lock, tomorrow] = [join(DATA_DIR, "secrets.json.lock"), Date.now() / 1_000 + 86_400]
    writeFileSync(lock, "")
    utimesSync(lock, tomorrow, tomorrow)
    expect(developmentSecrets({ DATA_DIR }, { patienceMs: 50 })).toMatchObject({
      SESSION_SECRET: expect.any(String),
    })
    expect(readdirSync(DATA_DIR)).toEqual(["secrets.json"])
  })

  it("are the same for processes that start at once, over broken ones too", async () => {
    const file = new URL("./development.ts", import.meta.url).href
    const script = `const { developmentSecrets } = await import(${JSON.stringify(file)}); console.log(JSON.stringify(developmentSecrets(process.env)))`
    const DATA_DIR = mkdtempSync(join(tmpdir(), "throughline-env-"))
    writeFileSync(join(DATA_DIR, "secrets.json"), "")
    // Left by one that was killed: all of them find it.
    writeFileSync(join(DATA_DIR, "secrets.json.lock"), "")
    utimesSync(join(DATA_DIR, "secrets.json.lock"), 1, 1)
    const start = () =>
      promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
        env: { ...process.env, DATA_DIR },
      })
    const outputs = await Promise.all(Array.from({ length: 4 }, start))
    expect(new Set(outputs.map(({ stdout }) => stdout)).size).toBe(1)
    expect(readdirSync(DATA_DIR)).toEqual(["secrets.json"])
  })
})

describe(".env.example", () => {
  it("lists every variable as the schema has it (`node scripts/env-example.ts` writes it)", () => {
    expect(readFileSync(new URL("../../.env.example", import.meta.url), "utf8")).toBe(envExample())
  })
})

describe("LIMITS", () => {
  it("are budgets by their names", () => {
    const given = { ...production, LIMITS: "publishes-of-a-person=200/10, rooms-of-a-person=50/3600" }
    expect(parseEnv(given).LIMITS).toEqual({
      "publishes of a person": { points: 200, seconds: 10 },
      "rooms of a person": { points: 50, seconds: 3600 },
    })
    expect(parseEnv(production).LIMITS).toBeUndefined()
  })

  it.each([["200"], ["publishes=200/10"], ["publishes-of-a-person=200/10,nothing=1/1"]])(
    "aren't %s",
    (LIMITS) => {
      expect(problemsOf({ ...production, LIMITS })).toEqual([
        expect.stringContaining("LIMITS must list budgets"),
      ])
    },
  )

  it.each([["0"], ["-1"], ["many"], ["1.5"]])("MAX_CONNECTIONS isn't %s", (MAX_CONNECTIONS) => {
    expect(problemsOf({ ...production, MAX_CONNECTIONS })).toHaveLength(1)
  })
})
