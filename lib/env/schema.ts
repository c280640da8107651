import { isIPv6 } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as z from "zod"
import { type Budgets, parseBudget } from "../security/budgets.ts"
import { readHeaderList } from "../tracing/header-list.ts"

export const providerNames = ["socketio", "pusher", "ably"] as const
export type ProviderName = (typeof providerNames)[number]

interface Variable {
  /** What it is for, as `.env.example` says it. */
  meaning: string
  isSecret: boolean
  schema: z.ZodType
}

const itemsOf = (value: string) =>
  value
    .split(",")
    .map((item) => item.trim())
    .filter(Boolean)

const text = z.string().min(1)

/**
 * What is read by the parser that browsers and Node read addresses by, and kept in its spelling: a page never sends another one. What it
 * makes nothing of, or `read` finds no use for, is refused.
 */
const parsed = (error: string, read: (address: URL) => string | undefined) =>
  z.string().transform((value, context) => {
    const address = URL.parse(value)
    const result = address && !address.username && !address.password ? read(address) : undefined
    if (result !== undefined) return result
    context.addIssue({ code: "custom", message: error })
    return z.NEVER
  })

const isHttp = ({ protocol }: URL) => protocol === "http:" || protocol === "https:"
const readOrigin = (address: URL) => {
  const { origin, href } = address
  return isHttp(address) && href === `${origin}/` && !origin.includes("*") ? origin : undefined
}

/** Scheme, host and port. */
const origin = parsed("must be an origin, as in https://live.example, without path", readOrigin)
const originList = (read: (address: URL) => string | undefined) =>
  z
    .string()
    .transform(itemsOf)
    .pipe(z.array(parsed("must be a list of origins, as in https://chat.example, without path or *", read)))
/** Of an app's or an extension's page, whose scheme the parser knows nothing of: as such pages send it. */
const readPageOrigin = (address: URL) => {
  const [, written] = /^([a-z][a-z0-9+.-]*:\/\/[^/?#*]+)\/?$/i.exec(address.href) ?? []
  return address.origin === "null" ? written?.toLowerCase() : readOrigin(address)
}
/** With a path, if need be. */
const url = parsed("must be a URL that begins with http:// or https://, without ? or #", (address) =>
  isHttp(address) && !/[?#]/.test(address.href) ? address.href.replace(/\/+$/, "") : undefined,
)
const notHost = "must be a host alone, as in ws.example, without scheme, port or path"
/** As it stands in a URL: an address of IPv6 in brackets. */
const host = z
  .string()
  .transform((value) => (isIPv6(value) ? `[${value}]` : value))
  .pipe(z.string().regex(/^(\[.+\]|[^:]+)$/, notHost))
  .transform((value) => `http://${value}`)
  .pipe(parsed(notHost, readOrigin))
  .transform((value) => value.replace("http://", ""))
/** Not in a URL: without the brackets of IPv6, whose addresses may end in a zone, as in fe80::1%eth0, which the parser refuses. */
const hostToListenOn = z.string().transform((value, context) => {
  const bare = value.replace(/^\[(.*)\]$/, "$1")
  const [address = "", zone] = isIPv6(bare) ? bare.split("%") : [value]
  const read = host.safeParse(address)
  if (read.success) return `${read.data.replace(/^\[(.*)\]$/, "$1")}${zone === undefined ? "" : `%${zone}`}`
  context.addIssue({ code: "custom", message: notHost })
  return z.NEVER
})
const port = z.coerce.number().int().min(0).max(65535)
const secret = z.string().min(16, "must have at least 16 characters")
const flag = z
  .enum(["true", "false", "1", "0"], { error: "must be true or false" })
  .transform((v) => v === "true" || v === "1")
const count = z.coerce.number({ error: "must be a number" }).int().positive()
const list = z.string().transform(itemsOf)

const notBudgets =
  "must list budgets, as in publishes-of-a-person=200/10,rooms-of-a-person=50/3600, by the names that docs/guides/operations.md has"

/** Each by its own name; what is named twice counts as it is named last. */
const budgetList = list.transform((items, context): Budgets => {
  const parsed = items.map(parseBudget)
  if (!parsed.includes(null)) return Object.fromEntries(parsed as [string, unknown][])
  context.addIssue({ code: "custom", message: notBudgets })
  return z.NEVER
})

const network = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], {
  error: "must list addresses or networks, as in loopback,10.0.0.0/8",
})

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
        .min(1, "must name a provider")
        .refine((names) => new Set(names).size === names.length, "must not name a provider twice"),
    ),
  },
  DATABASE_URL: {
    meaning: "PostgreSQL for the log and the chat's tables. Unset: SQLite files under DATA_DIR.",
    isSecret: true,
    schema: z.string().regex(/^postgres(ql)?:\/\//i, "must begin with postgres://"),
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
    schema: host,
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
    // Ably's own are also known by the names of routing policies, as in nonprod:sandbox.
    schema: z
      .string()
      .regex(
        /^(?!.*:\d+$)[^\s/]+$/,
        "must be a host alone, as in ably.example, without scheme, port or path",
      ),
  },
  ABLY_PORT: { meaning: "Its port.", isSecret: false, schema: port },
  ABLY_TLS: { meaning: "Whether it speaks TLS. Default true.", isSecret: false, schema: flag },
  APP_ORIGIN: {
    meaning:
      "Where people open the app, as in https://chat.example, separated by commas. Needed behind a proxy that doesn't say it, and where " +
      "it begins with http://: if any of them does, the session's cookie is sent without TLS, too, wherever the app is opened.",
    isSecret: false,
    schema: originList(readOrigin),
  },
  SOCKET_URL: {
    meaning:
      "Where browsers reach a gateway in its own process. Unset: the gateway is part of the app's process.",
    isSecret: false,
    schema: origin,
  },
  SOCKET_INTERNAL_URL: {
    meaning: "Where the app's servers reach that gateway. Default: SOCKET_URL.",
    isSecret: false,
    schema: origin,
  },
  SOCKET_INTERNAL_SECRET: {
    meaning: "Shared by the app and that gateway. Required in production with SOCKET_URL.",
    isSecret: true,
    schema: secret,
  },
  SOCKET_CORS_ORIGIN: {
    meaning:
      "Origins whose pages may connect to the gateway, besides its own, as in https://chat.example or capacitor://localhost; separated by " +
      "commas.",
    isSecret: false,
    schema: originList(readPageOrigin),
  },
  REDIS_URL: {
    meaning: "Redis, through which several gateways deliver each other's messages; they share DATABASE_URL.",
    isSecret: true,
    schema: z.url({ protocol: /^rediss?$/, error: "must be a URL that begins with redis:// or rediss://" }),
  },
  TRUSTED_PROXIES: {
    meaning:
      "Proxies whose word on a visitor's address, and on the host that was asked for, is taken: addresses, networks or loopback, " +
      "separated by commas. Default loopback.",
    isSecret: false,
    schema: list.pipe(z.array(z.union([z.enum(["loopback", "linklocal", "uniquelocal"]), network]))),
  },
  LIMITS: {
    meaning:
      "How much one may ask for, where that isn't as usual: so many in so many seconds, as in publishes-of-a-person=200/10; separated by " +
      "commas. All are in docs/guides/operations.md.",
    isSecret: false,
    schema: budgetList,
  },
  MAX_CONNECTIONS: {
    meaning:
      "How many live sockets a gateway holds at once. Of TCP a server, the app without a gateway too, takes twice as many connections. Default 20000.",
    isSecret: false,
    schema: count,
  },
  MAX_CONNECTIONS_PER_ADDRESS: {
    meaning: "How many of them may be from one address, behind which there may be many people. Default 5000.",
    isSecret: false,
    schema: count,
  },
  PORT: { meaning: "Where to listen. Default 3000; the gateway alone: 3001.", isSecret: false, schema: port },
  HOST: {
    meaning: "The address to listen on. Default: all.",
    isSecret: false,
    schema: hostToListenOn,
  },
  DATA_DIR: {
    meaning: "Where SQLite files and what people attach are kept. Default .data.",
    isSecret: false,
    schema: text,
  },
  FILES_S3_ENDPOINT: {
    meaning:
      "Where what people attach is kept instead of DATA_DIR: a store of S3's protocol, as in https://s3.eu-west-1.amazonaws.com.",
    isSecret: false,
    schema: url,
  },
  FILES_S3_BUCKET: {
    meaning: "Its bucket, which nobody but this app reads.",
    isSecret: false,
    schema: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "must be a bucket's name, as in throughline-files"),
  },
  FILES_S3_REGION: { meaning: "Its region. Default us-east-1.", isSecret: false, schema: text },
  FILES_S3_ACCESS_KEY_ID: {
    meaning: "The id of a key that may list the bucket, and get, put and delete objects in it.",
    isSecret: false,
    schema: text,
  },
  FILES_S3_SECRET_ACCESS_KEY: { meaning: "That key's secret.", isSecret: true, schema: text },
  LOG_LEVEL: {
    meaning: "How much the servers log: trace, debug, info, warn, error, silent. Default info.",
    isSecret: false,
    schema: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]),
  },
  METRICS_TOKEN: {
    meaning: "What Prometheus sends to read /api/metrics, as a bearer token. Unset: nothing is measured.",
    isSecret: true,
    schema: secret,
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    meaning: "A collector of OpenTelemetry traces, by OTLP over HTTP. Unset: nothing is traced.",
    isSecret: false,
    schema: url,
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    meaning: "What the collector asks for, as in api-key=…; separated by commas.",
    isSecret: true,
    schema: text.refine(
      readHeaderList,
      "must list headers, as in api-key=…, with % and commas as %25 and %2C",
    ),
  },
  OTEL_SERVICE_NAME: {
    meaning: "What the servers are called there. Default throughline.",
    isSecret: false,
    schema: text,
  },
  OTEL_TRACES_SAMPLER_ARG: {
    meaning: "The part of all traces that is kept, from 0 to 1. Default 1.",
    isSecret: false,
    schema: z.coerce.number({ error: "must be a number from 0 to 1" }).min(0).max(1),
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
  CRON_SECRET: {
    meaning:
      "What Vercel's clock sends to have /api/retention apply these two, and remove files that nobody can see any more, once a day. Unset: there is no such page.",
    isSecret: true,
    schema: secret,
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
    APP_ORIGIN: readonly string[]
    SOCKET_CORS_ORIGIN: readonly string[]
    TRUSTED_PROXIES: readonly string[]
    PORT: number
    DATA_DIR: string
    REALTIME_LIVE_ONLY: boolean
    isProduction: boolean
    /** Browsers send the session's cookie by TLS alone; some drop it where the page came without. */
    hasSecureCookies: boolean
    /** A function: many instances, none of which lasts. */
    isServerless: boolean
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

/** A host of one's own, and what is said about it. */
const ownHosts = [
  ["pusher", "PUSHER_HOST", "PUSHER_PORT", "PUSHER_TLS"],
  ["ably", "ABLY_ENDPOINT", "ABLY_PORT", "ABLY_TLS"],
] as const

/** One store: all of these or none. */
const fileStore = [
  "FILES_S3_ENDPOINT",
  "FILES_S3_BUCKET",
  "FILES_S3_ACCESS_KEY_ID",
  "FILES_S3_SECRET_ACCESS_KEY",
] as const

/** The providers that a malformed list names all the same, so that what these lack is said with the rest. */
function knownAmong(malformed: string | undefined, mustChoose: boolean): readonly ProviderName[] {
  if (malformed) return providerNames.filter((provider) => itemsOf(malformed).includes(provider))
  return mustChoose ? [] : ["socketio"]
}

/** Reads the environment. Throws an `EnvError` that lists everything that is wrong, all at once. */
export function parseEnv(given: Readonly<Record<string, string | undefined>>): Env {
  // What was pasted into a form or piped into a command line often ends in a line break.
  const source = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value?.trim()]))
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

  const prepared = providerNames.filter((provider) => requiredBy[provider].some(isSet))
  // In development one provider's variables may wait for their day; with two nobody could tell which was meant.
  const mustChoose = isProduction || prepared.length > 1
  if (!isSet("REALTIME_PROVIDER") && mustChoose) {
    const hint =
      prepared.length > 0 ? ` Variables of ${prepared.join(" and ")} are set; choosing is up to you.` : ""
    problems.push(`REALTIME_PROVIDER is missing: choose one of ${providerNames.join(", ")}.${hint}`)
  }
  const chosen = env.REALTIME_PROVIDER ?? knownAmong(source.REALTIME_PROVIDER, mustChoose)
  for (const provider of chosen) {
    for (const name of requiredBy[provider])
      if (!isSet(name)) missing(name, `REALTIME_PROVIDER names ${provider}`)
  }
  if (chosen.includes("pusher") && !isSet("PUSHER_CLUSTER") && !isSet("PUSHER_HOST")) {
    missing("PUSHER_CLUSTER", "REALTIME_PROVIDER names pusher, and PUSHER_HOST isn't set either")
  }
  for (const [provider, address, port, tls] of ownHosts) {
    if (!chosen.includes(provider) || isSet(address)) continue
    if (isSet(port)) problems.push(`${port} is set without ${address}: it is the port of that host.`)
    if (env[tls] === false)
      problems.push(`${tls} is false without ${address}: ${provider}'s own hosts speak TLS.`)
  }
  if (!isSet("SESSION_SECRET"))
    missing("SESSION_SECRET", "it signs sessions; `openssl rand -hex 32` makes one")
  if (isSet("SOCKET_URL") && !isSet("SOCKET_INTERNAL_SECRET")) {
    missing(
      "SOCKET_INTERNAL_SECRET",
      "SOCKET_URL is set, and the gateway there has to share a secret with this process",
    )
  }
  const [reason] = [...fileStore, "FILES_S3_REGION" as const].filter(isSet)
  for (const name of reason ? fileStore : []) if (!isSet(name)) missing(name, `${reason} is set`)
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
  if (isSet("DATABASE_URL") && env.REALTIME_LIVE_ONLY) {
    problems.push(
      "REALTIME_LIVE_ONLY is true and DATABASE_URL is set: messages are lost or they are kept, not both.",
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
    APP_ORIGIN: env.APP_ORIGIN ?? [],
    SOCKET_CORS_ORIGIN: env.SOCKET_CORS_ORIGIN ?? [],
    TRUSTED_PROXIES: env.TRUSTED_PROXIES ?? ["loopback"],
    PORT: env.PORT ?? 3000,
    // A serverless function may write there only.
    DATA_DIR: env.DATA_DIR ?? (isServerless ? join(tmpdir(), "throughline") : ".data"),
    REALTIME_LIVE_ONLY: env.REALTIME_LIVE_ONLY ?? false,
    isProduction,
    hasSecureCookies: isProduction && !env.APP_ORIGIN?.some((origin) => origin.startsWith("http:")),
    isServerless,
  })
}
