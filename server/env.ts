import { resolve } from "node:path"
import nextEnv from "@next/env"
import { type Env, parseEnv, withDevelopmentSecrets } from "#lib/env/schema.ts"

export const projectDir = resolve(import.meta.dirname, "..")

/** This process's environment: `.env*` files as Next.js reads them, then the one schema. Throws with all that is wrong. */
export function loadEnv({ dev }: { dev: boolean }): Env {
  nextEnv.loadEnvConfig(projectDir, dev)
  if (dev) Object.assign(process.env, withDevelopmentSecrets(process.env))
  return parseEnv(process.env)
}
