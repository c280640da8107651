import { examineEnvironment } from "../../next/environment.ts"
import { isReference, valuesOf } from "../doctor/environment.ts"
import { readEnv } from "../doctor/facts.ts"
import { Refusal, wrongConfig } from "../refusal.ts"

/**
 * Throws a `Refusal` where the server would refuse what the variables say once it runs: by then Next.js
 * listens, and answers every request with an error. Where the log is isn't asked: the app's code may give it.
 */
export function requireEnvironment(folder: string): void {
  const env = readEnv(folder, true, process.env)
  const { problems } = examineEnvironment({ ...valuesOf(env), NODE_ENV: "production" }, { hasLog: true })
  const told = [...problems]
    .filter(([name]) => !isReference(env.get(name)?.value))
    .map(([name, problem]) => `${name} ${problem}`)
  if (told.length === 0) return
  throw new Refusal(
    `unable to start; ${told.join(" ")}`,
    "Set it in the environment, or in .env.production.local; `throughline doctor --production` says more.",
    wrongConfig,
  )
}
