import { randomBytes } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { RealtimeError } from "../errors.ts"
import { makeDataDir } from "./data-dir.ts"
import type { Environment } from "./environment.ts"

/**
 * Server: what signs the cookies of guests, and the tickets of several gateways: `SESSION_SECRET`, or,
 * where all processes share one machine, one that is made once and kept beside the log. Throws
 * `invalid-config` where it can't be shared so.
 */
export function secretOf({
  sessionSecret,
  dataDir,
  databaseUrl,
  isProduction,
  isServerless,
}: Environment): string {
  if (sessionSecret) return sessionSecret
  if (isServerless || (isProduction && databaseUrl))
    throw new RealtimeError("invalid-config", {
      message:
        "unable to sign; SESSION_SECRET is missing, which all instances share. `openssl rand -hex 32` makes one.",
    })
  return keptSecret(dataDir)
}

const secretLength = 64
/** Another process writes it in a moment. */
const patienceMs = 1_000
const pauseMs = 20

/** Of several processes that start at once one makes it, and all read the same. */
function keptSecret(dataDir: string): string {
  const path = join(dataDir, "session-secret")
  makeDataDir(dataDir)
  try {
    writeFileSync(path, randomBytes(secretLength / 2).toString("hex"), { flag: "wx", mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
  }
  for (let waitedMs = 0; waitedMs <= patienceMs; waitedMs += pauseMs) {
    const secret = readFileSync(path, "utf8")
    if (secret.length === secretLength) return secret
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs)
  }
  throw new RealtimeError("invalid-config", {
    message: `unable to sign; ${path} is not whole. Remove it, or set SESSION_SECRET.`,
  })
}
