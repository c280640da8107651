import { type Env, EnvError, parseEnv, providerNames, variables } from "../env/schema.ts"
import type { Finding } from "./finding.ts"

/** What the variables say, before anything is reached. The environment is null when it isn't complete. */
export function examineEnvironment(source: Readonly<Record<string, string | undefined>>): {
  env: Env | null
  findings: Finding[]
} {
  const set = Object.keys(variables).filter((name) => source[name])
  try {
    const env = parseEnv(source)
    return { env, findings: [...describe(env, set), ...warn(env)] }
  } catch (error) {
    if (!(error instanceof EnvError)) throw error
    const findings = error.problems.map((problem): Finding => {
      const [name = ""] = problem.split(" ")
      const advice = `Set it in the environment or in .env.local; .env.example says what each variable is for.`
      return { subject: name, verdict: "failed", detail: problem, advice }
    })
    return { env: null, findings }
  }
}

function describe(env: Env, set: readonly string[]): Finding[] {
  const chosen = env.REALTIME_PROVIDER.join(", then ")
  const how = set.includes("REALTIME_PROVIDER") ? "REALTIME_PROVIDER" : "nothing else is set"
  const known = set.length > 0 ? `set and well-formed: ${set.join(", ")}` : "none is set; defaults apply"
  return [
    { subject: "Provider", verdict: "ok", detail: `${chosen} (${how})` },
    { subject: "Variables", verdict: "ok", detail: known },
  ]
}

/** What is allowed and seldom meant. */
function warn(env: Env): Finding[] {
  const findings: Finding[] = []
  const say = (subject: string, detail: string, advice: string) =>
    findings.push({ subject, verdict: "warning", detail, advice })
  if (env.REDIS_URL && !env.DATABASE_URL)
    say(
      "REDIS_URL",
      "several gateways, and each on the SQLite file of its own machine",
      "Set DATABASE_URL, unless all of them run on this machine and share DATA_DIR.",
    )
  if (env.REDIS_URL && !env.REALTIME_PROVIDER.includes("socketio"))
    say(
      "REDIS_URL",
      "set, and no gateway runs",
      "Only limits are counted there. Leave it out, or keep it for them.",
    )
  if (
    env.isProduction &&
    env.SOCKET_URL?.startsWith("http://") &&
    !/\/\/(localhost|127\.)/.test(env.SOCKET_URL)
  )
    say("SOCKET_URL", "pages on https can't open a socket without TLS", "Let it begin with https://.")
  if (env.SOCKET_URL && env.SOCKET_CORS_ORIGIN.length + env.APP_ORIGIN.length === 0)
    say(
      "SOCKET_CORS_ORIGIN",
      "the gateway is on an address of its own, and no page's origin is listed",
      "List the app's origin at the gateway, unless both are on one origin behind a proxy.",
    )
  const schemes = new Set(env.APP_ORIGIN.map((origin) => new URL(origin).protocol))
  if (env.isProduction && schemes.size > 1)
    say(
      "APP_ORIGIN",
      "names http:// beside https://, so the session's cookie is sent without TLS, too, wherever the app is opened",
      "Leave out what begins with http://, unless people have to sign in there.",
    )
  const unused = providerNames.filter((name) => !env.REALTIME_PROVIDER.includes(name))
  const keys = { socketio: env.SOCKET_URL, pusher: env.PUSHER_KEY, ably: env.ABLY_API_KEY }
  for (const name of unused.filter((provider) => keys[provider]))
    say(
      name,
      "its variables are set, and REALTIME_PROVIDER doesn't name it",
      "Add it to the list for failover, or leave them out.",
    )
  return findings
}
