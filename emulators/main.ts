import { readFileSync } from "node:fs"
import { startAblyEmulator } from "./ably/index.ts"
import { type CliOptions, parseCliOptions, usage } from "./cli-options.ts"
import { startPusherEmulator } from "./pusher/index.ts"
import { runBeside } from "./run-beside.ts"

/**
 * `throughline-emulators`: both services on this machine until SIGINT or SIGTERM, or for as long as the command behind `--` runs. One line
 * when both are ready, or nothing but what the command says; a problem is one line too, with exit code 2 for the command line and 1 for the
 * rest. The command's own exit code is ours.
 */
export async function main(args: readonly string[]): Promise<void> {
  const options = parseCliOptions(args)
  if ("problem" in options) return fail(2, options.problem)
  if (options.help) return console.log(usage)
  try {
    await run(options)
  } catch (error) {
    fail(1, problemOf(error))
  }
}

async function run({
  pusherPort,
  ablyPort,
  apps,
  json,
  seed,
  tls: files,
  command,
}: CliOptions): Promise<void> {
  const tls = files && { key: readFileSync(files.key), cert: readFileSync(files.cert) }
  const pusher = await startPusherEmulator({ port: pusherPort, apps, seed, tls })
  const ably = await startAblyEmulator({
    port: ablyPort,
    seed,
    tls,
    apps: apps.map(({ id, key, secret }) => ({ id, keys: [{ id: key, secret }] })),
  }).catch(async (error: unknown) => {
    await pusher.close()
    throw error
  })

  if (command) {
    try {
      process.exitCode = await runBeside(command, environmentOf(pusher, ably))
      if (process.exitCode === 127) console.error(`emulators: there is no command ${command[0]}`)
    } finally {
      await Promise.all([pusher.close(), ably.close()])
    }
    return
  }

  async function stop(): Promise<void> {
    await Promise.all([pusher.close(), ably.close()])
    process.exit(0)
  }
  process.once("SIGINT", stop)
  process.once("SIGTERM", stop)

  const keys = apps.map(({ id, key, secret }) => `${id}.${key}:${secret}`)
  console.log(
    json
      ? JSON.stringify({
          pusher: {
            url: pusher.url,
            host: pusher.host,
            port: pusher.port,
            page: `${pusher.url}/__emulator/`,
            apps,
            clientOptions: pusher.clientOptions(),
          },
          ably: {
            url: ably.url,
            host: ably.host,
            port: ably.port,
            page: `${ably.url}/__emulator/`,
            keys,
            clientOptions: ably.clientOptions,
          },
        })
      : `Pusher ${pusher.url}/__emulator/ (${apps.map(({ id, key, secret }) => `${id}:${key}:${secret}`).join(", ")})` +
          ` · Ably ${ably.url}/__emulator/ (${keys.join(", ")}) · ready`,
  )
}

/** The variables that lead an app to the first app of each emulator. */
function environmentOf(
  pusher: Awaited<ReturnType<typeof startPusherEmulator>>,
  ably: Awaited<ReturnType<typeof startAblyEmulator>>,
): Record<string, string> {
  const { appId, key, secret, host, port, useTLS } = pusher.serverOptions()
  return {
    PUSHER_APP_ID: appId,
    PUSHER_KEY: key,
    PUSHER_SECRET: secret,
    PUSHER_CLUSTER: "mt1",
    PUSHER_HOST: host,
    PUSHER_PORT: String(port),
    PUSHER_TLS: String(useTLS),
    ABLY_API_KEY: ably.key,
    ABLY_ENDPOINT: ably.clientOptions.endpoint,
    ABLY_PORT: String(ably.port),
    ABLY_TLS: String(ably.clientOptions.tls),
  }
}

function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code, port } = error as NodeJS.ErrnoException & { port?: number }
  if (code === "EADDRINUSE")
    return `port ${port} is in use; name another with --pusher-port or --ably-port (0 takes any free one)`
  if (code === "EACCES") return `port ${port} may not be listened on by this user; name one from 1024 on`
  return error.message.split("\n")[0] ?? error.message
}

function fail(exitCode: number, problem: string): void {
  console.error(`emulators: ${problem}`)
  process.exitCode = exitCode
}
