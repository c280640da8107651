import { developmentSecrets } from "./development.ts"
import { type Env, parseEnv } from "./schema.ts"

/** This process's environment, through the one schema. Throws an `EnvError` that lists all that is wrong. */
export function loadEnv(): Env {
  const isDevelopment = process.env.NODE_ENV !== "production"
  return parseEnv(isDevelopment ? { ...process.env, ...developmentSecrets(process.env) } : process.env)
}
