import { parseArgs } from "node:util"
import { type DevProgram, runTogether } from "./dev-programs.ts"
import { startEmulator } from "./emulator.ts"
import { projectDir } from "./env.ts"

/**
 * `npm run dev`: Next.js and the gateway in one process. `npm run dev:split`: in two, on two ports, as they may be
 * deployed. `npm run dev:pusher` and `dev:ably`: the app on an emulator of the service, with no account;
 * `npm run dev:all`: the gateway and both of them, the list in which the laboratory moves between providers.
 */
const { values } = parseArgs({
  options: { split: { type: "boolean", default: false }, emulate: { type: "string", multiple: true } },
})

Object.assign(process.env, { NODE_ENV: "development" })

let programs: DevProgram[] = [{ file: "main.ts" }]

if (values.emulate) {
  for (const service of values.emulate.filter((name) => name !== "socketio")) {
    const emulator = await startEmulator(service, `http://127.0.0.1:${process.env.PORT ?? 3000}`)
    console.log(`The ${service} emulator is on ${emulator.url}`)
    Object.assign(process.env, emulator.env)
  }
  process.env.REALTIME_PROVIDER = values.emulate.join(",")
} else if (values.split) {
  const port = Number(process.env.PORT ?? 3000)
  const gatewayPort = Number(process.env.GATEWAY_PORT ?? port + 1)
  const shared = {
    SOCKET_URL: `http://localhost:${gatewayPort}`,
    SOCKET_CORS_ORIGIN: `http://localhost:${port},http://127.0.0.1:${port}`,
  }
  programs = [
    // What Next.js does for the app by hot reload: the gateway, too, goes by what its sources say by now.
    {
      file: "gateway.ts",
      env: { ...shared, PORT: String(gatewayPort) },
      options: ["--watch", "--watch-preserve-output"],
    },
    { file: "main.ts", env: { ...shared, PORT: String(port) } },
  ]
}

runTogether(programs, projectDir)
