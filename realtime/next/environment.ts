import { tmpdir } from "node:os"
import { join } from "node:path"
import { RealtimeError } from "../errors.ts"

export type ProviderName = (typeof providerNames)[number]
export const providerNames = ["socketio", "pusher", "ably"] as const

/** What this process runs with, read from its variables and checked. */
export interface Environment {
  /** In order of preference. */
  providers: readonly ProviderName[]
  /** Those that are named without keys, in development: their emulators are started. */
  emulated: readonly ProviderName[]
  databaseUrl: string | undefined
  redisUrl: string | undefined
  dataDir: string
  sessionSecret: string | undefined
  socketio: {
    /** Where browsers reach a gateway that isn't on the app's own port. */
    url: string | undefined
    /** Where this process reaches it. */
    internalUrl: string | undefined
    internalSecret: string | undefined
    /** The gateway's own port, in this process. */
    port: number | undefined
    allowedOrigins: readonly string[]
  }
  pusher: { appId: string; key: string; secret: string; cluster: string } & OwnHost<"host">
  ably: { apiKey: string } & OwnHost<"endpoint">
  isProduction: boolean
  /** A function: many instances, none of which lasts. */
  isServerless: boolean
  /** `next build`, which draws pages and serves nobody. */
  isBuilding: boolean
}

type OwnHost<Name extends string> = { [Key in Name]: string | undefined } & {
  port: number | undefined
  tls: boolean
}

/** What a provider can't do without. */
const keys: Record<ProviderName, readonly string[]> = {
  socketio: [],
  pusher: ["PUSHER_APP_ID", "PUSHER_KEY", "PUSHER_SECRET"],
  ably: ["ABLY_API_KEY"],
}

const leastSecretLength = 32

type Variables = Readonly<Record<string, string | undefined>>

interface Given {
  /** The app's code gives the log itself; the variables needn't say where one is. */
  hasLog?: boolean
}

/**
 * Reads the variables of this process. Throws `invalid-config` with one line that names every variable that
 * is missing or malformed, what to do about it, and no value.
 */
export function readEnvironment(source: Variables, given?: Given): Environment {
  const { environment, problems } = examineEnvironment(source, given)
  if (problems.size > 0) {
    const told = [...problems].map(([name, problem]) => `${name} ${problem}`).join(" ")
    throw new RealtimeError("invalid-config", { message: `unable to read the environment; ${told}` })
  }
  return environment
}

/**
 * The same without throwing: what is wrong, by the variable that it is about, in a sentence without the
 * variable's name or a value.
 */
export function examineEnvironment(
  source: Variables,
  { hasLog = false }: Given = {},
): {
  environment: Environment
  problems: ReadonlyMap<string, string>
} {
  const problems = new Map<string, string>()
  // What is malformed isn't said to be missing, too.
  const refuse = (name: string, problem: string) => problems.has(name) || problems.set(name, problem)
  // What was pasted into a form or piped into a command line often ends in a line break.
  const text = (name: string) => source[name]?.trim() || undefined
  const listOf = (name: string) =>
    (text(name) ?? "")
      .split(",")
      .map((item) => item.trim())
      .filter(Boolean)

  function read<Value>(name: string, parse: (value: string) => Value | undefined, rule: string) {
    const value = text(name)
    const parsed = value === undefined ? undefined : parse(value)
    if (value !== undefined && parsed === undefined) refuse(name, `must be ${rule}.`)
    return parsed
  }
  const url = (name: string, ...protocols: string[]) =>
    read(
      name,
      (value) => (protocols.includes(URL.parse(value)?.protocol.slice(0, -1) ?? "") ? value : undefined),
      `a URL that begins with ${protocols.map((protocol) => `${protocol}://`).join(" or ")}`,
    )
  const port = (name: string) =>
    read(
      name,
      (value) =>
        /^\d{1,5}$/.test(value) && Number(value) > 0 && Number(value) < 65_536 ? Number(value) : undefined,
      "a port, from 1 to 65535",
    )
  const flag = (name: string) => read(name, (value) => ({ true: true, false: false })[value], "true or false")
  const secret = (name: string) =>
    read(
      name,
      (value) => (value.length >= leastSecretLength ? value : undefined),
      `at least ${leastSecretLength} characters; \`openssl rand -hex 32\` makes one`,
    )

  const isProduction = source.NODE_ENV === "production"
  const isServerless = Boolean(text("VERCEL") || text("AWS_LAMBDA_FUNCTION_NAME"))
  const named = listOf("REALTIME_PROVIDER")
  const providers =
    named.length === 0 ? (["socketio"] as const) : providerNames.filter((name) => named.includes(name))
  if (named.some((name) => !providerNames.some((known) => known === name)))
    refuse(
      "REALTIME_PROVIDER",
      `must be one of ${providerNames.join(", ")}, or several, separated by commas.`,
    )
  const inOrder = [...providers].sort((a, b) => named.indexOf(a) - named.indexOf(b))

  const emulated = inOrder.filter(
    (provider) =>
      source.NODE_ENV === "development" && keys[provider].length > 0 && !keys[provider].some(text),
  )
  for (const provider of inOrder.filter((name) => !emulated.includes(name))) {
    const missing = keys[provider].filter((name) => !text(name))
    if (provider === "pusher" && !text("PUSHER_CLUSTER") && !text("PUSHER_HOST"))
      missing.push("PUSHER_CLUSTER")
    for (const name of missing) refuse(name, `is missing: REALTIME_PROVIDER names ${provider}.`)
  }

  const environment: Environment = {
    providers: inOrder,
    emulated,
    databaseUrl: url("DATABASE_URL", "postgres", "postgresql"),
    redisUrl: url("REDIS_URL", "redis", "rediss"),
    // A serverless function may write there only.
    dataDir: text("DATA_DIR") ?? (isServerless ? join(tmpdir(), "throughline") : ".data"),
    sessionSecret: secret("SESSION_SECRET"),
    socketio: {
      url: url("SOCKET_URL", "http", "https"),
      internalUrl: url("SOCKET_INTERNAL_URL", "http", "https"),
      internalSecret: secret("SOCKET_INTERNAL_SECRET"),
      port: port("SOCKET_PORT"),
      allowedOrigins: listOf("SOCKET_CORS_ORIGIN"),
    },
    pusher: {
      appId: text("PUSHER_APP_ID") ?? "",
      key: text("PUSHER_KEY") ?? "",
      secret: text("PUSHER_SECRET") ?? "",
      cluster: text("PUSHER_CLUSTER") ?? "",
      host: text("PUSHER_HOST"),
      port: port("PUSHER_PORT"),
      tls: flag("PUSHER_TLS") ?? true,
    },
    ably: {
      apiKey: text("ABLY_API_KEY") ?? "",
      endpoint: text("ABLY_ENDPOINT"),
      port: port("ABLY_PORT"),
      tls: flag("ABLY_TLS") ?? true,
    },
    isProduction,
    isServerless,
    isBuilding: source.NEXT_PHASE === "phase-production-build",
  }

  const { socketio } = environment
  const isElsewhere = socketio.url !== undefined && socketio.port === undefined
  if (inOrder.includes("socketio") && isServerless && !isElsewhere)
    refuse(
      "REALTIME_PROVIDER",
      "names socketio, and a serverless function holds no socket: choose pusher or ably, or set SOCKET_URL to a gateway elsewhere.",
    )
  if (inOrder.includes("socketio") && isElsewhere && !socketio.internalSecret)
    refuse(
      "SOCKET_INTERNAL_SECRET",
      "is missing: SOCKET_URL is set, and the gateway there shares it with this process.",
    )
  if (isServerless && !hasLog && !environment.databaseUrl && !flag("REALTIME_LIVE_ONLY"))
    refuse(
      "DATABASE_URL",
      "is missing: on a serverless host a file of SQLite doesn't last. Set it to a PostgreSQL, or REALTIME_LIVE_ONLY=true to accept that messages are lost with the instance.",
    )
  if (environment.redisUrl && !hasLog && !environment.databaseUrl)
    refuse("DATABASE_URL", "is missing: REDIS_URL is set, and several gateways share one PostgreSQL.")
  return { environment: Object.freeze(environment), problems }
}
