import { spawn } from "node:child_process"
import { join } from "node:path"
import { parseArgs } from "node:util"

/**
 * `npm run dev`: everything in one process. `npm run dev:split`: Next.js and the gateway in two, on two ports, as they
 * may be deployed. `npm run dev:pusher` and `dev:ably`: the app on an emulator of the service, with no account.
 */
const { values } = parseArgs({
  options: { split: { type: "boolean", default: false }, emulate: { type: "string" } },
})

Object.assign(process.env, { NODE_ENV: "development" })

if (values.emulate) {
  Object.assign(process.env, { REALTIME_PROVIDER: values.emulate, ...(await startEmulator(values.emulate)) })
  await import("./main.ts")
} else if (values.split) {
  const port = Number(process.env.PORT ?? 3000)
  const gatewayPort = Number(process.env.GATEWAY_PORT ?? port + 1)
  const shared = {
    SOCKET_URL: `http://localhost:${gatewayPort}`,
    SOCKET_CORS_ORIGIN: `http://localhost:${port},http://127.0.0.1:${port}`,
  }
  runTogether([
    { file: "gateway.ts", env: { ...shared, PORT: String(gatewayPort) } },
    { file: "main.ts", env: { ...shared, PORT: String(port) } },
  ])
} else {
  await import("./main.ts")
}

/** Starts a service's emulator in this process; resolves with the variables that lead to it. */
async function startEmulator(provider: string): Promise<Record<string, string>> {
  if (provider === "pusher") {
    const { startPusherEmulator } = await import("#realtime/emulators/pusher")
    const emulator = await startPusherEmulator()
    const { appId, key, secret, host, port } = emulator.serverOptions()
    console.log(`Pusher emulator on ${emulator.url}`)
    return {
      PUSHER_APP_ID: appId,
      PUSHER_KEY: key,
      PUSHER_SECRET: secret,
      PUSHER_CLUSTER: "mt1",
      PUSHER_HOST: host,
      PUSHER_PORT: port,
      PUSHER_TLS: "false",
    }
  }
  if (provider === "ably") {
    const { startAblyEmulator } = await import("#realtime/emulators/ably")
    const emulator = await startAblyEmulator()
    const { endpoint, port } = emulator.clientOptions
    console.log(`Ably emulator on ${emulator.url}`)
    return { ABLY_API_KEY: emulator.key, ABLY_ENDPOINT: endpoint, ABLY_PORT: String(port), ABLY_TLS: "false" }
  }
  throw new TypeError(`unable to emulate "${provider}"; there are emulators of pusher and ably`)
}

/** Runs processes that stand and fall together. */
function runTogether(programs: { file: string; env: Record<string, string> }[]): void {
  const children = programs.map(({ file, env }) =>
    spawn(process.execPath, [join(import.meta.dirname, file)], {
      env: { ...process.env, ...env },
      stdio: "inherit",
    }),
  )
  let exitCode = 0
  const stop = (signal: NodeJS.Signals) => {
    for (const child of children) child.kill(signal)
  }
  for (const child of children) {
    child.on("exit", (code) => {
      exitCode ||= code ?? 0
      stop("SIGTERM")
      if (children.every(({ exitCode: ended, signalCode }) => ended !== null || signalCode !== null)) {
        process.exit(exitCode)
      }
    })
  }
  process.on("SIGINT", stop)
  process.on("SIGTERM", stop)
}
