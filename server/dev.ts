import { spawn } from "node:child_process"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { startEmulator } from "./emulator.ts"

/**
 * `npm run dev`: everything in one process. `npm run dev:split`: Next.js and the gateway in two, on two ports, as they
 * may be deployed. `npm run dev:pusher` and `dev:ably`: the app on an emulator of the service, with no account;
 * `npm run dev:all`: the gateway and both of them, the list in which the laboratory moves between providers.
 */
const { values } = parseArgs({
  options: { split: { type: "boolean", default: false }, emulate: { type: "string", multiple: true } },
})

Object.assign(process.env, { NODE_ENV: "development" })

if (values.emulate) {
  for (const service of values.emulate.filter((name) => name !== "socketio")) {
    const emulator = await startEmulator(service, `http://127.0.0.1:${process.env.PORT ?? 3000}`)
    console.log(`The ${service} emulator is on ${emulator.url}`)
    Object.assign(process.env, emulator.env)
  }
  process.env.REALTIME_PROVIDER = values.emulate.join(",")
  await import("./main.ts")
} else if (values.split) {
  const port = Number(process.env.PORT ?? 3000)
  const gatewayPort = Number(process.env.GATEWAY_PORT ?? port + 1)
  const shared = {
    SOCKET_URL: `http://localhost:${gatewayPort}`,
    SOCKET_CORS_ORIGIN: `http://localhost:${port},http://127.0.0.1:${port}`,
  }
  runTogether([
    // What Next.js does for the app by hot reload: the gateway, too, goes by what its sources say by now.
    {
      file: "gateway.ts",
      env: { ...shared, PORT: String(gatewayPort) },
      options: ["--watch", "--watch-preserve-output"],
    },
    { file: "main.ts", env: { ...shared, PORT: String(port) } },
  ])
} else {
  await import("./main.ts")
}

/** Runs processes until one of them or a signal ends them all. What fails under `--watch` hasn't ended: it waits for the next edit. */
function runTogether(programs: { file: string; env: Record<string, string>; options?: string[] }[]): void {
  const children = programs.map(({ file, env, options = [] }) =>
    spawn(process.execPath, [...process.execArgv, ...options, join(import.meta.dirname, file)], {
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
