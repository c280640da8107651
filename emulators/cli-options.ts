import { parseArgs } from "node:util"

/** An app of both services: Pusher's id, key and secret; Ably's key is then `id.key:secret`. */
export interface CliApp {
  id: string
  key: string
  secret: string
}

export interface CliOptions {
  pusherPort: number
  ablyPort: number
  apps: CliApp[]
  json: boolean
  /** What is run beside the emulators, with its arguments; without it they run until a signal ends them. */
  command?: string[]
  /** Of ids and of the faults that strike by chance. */
  seed?: number
  /** Files in PEM. */
  tls?: { key: string; cert: string }
  help: boolean
}

export const usage =
  "throughline-emulators [--pusher-port 6001] [--ably-port 6002] [--app id:key:secret]… [--seed N] [--tls-key FILE --tls-cert FILE] [--json]\n" +
  "                      [-- COMMAND …]  runs it beside them, on any free ports, with their addresses in its environment"

/** The same credentials at every start, so that they can stay in `.env`. */
const defaultApp: CliApp = { id: "1", key: "app-key", secret: "app-secret" }

/** What the command line asks for, or what is wrong with it in one line. */
export function parseCliOptions(args: readonly string[]): CliOptions | { problem: string } {
  const separator = args.indexOf("--")
  const command = separator === -1 ? undefined : args.slice(separator + 1)
  if (command?.length === 0) return { problem: "-- is followed by the command to run" }
  // Nobody has to know the ports but the command, which is told.
  const [usualPusherPort, usualAblyPort] = command ? ["0", "0"] : ["6001", "6002"]
  try {
    const { values } = parseArgs({
      args: command ? args.slice(0, separator) : [...args],
      options: {
        "pusher-port": { type: "string", default: usualPusherPort },
        "ably-port": { type: "string", default: usualAblyPort },
        app: { type: "string", multiple: true, default: [] },
        seed: { type: "string" },
        "tls-key": { type: "string" },
        "tls-cert": { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    })
    const pusherPort = parsePort("pusher-port", values["pusher-port"])
    const ablyPort = parsePort("ably-port", values["ably-port"])
    if (pusherPort !== 0 && pusherPort === ablyPort)
      return { problem: `--pusher-port and --ably-port are both ${pusherPort}; each needs its own` }
    const { "tls-key": key, "tls-cert": cert } = values
    if ((key === undefined) !== (cert === undefined))
      return { problem: "--tls-key and --tls-cert go together" }
    const apps = values.app.length > 0 ? values.app.map(parseApp) : [defaultApp]
    for (const field of ["id", "key"] as const) {
      const repeated = apps.find(
        (app, index) => apps.findIndex((other) => other[field] === app[field]) < index,
      )
      if (repeated) return { problem: `two apps have the ${field} "${repeated[field]}"; each needs its own` }
    }
    if (values.seed !== undefined && !/^\d{1,9}$/.test(values.seed))
      return { problem: `--seed is a whole number, not "${values.seed}"` }
    const seed = values.seed === undefined ? {} : { seed: Number(values.seed) }
    const tls = key !== undefined && cert !== undefined ? { tls: { key, cert } } : {}
    const told = { json: values.json, help: values.help, ...(command && { command }) }
    return { pusherPort, ablyPort, apps, ...seed, ...tls, ...told }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    // Node's own remarks about a flag go on for sentences; the first one says it.
    return { problem: error.message.split(/\.\s|\n/)[0] ?? error.message }
  }
}

function parsePort(flag: string, value: string): number {
  const port = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN
  if (!(port <= 65_535))
    throw new TypeError(`--${flag} is a number from 0 (any free one) to 65535, not "${value}"`)
  return port
}

function parseApp(value: string): CliApp {
  const [, id, key, secret] = /^([\w-]+):([\w-]+):([^:\s]+)$/.exec(value) ?? []
  if (id === undefined || key === undefined || secret === undefined)
    throw new TypeError(`--app is id:key:secret, as in 1:app-key:app-secret, not "${value}"`)
  return { id, key, secret }
}
