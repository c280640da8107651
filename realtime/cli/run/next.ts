import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { constants } from "node:os"
import { dirname, join, resolve } from "node:path"
import { Refusal } from "../refusal.ts"

/** Whose emulator takes the service's place: its keys, where the app has some, are not to be seen. */
const withoutKeys: Record<string, Record<string, string>> = {
  socketio: {},
  pusher: { PUSHER_APP_ID: "", PUSHER_KEY: "", PUSHER_SECRET: "", PUSHER_CLUSTER: "", PUSHER_HOST: "" },
  ably: { ABLY_API_KEY: "", ABLY_ENDPOINT: "" },
}

/** The variables under which an app in development starts the emulators of these providers by itself. */
export const emulating = (providers: readonly string[]): Record<string, string> =>
  Object.assign({}, ...providers.map((name) => withoutKeys[name]), { REALTIME_PROVIDER: providers.join(",") })

/** A package as the app resolves it; throws a `Refusal` that says how to install it. */
export function resolveFrom(folder: string, specifier: string, install: string): string {
  try {
    return createRequire(join(resolve(folder), "package.json")).resolve(specifier)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error
    throw new Refusal(`${specifier.split("/")[0]} isn't installed in ${resolve(folder)}`, install)
  }
}

/** Runs the app's own `next` with the terminal as it is, and resolves to its exit code. */
export async function runNext(
  folder: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<number> {
  const manifest = resolveFrom(
    folder,
    "next/package.json",
    "Run it in the folder of a Next.js app, with its packages installed.",
  )
  const { bin } = JSON.parse(readFileSync(manifest, "utf8")) as { bin: { next: string } }
  const child = spawn(process.execPath, [join(dirname(manifest), bin.next), ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: "inherit",
  })
  // A terminal sends SIGINT to both; what is sent to us alone is handed on.
  const handOn = (signal: NodeJS.Signals) => void child.kill(signal)
  const wait = () => {}
  process.on("SIGTERM", handOn).on("SIGINT", wait)
  try {
    const [exitCode, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null]
    return exitCode ?? 128 + (signal ? constants.signals[signal] : 0)
  } finally {
    process.off("SIGTERM", handOn).off("SIGINT", wait)
  }
}
