import { examineEnvironment, type ProviderName } from "../../next/environment.ts"
import type { Facts } from "./facts.ts"
import type { Check, Fault } from "./finding.ts"

/** What each variable looks like, as the services hand them out; a server of one's own may differ. */
const shapes: Record<string, [pattern: RegExp, rule: string]> = {
  PUSHER_APP_ID: [/^\d+$/, "a number, as Pusher's app ids are"],
  PUSHER_KEY: [/^[0-9a-f]{20}$/, "20 hexadecimal digits, as Pusher's keys are"],
  PUSHER_SECRET: [/^[0-9a-f]{20}$/, "20 hexadecimal digits, as Pusher's secrets are"],
  PUSHER_CLUSTER: [/^[a-z]{2}\d?(-[\w-]+)?$/, "the name of a cluster, as in eu or mt1"],
  PUSHER_HOST: [/^[\w.:[\]-]+$/, "a host's name, without a scheme or a path"],
  ABLY_API_KEY: [/^[\w-]+\.[\w-]+:\S+$/, "app.key:secret, as Ably's keys are"],
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
  /** What the server would refuse at its start, by the same rules. */
  environment({ env, files, isProduction }) {
    // On the developer's machine there is a process that stays.
    const host = isProduction ? serverlessOf(files, env) : {}
    const { problems } = examineEnvironment({
      ...{ ...valuesOf(env), VERCEL: undefined, AWS_LAMBDA_FUNCTION_NAME: undefined, ...host },
      NODE_ENV: isProduction ? "production" : "development",
    })
    return [...problems]
      .filter(([name]) => !isReference(read(env, name)))
      .map(([name, detail]) => ({
        ...{ subject: named(env, name), detail: detail.replace(/\.$/, "") },
        advice: env.has(name)
          ? `Correct it in ${env.get(name)?.where}.`
          : "Set it in the environment, or in .env.local.",
      }))
  },

  shapes({ env }) {
    return Object.entries(shapes).flatMap(([name, [pattern, rule]]): Fault[] => {
      const value = read(env, name)
      if (value === undefined || isReference(value) || pattern.test(value)) return []
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

  gateway({ env, isProduction }) {
    const faults: Fault[] = []
    const url = read(env, "SOCKET_URL")
    if (isProduction && url?.startsWith("http://") && !/\/\/(localhost|127\.)/.test(url))
      faults.push({
        ...{
          subject: named(env, "SOCKET_URL"),
          detail: "is without TLS: pages on https can't open a socket there",
        },
        advice: "Let it begin with https://.",
      })
    const { allowedOrigins } = examineEnvironment(valuesOf(env)).environment.socketio
    for (const origin of allowedOrigins.filter((item) => !isOrigin(item)))
      faults.push({
        ...{
          subject: named(env, "SOCKET_CORS_ORIGIN"),
          detail: `lists "${origin}", which is no page's origin`,
        },
        advice: "An origin is scheme, name and port, as in https://app.example, and nothing behind.",
      })
    return faults
  },
} satisfies Record<string, Check>

const read = (env: Facts["env"], name: string) => env.get(name)?.value.trim() || undefined

/** With where it is set. */
const named = (env: Facts["env"], name: string) =>
  env.has(name) ? `${name} (${env.get(name)?.where})` : name

/** What refers to another variable isn't known here. */
export const isReference = (value: string | undefined) => value?.includes("$") ?? false

export const valuesOf = (env: Facts["env"]) =>
  Object.fromEntries([...env].map(([name, { value }]) => [name, value]))

/** In order of preference. */
export const chosenOf = (env: Facts["env"]): readonly ProviderName[] =>
  examineEnvironment(valuesOf(env)).environment.providers

const isOrigin = (text: string) =>
  /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text

/**
 * What tells a function where it runs, and isn't set on the machine that looks. Netlify's run on AWS Lambda.
 */
function serverlessOf(files: Facts["files"], env: Facts["env"]): Record<string, string> {
  if (files.has("vercel.json") || read(env, "VERCEL")) return { VERCEL: "1" }
  return files.has("netlify.toml") || read(env, "AWS_LAMBDA_FUNCTION_NAME")
    ? { AWS_LAMBDA_FUNCTION_NAME: "function" }
    : {}
}
