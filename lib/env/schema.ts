import { tmpdir } from "node:os"
import { join } from "node:path"
import * as z from "zod"

export const providerNames = ["socketio", "pusher", "ably"] as const
export type ProviderName = (typeof providerNames)[number]

interface Variable {
  /** What it is for, as `.env.example` says it. */
  meaning: string
  isSecret: boolean
  schema: z.ZodType
}

const text = z.string().min(1)
const port = z.coerce.number().int().min(0).max(65535)
const secret = z.string().min(16, "must have at least 16 characters")
const url = z.url({ protocol: /^https?$/, error: "must be a URL that begins with http:// or https://" })
const flag = z
  .enum(["true", "false", "1", "0"], { error: "must be true or false" })
  .transform((v) => v === "true" || v === "1")
const count = z.coerce.number({ error: "must be a number" }).int().positive()
const list = z.string().transform((value) =>
  value
    .split(",")
    .map((item) => item.trim())
    .filter(Boolean),
)

/** Every variable once. `.env.example` is compared with this by a test. */
export const variables = {
  REALTIME_PROVIDER: {
    meaning: "Who carries the messages: socketio, pusher or ably. Unset in development: socketio.",
    isSecret: false,
    schema: list.pipe(
      z
        .array(
          z.enum(providerNames, { error: `must be one of ${providerNames.join(", ")}, or a list of them` }),
        )
        .min(1)
        .refine((names) => new Set(names).size === names.length, "must not name a provider twice"),
    ),
  },
  DATABASE_URL: {
    meaning: "PostgreSQL for the log and the chat's tables. Unset: SQLite files under DATA_DIR.",
    isSecret: true,
    schema: z.string().regex(/^postgres(ql)?:\/\//, "must begin with postgres://"),
  },
  SESSION_SECRET: {
    meaning: "Signs sessions. Required in production; at least 32 characters.",
    isSecret: true,
    schema: z.string().min(32, "must have at least 32 characters"),
  },
  PUSHER_APP_ID: { meaning: "Pusher: the app's id.", isSecret: false, schema: text },
  PUSHER_KEY: { meaning: "Pusher: the app's key. It stands in the page.", isSecret: false, schema: text },
  PUSHER_SECRET: { meaning: "Pusher: the app's secret.", isSecret: true, schema: text },
  PUSHER_CLUSTER: { meaning: "Pusher: the app's cluster, as in eu.", isSecret: false, schema: text },
  PUSHER_HOST: {
    meaning: "A server of Pusher's protocol other than Pusher's own.",
    isSecret: false,
    schema: text,
  },
  PUSHER_PORT: { meaning: "Its port.", isSecret: false, schema: port },
  PUSHER_TLS: { meaning: "Whether it speaks TLS. Default true.", isSecret: false, schema: flag },
  ABLY_API_KEY: {
    meaning: "Ably: the API key, as in appId.keyId:secret.",
    isSecret: true,
    schema: z.string().regex(/^[^:.]+\.[^:.]+:.+$/, "must look like appId.keyId:secret"),
  },
  ABLY_ENDPOINT: {
    meaning: "A host that speaks Ably's protocol other than Ably's own.",
    isSecret: false,
    schema: text,
  },
  ABLY_PORT: { meaning: "Its port.", isSecret: false, schema: port },
  ABLY_TLS: { meaning: "Whether it speaks TLS. Default true.", isSecret: false, schema: flag },
  SOCKET_URL: {
    meaning:
      "Where browsers reach a gateway in its own process. Unset: the gateway is part of the app's process.",
    isSecret: false,
    schema: url,
  },
  SOCKET_INTERNAL_URL: {
    meaning: "Where the app's servers reach that gateway. Default: SOCKET_URL.",
    isSecret: false,
    schema: url,
  },
  SOCKET_INTERNAL_SECRET: {
    meaning: "Shared by the app and that gateway. Required in production with SOCKET_URL.",
    isSecret: true,
    schema: secret,
  },
  SOCKET_CORS_ORIGIN: {
    meaning: "Origins whose pages may connect to the gateway, besides its own; separated by commas.",
    isSecret: false,
    schema: list.pipe(z.array(z.url({ error: "must be a list of origins, as in https://chat.example" }))),
  },
  REDIS_URL: {
    meaning: "Redis, for several gateways.",
    isSecret: true,
    schema: z.string().regex(/^rediss?:\/\//, "must begin with redis://"),
  },
  PORT: { meaning: "Where to listen. Default 3000; the gateway alone: 3001.", isSecret: false, schema: port },
  HOST: { meaning: "The address to listen on. Default: all.", isSecret: false, schema: text },
  DATA_DIR: { meaning: "Where SQLite files are kept. Default .data.", isSecret: false, schema: text },
  LOG_LEVEL: {
    meaning: "How much the servers log: trace, debug, info, warn, error, silent. Default info.",
    isSecret: false,
    schema: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]),
  },
  LOG_RETENTION_DAYS: {
    meaning: "Messages older than this many days are removed.",
    isSecret: false,
    schema: count,
  },
  LOG_RETENTION_MESSAGES: {
    meaning: "Of each room, this many of the newest messages stay.",
    isSecret: false,
    schema: count,
  },
  REALTIME_LIVE_ONLY: {
    meaning: "Accepts that messages are lost with the instance, on a serverless host without DATABASE_URL.",
    isSecret: false,
    schema: flag,
  },
} as const satisfies Record<string, Variable>

export type VariableName = keyof typeof variables
type Parsed = { [Name in VariableName]?: z.output<(typeof variables)[Name]["schema"]> }

/** What the process runs with: parsed, completed with defaults, frozen. */
export type Env = Readonly<
  Omit<Parsed, "REALTIME_PROVIDER"> & {
    REALTIME_PROVIDER: readonly ProviderName[]
    SESSION_SECRET: string
    SOCKET_INTERNAL_SECRET: string
    SOCKET_CORS_ORIGIN: readonly string[]
    PORT: number
    DATA_DIR: string
    REALTIME_LIVE_ONLY: boolean
    isProduction: boolean
  }
>

/** Everything that is wrong with the environment, in one message that names no value. */
export class EnvError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`The environment is not complete:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`)
    this.name = "EnvError"
    this.problems = problems
  }
}

const requiredBy: Record<ProviderName, readonly VariableName[]> = {
  socketio: [],
  pusher: ["PUSHER_APP_ID", "PUSHER_KEY", "PUSHER_SECRET"],
  ably: ["ABLY_API_KEY"],
}

/** Reads the environment. Throws an `EnvError` that lists everything that is wrong, all at once. */
export function parseEnv(source: Readonly<Record<string, string | undefined>>): Env {
  const isProduction = source.NODE_ENV === "production"
  const problems: string[] = []
  const parsed: Record<string, unknown> = {}
  for (const [name, { schema }] of Object.entries(variables)) {
    const value = source[name]
    if (value === undefined || value === "") continue
    const result = schema.safeParse(value)
    if (result.success) parsed[name] = result.data
    else problems.push(`${name} ${result.error.issues[0]?.message ?? "is malformed"}.`)
  }
  const env = parsed as Parsed
  const isSet = (name: VariableName) => Boolean(source[name])
  const missing = (name: VariableName, why: string) => problems.push(`${name} is missing: ${why}.`)

  const given = providerNames.filter((provider) => requiredBy[provider].some(isSet))
  // In development one provider's variables may wait for their day; with two nobody could tell which was meant.
  if (!isSet("REALTIME_PROVIDER") && (isProduction || given.length > 1)) {
    const hint =
      given.length > 0 ? ` Variables of ${given.join(" and ")} are set; choosing is up to you.` : ""
    problems.push(`REALTIME_PROVIDER is missing: choose one of ${providerNames.join(", ")}.${hint}`)
  }
  const chosen: readonly ProviderName[] = env.REALTIME_PROVIDER ?? ["socketio"]
  for (const provider of chosen) {
    for (const name of requiredBy[provider])
      if (!isSet(name)) missing(name, `REALTIME_PROVIDER names ${provider}`)
  }
  if (chosen.includes("pusher") && !isSet("PUSHER_CLUSTER") && !isSet("PUSHER_HOST")) {
    missing("PUSHER_CLUSTER", "REALTIME_PROVIDER names pusher, and PUSHER_HOST isn't set either")
  }
  if (!isSet("SESSION_SECRET"))
    missing("SESSION_SECRET", "it signs sessions; `openssl rand -hex 32` makes one")
  if (isSet("SOCKET_URL") && !isSet("SOCKET_INTERNAL_SECRET")) {
    missing(
      "SOCKET_INTERNAL_SECRET",
      "SOCKET_URL is set, and the gateway there has to share a secret with this process",
    )
  }
  const isServerless = Boolean(source.VERCEL || source.AWS_LAMBDA_FUNCTION_NAME)
  if (isServerless && chosen.includes("socketio") && !isSet("SOCKET_URL")) {
    problems.push(
      "REALTIME_PROVIDER names socketio, and a serverless function holds no socket: choose pusher or ably.",
    )
  }
  if (isServerless && !isSet("DATABASE_URL") && !env.REALTIME_LIVE_ONLY) {
    problems.push(
      "DATABASE_URL is missing: on a serverless host an embedded file does not last. Set it to a PostgreSQL, or set " +
        "REALTIME_LIVE_ONLY=true to accept that messages are lost with the instance.",
    )
  }
  if (problems.length > 0) throw new EnvError(problems)

  const sessionSecret = env.SESSION_SECRET as string
  return Object.freeze({
    ...env,
    REALTIME_PROVIDER: chosen,
    SESSION_SECRET: sessionSecret,
    // In one process nobody else needs to know it; it differs from the session's so that one can't stand for the other.
    SOCKET_INTERNAL_SECRET: env.SOCKET_INTERNAL_SECRET ?? `internal:${sessionSecret}`,
    SOCKET_CORS_ORIGIN: env.SOCKET_CORS_ORIGIN ?? [],
    PORT: env.PORT ?? 3000,
    // A serverless function may write there only.
    DATA_DIR: env.DATA_DIR ?? (isServerless ? join(tmpdir(), "throughline") : ".data"),
    REALTIME_LIVE_ONLY: env.REALTIME_LIVE_ONLY ?? false,
    isProduction,
  })
}
