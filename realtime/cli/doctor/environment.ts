import { type ProviderName, providerNames } from "../init/plan.ts"
import type { Facts } from "./facts.ts"
import type { Check, Fault } from "./finding.ts"

/** What each variable looks like, as the services hand them out. */
const shapes: Record<string, [pattern: RegExp, rule: string]> = {
  PUSHER_APP_ID: [/^\d+$/, "a number, as Pusher's app ids are"],
  PUSHER_KEY: [/^[0-9a-f]{20}$/, "20 hexadecimal digits, as Pusher's keys are"],
  PUSHER_SECRET: [/^[0-9a-f]{20}$/, "20 hexadecimal digits, as Pusher's secrets are"],
  PUSHER_CLUSTER: [/^[a-z]{2}\d?(-[\w-]+)?$/, "the name of a cluster, as in eu or mt1"],
  PUSHER_HOST: [/^[\w.:[\]-]+$/, "a host's name, without a scheme or a path"],
  ABLY_API_KEY: [/^[\w-]+\.[\w-]+:\S+$/, "app.key:secret, as Ably's keys are"],
  SESSION_SECRET: [/^.{32,}$/s, "at least 32 characters"],
  SOCKET_INTERNAL_SECRET: [/^.{32,}$/s, "at least 32 characters"],
  SOCKET_URL: [/^https?:\/\/\S+$/, "an address that begins with https:// or http://"],
  SOCKET_INTERNAL_URL: [/^https?:\/\/\S+$/, "an address that begins with https:// or http://"],
  DATABASE_URL: [/^postgres(ql)?:\/\//, "an address that begins with postgres://"],
  REDIS_URL: [/^rediss?:\/\//, "an address that begins with redis://"],
}

/** What a provider can't do without; of Pusher's, the cluster only where it has no host of its own. */
const keys: Record<ProviderName, readonly string[]> = {
  socketio: [],
  pusher: ["PUSHER_APP_ID", "PUSHER_KEY", "PUSHER_SECRET"],
  ably: ["ABLY_API_KEY"],
}

/** Servers of one's own have keys of any shape. */
const ownHost: Record<string, string> = {
  PUSHER_APP_ID: "PUSHER_HOST",
  PUSHER_KEY: "PUSHER_HOST",
  PUSHER_SECRET: "PUSHER_HOST",
  ABLY_API_KEY: "ABLY_ENDPOINT",
}

/** What the variables say, by themselves and together. */
export const environmentChecks = {
  providers({ env }) {
    return listOf(read(env, "REALTIME_PROVIDER"))
      .filter((name) => !providerNames.some((known) => known === name))
      .map((name) => ({
        ...{ subject: named(env, "REALTIME_PROVIDER"), detail: `names "${name}"` },
        advice: `There are ${providerNames.join(", ")}; several are separated by commas.`,
      }))
  },

  shapes({ env }) {
    return Object.entries(shapes).flatMap(([name, [pattern, rule]]): Fault[] => {
      const value = read(env, name)
      // What refers to another variable isn't known here.
      if (value === undefined || value.includes("$") || pattern.test(value)) return []
      if (read(env, ownHost[name] ?? "") !== undefined) return []
      const advice = "Copy it again, without quotes or spaces around it."
      return [{ subject: named(env, name), detail: `isn't ${rule}`, advice }]
    })
  },

  published({ env }) {
    return [...env.keys()]
      .filter((name) => /^NEXT_PUBLIC_.*(SECRET|ABLY_API_KEY|DATABASE_URL|REDIS_URL)/.test(name))
      .map((name) => ({
        ...{ subject: named(env, name), detail: "is sent to every browser" },
        advice: "Take NEXT_PUBLIC_ from its name, and make a new key: this one is known.",
      }))
  },

  keys({ env, isProduction }) {
    return chosenOf(env).flatMap((provider): Fault[] => {
      const missing = keys[provider].filter((name) => !read(env, name))
      // In development its emulator takes its place.
      if (!isProduction && missing.length === keys[provider].length) return []
      if (provider === "pusher" && !read(env, "PUSHER_CLUSTER") && !read(env, "PUSHER_HOST"))
        missing.push("PUSHER_CLUSTER")
      return missing.map((name) => ({
        ...{ subject: name, detail: `isn't set, and REALTIME_PROVIDER names ${provider}` },
        advice: "Set it in the environment, or in .env.local.",
      }))
    })
  },

  gateway({ env, isProduction }) {
    const faults: Fault[] = []
    const url = read(env, "SOCKET_URL")
    if (url && !read(env, "SOCKET_PORT") && !read(env, "SOCKET_INTERNAL_SECRET"))
      faults.push({
        ...{
          subject: "SOCKET_INTERNAL_SECRET",
          detail: "isn't set, and SOCKET_URL names a gateway elsewhere",
        },
        advice: "Give both processes the same; `openssl rand -hex 32` makes one.",
      })
    if (isProduction && url?.startsWith("http://") && !/\/\/(localhost|127\.)/.test(url))
      faults.push({
        ...{
          subject: named(env, "SOCKET_URL"),
          detail: "is without TLS: pages on https can't open a socket there",
        },
        advice: "Let it begin with https://.",
      })
    for (const origin of listOf(read(env, "SOCKET_CORS_ORIGIN")).filter((item) => !isOrigin(item)))
      faults.push({
        ...{
          subject: named(env, "SOCKET_CORS_ORIGIN"),
          detail: `lists "${origin}", which is no page's origin`,
        },
        advice: "An origin is scheme, name and port, as in https://app.example, and nothing behind.",
      })
    if (read(env, "REDIS_URL") && !read(env, "DATABASE_URL"))
      faults.push({
        ...{
          subject: "DATABASE_URL",
          detail: "isn't set, and REDIS_URL is: several gateways share one PostgreSQL",
        },
        advice: "Set it, or leave REDIS_URL out.",
      })
    return faults
  },

  serverless({ env, files, isProduction }) {
    const host = serverlessOf(files, env)
    // On the developer's machine there is a process that stays.
    if (!host || !isProduction) return []
    const faults: Fault[] = []
    if (!read(env, "DATABASE_URL") && read(env, "REALTIME_LIVE_ONLY") !== "true")
      faults.push({
        ...{ subject: "DATABASE_URL", detail: `isn't set, and on ${host} a file of SQLite doesn't last` },
        advice: "Set it to a PostgreSQL.",
      })
    if (chosenOf(env).includes("socketio") && !read(env, "SOCKET_URL"))
      faults.push({
        ...{
          subject: named(env, "REALTIME_PROVIDER"),
          detail: `names socketio, and functions on ${host} hold no socket`,
        },
        advice: "Choose pusher or ably there, or set SOCKET_URL to a gateway elsewhere.",
      })
    return faults
  },
} satisfies Record<string, Check>

const read = (env: Facts["env"], name: string) => env.get(name)?.value.trim() || undefined

/** With where it is set. */
const named = (env: Facts["env"], name: string) =>
  env.has(name) ? `${name} (${env.get(name)?.where})` : name

const listOf = (value = "") =>
  value
    .split(",")
    .map((item) => item.trim())
    .filter(Boolean)

/** In order of the table, not of preference. */
export function chosenOf(env: Facts["env"]): readonly ProviderName[] {
  const chosen = listOf(read(env, "REALTIME_PROVIDER"))
  return chosen.length === 0 ? ["socketio"] : providerNames.filter((name) => chosen.includes(name))
}

const isOrigin = (text: string) =>
  /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text

function serverlessOf(files: Facts["files"], env: Facts["env"]): string | undefined {
  if (files.has("vercel.json") || read(env, "VERCEL")) return "Vercel"
  if (files.has("netlify.toml")) return "Netlify"
  return read(env, "AWS_LAMBDA_FUNCTION_NAME") ? "AWS Lambda" : undefined
}
