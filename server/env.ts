import { resolve } from "node:path"
import nextEnv from "@next/env"
import { loadEnv } from "#lib/env/load.ts"
import type { Env } from "#lib/env/schema.ts"

export const projectDir = resolve(import.meta.dirname, "..")

/** This process's environment: `.env*` files as Next.js reads them, then the one schema. Throws with all that is wrong. */
export function loadServerEnv({ dev }: { dev: boolean }): Env {
  nextEnv.loadEnvConfig(projectDir, dev, { info: () => {}, error: console.error })
  return loadEnv()
}
