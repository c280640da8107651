import { existsSync } from "node:fs"
import { resolve } from "node:path"
import { Command, CommanderError, InvalidArgumentError, Option } from "commander"
import { type ProviderName, providerNames } from "../next/environment.ts"
import { type ExampleName, exampleNames } from "./init/plan.ts"
import { createOutput, type Output } from "./output.ts"
import { ownPackage } from "./package.ts"
import { Refusal } from "./refusal.ts"

/** Of a command line that isn't understood; docs/guides/cli.md lists all of the exit codes. */
const misused = 2

/**
 * Runs one command line, without the program's name. Resolves to the exit code; whatever a
 * command throws is said in a line.
 */
export async function main(args: readonly string[]): Promise<number> {
  let exitCode = 0
  // Known before a command is: a problem with the command line is said in the same way.
  const output = createOutput(beforeSeparator(args).includes("--json"))
  try {
    await createProgram(args, output, (code) => {
      exitCode = code
    }).parseAsync(args, { from: "user" })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : misused
    if (!(error instanceof Refusal)) throw error
    output.note(`throughline: ${error.message}`)
    if (error.advice) output.note(`→ ${error.advice}`)
    output.json({ error: error.message, ...(error.advice && { advice: error.advice }) })
    return error.exitCode
  }
}

/** What comes after `--` is another program's. */
const beforeSeparator = (args: readonly string[]) =>
  args.includes("--") ? args.slice(0, args.indexOf("--")) : args

const cwdOption = () => new Option("-C, --cwd <folder>", "the app's folder").default(".", "this one")
const jsonOption = () => new Option("--json", "answer in JSON, for programs")

/** The commands and their options. What one of them ends with is handed to `end`. */
export function createProgram(
  args: readonly string[],
  output: Output,
  end: (exitCode: number) => void,
): Command {
  const program = new Command("throughline")
    .description("Realtime for Next.js over Socket.IO, Pusher and Ably.")
    .version(ownPackage().version)
    .exitOverride()
    .showHelpAfterError("(--help says what there is)")
    .hook("preAction", (_program, command) => {
      const { cwd } = command.opts<{ cwd?: string }>()
      if (cwd !== undefined && !existsSync(cwd)) throw new Refusal(`there is no folder ${resolve(cwd)}`)
    })

  program
    .command("init")
    .description("Add realtime to the Next.js app in this folder: at most six files and two edits.")
    .addOption(cwdOption())
    .addOption(
      new Option("-p, --provider <names>", "who may carry it, by commas; the first is the default")
        .default(providerNames, providerNames.join(","))
        .argParser(parseProviders),
    )
    .addOption(
      new Option("-e, --example <name>", "a page on which browsers talk, besides").choices(exampleNames),
    )
    .option("-n, --dry-run", "print the changes, and make none", false)
    .option("--undo", "take out what init put in: the tree as before", false)
    .option("-y, --yes", "ask nothing, and take a folder with changes that aren't committed", false)
    .option("--no-install", "leave installing packages to you")
    .addOption(jsonOption())
    .action(
      async (options: {
        example?: ExampleName
        provider: readonly ProviderName[]
        cwd: string
        dryRun: boolean
        undo: boolean
        yes: boolean
        install: boolean
      }) => {
        const { init } = await import("./init/command.ts")
        end(await init(options, output))
      },
    )

  program
    .command("doctor")
    .description(
      "What is wrong with how the app in this folder is set up, and what to do. From its files: nothing runs.",
    )
    .addOption(cwdOption())
    .option("--production", "with .env.production, and what production asks for", false)
    .addOption(jsonOption())
    .action(async (options: { cwd: string; production: boolean }) => {
      const { doctor } = await import("./doctor/command.ts")
      end(doctor(options, output))
    })

  program
    .command("dev")
    .description("next dev, with the gateway on its port; further options are those of next dev.")
    .addOption(cwdOption())
    .addOption(
      new Option(
        "--emulate <names>",
        "go over these, by commas, without an account: pusher, ably, socketio",
      ).argParser(parseProviders),
    )
    .argument("[options...]", "of next dev")
    .allowUnknownOption()
    .action(async (args: string[], { cwd, emulate }: { cwd: string; emulate?: readonly ProviderName[] }) => {
      const { emulating, runNext } = await import("./run/next.ts")
      end(
        await runNext(cwd, ["dev", ...args], { NODE_ENV: "development", ...(emulate && emulating(emulate)) }),
      )
    })

  program
    .command("start")
    .description("next start, with the gateway on its port; further options are those of next start.")
    .addOption(cwdOption())
    .argument("[options...]", "of next start")
    .allowUnknownOption()
    .action(async (args: string[], { cwd }: { cwd: string }) => {
      const [{ requireEnvironment }, { runNext }] = await Promise.all([
        import("./run/environment.ts"),
        import("./run/next.ts"),
      ])
      requireEnvironment(cwd)
      end(await runNext(cwd, ["start", ...args], { NODE_ENV: "production" }))
    })

  program
    .command("gateway")
    .description("The gateway alone, as realtime/server declares it, on a port of its own.")
    .addOption(cwdOption())
    .addOption(
      new Option("-p, --port <port>", "where it listens; 0 takes any free one")
        .env("SOCKET_PORT")
        .default(3001)
        .argParser(parsePort),
    )
    .option("-H, --hostname <name>", "the interface on which it listens (default: all of them)")
    .addOption(jsonOption())
    .action(async (options: { cwd: string; port: number; hostname?: string }) => {
      const { runGateway } = await import("./run/gateway.ts")
      end(await runGateway(options, output))
    })

  program
    .command("emulators")
    .description(
      "Pusher and Ably on this machine. After -- a command that is run beside them, told where they are.",
    )
    .helpOption(false)
    .argument("[options...]", "of throughline-emulators; --help says which")
    .allowUnknownOption()
    .action(async () => {
      const { runEmulators } = await import("./run/emulators.ts")
      await runEmulators(args.slice(args.indexOf("emulators") + 1))
      end(Number(process.exitCode ?? 0))
    })

  return program
}

function parsePort(value: string): number {
  if (/^\d{1,5}$/.test(value) && Number(value) < 65_536) return Number(value)
  throw new InvalidArgumentError(`a port is a number from 0 to 65535, not "${value}".`)
}

function parseProviders(value: string): readonly ProviderName[] {
  const names = value.split(",").map((name) => name.trim())
  const unknown = names.find((name) => !providerNames.some((known) => known === name))
  if (unknown !== undefined)
    throw new InvalidArgumentError(`there are ${providerNames.join(", ")}, not "${unknown}".`)
  return [...new Set(names as ProviderName[])]
}
