import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { bareEnvironment } from "../realtime/testing/bare-environment.ts"
import { waitForStart } from "../realtime/testing/wait-for.ts"
import { packOnce } from "../scripts/pack.ts"
import { projectDir } from "../scripts/run.ts"
import { freePort } from "./chat-servers.ts"

/** Nothing was compiled yet, on a machine that may be busy. */
const startMs = 600_000
const commandMs = 900_000

/** An app that somebody else made, outside the project: nothing is linked, and npm installed all of it. */
export interface Stranger extends Disposable {
  readonly folder: string
  read(path: string): string
  write(path: string, text: string): void
  remove(path: string): void
  /** Changes a file as an editor would. */
  edit(path: string, from: string, to: string): void
  /** Runs a program of the app's packages there, as `next` or `throughline`, and returns what it printed. */
  run(program: string, ...args: readonly string[]): string
  install(...packages: readonly string[]): void
  /** Types a line at a terminal in its folder, and answers yes to what is asked. */
  type(line: string): void
  /** `node` with these arguments, in its folder, until this path answers. */
  start(args: readonly string[], options: StartOptions): Promise<StrangersServer>
  /** The same of a line as it is typed. */
  startLine(line: string, options: StartOptions): Promise<StrangersServer>
}

export interface StartOptions {
  /** What has to answer. */
  path: string
  port?: number
  env?: Readonly<Record<string, string>>
}

export interface StrangersServer extends AsyncDisposable {
  readonly port: number
  readonly url: string
  output(): string
  /** Ends it with all that it started, as a crash of the machine would. */
  kill(): Promise<void>
}

const programs: Record<string, string> = {
  next: "next/dist/bin/next",
  tsc: "typescript/bin/tsc",
  eslint: "eslint/bin/eslint.js",
  throughline: "throughline/cli/bin.js",
}

/** Of `node`, that run this program of the app's packages. */
export const programOf = (name: string): string => join("node_modules", programs[name] ?? name)

/** What `create-next-app` is told. */
const newApp = [
  ...["app", "--yes", "--empty", "--typescript", "--eslint", "--app", "--no-tailwind", "--no-src-dir"],
  ...["--import-alias", "@/*", "--use-npm", "--skip-install", "--disable-git"],
]

/**
 * An app that nothing is fetched for: `create-next-app` of the project makes it in a folder of the project, whose packages it
 * finds, and the packed tarballs are unpacked there.
 */
export async function makeNeighbour(): Promise<Stranger> {
  const packages = await packOnce()
  const data = join(projectDir, ".data")
  mkdirSync(data, { recursive: true })
  const folder = join(mkdtempSync(join(data, "neighbour-")), "app")
  const installed = join(projectDir, "node_modules")
  const createNextApp = fileURLToPath(import.meta.resolve("create-next-app/dist/index.js"))
  execute(dirname(folder), process.execPath, [createNextApp, ...newApp])
  for (const { manifest, tarball } of Object.values(packages)) {
    const own = join(folder, "node_modules", manifest.name)
    mkdirSync(own, { recursive: true })
    execute(own, "tar", ["-xzf", tarball, "--strip-components=1"])
  }
  for (const name of ["next", "typescript"])
    symlinkSync(join(installed, name), join(folder, "node_modules", name))
  return strangerIn(folder)
}

/**
 * As `create-next-app` of this version makes it, with the tarball of `throughline` installed. Beside it is the checkout that
 * the README speaks of.
 */
export async function makeStranger(createNextApp: string): Promise<Stranger> {
  const { throughline } = await packOnce()
  const folder = join(mkdtempSync(join(tmpdir(), "throughline-stranger-")), "app")
  const createdBy = ["--yes", "--prefer-offline", `create-next-app@${createNextApp}`]
  execute(dirname(folder), "npx", [...createdBy, ...newApp])
  symlinkSync(projectDir, join(dirname(folder), "throughline"))
  const app = strangerIn(folder)
  app.install(throughline.tarball)
  return app
}

/** Whether npm can be had anything from. */
export function canInstall(): boolean {
  const asked = spawnSync("npm", ["view", "create-next-app", "version"], {
    env: bareEnvironment,
    timeout: commandMs,
  })
  return asked.status === 0
}

/** Whether lines can be typed at a terminal: that takes util-linux' `script`; macOS has another, of other options. */
export function canType(): boolean {
  const asked = spawnSync("script", ["--version"], { env: bareEnvironment, encoding: "utf8" })
  return asked.status === 0 && asked.stdout.includes("util-linux")
}

export function execute(cwd: string, program: string, args: readonly string[], input = ""): string {
  try {
    return execFileSync(program, args, {
      ...{ cwd, env: bareEnvironment, encoding: "utf8", timeout: commandMs, input },
      stdio: "pipe",
    })
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    throw new Error(`${program} ${args.join(" ")} failed:\n${stdout}${stderr}`, { cause: error })
  }
}

function strangerIn(folder: string): Stranger {
  const read = (path: string) => readFileSync(join(folder, path), "utf8")
  function write(path: string, text: string): void {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return {
    ...{ folder, read, write },
    remove: (path) => rmSync(join(folder, path), { recursive: true }),
    edit(path, from, to) {
      const text = read(path)
      if (!text.includes(from)) throw new Error(`unable to edit ${path}; it has no ${from}`)
      write(
        path,
        text.replace(from, () => to),
      )
    },
    run: (program, ...args) => execute(folder, process.execPath, [programOf(program), ...args]),
    install: (...packages) => void execute(folder, "npm", ["install", "--prefer-offline", ...packages]),
    type(line) {
      const atTerminal = ["--quiet", "--return", "--command", line, "/dev/null"]
      execute(folder, "script", atTerminal, "y\n")
    },
    start: (args, options) => startIn(folder, process.execPath, args, options),
    startLine: (line, options) => startIn(folder, "sh", ["-c", line], options),
    [Symbol.dispose]: () => rmSync(dirname(folder), { recursive: true, force: true }),
  }
}

export async function startIn(
  folder: string,
  program: string,
  args: readonly string[],
  { path, port: wanted, env }: StartOptions,
): Promise<StrangersServer> {
  const port = wanted ?? (await freePort())
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...bareEnvironment, PORT: String(port), ...env },
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own: Next.js starts others, which a crash takes, too.
    detached: true,
  })
  let output = ""
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      output += chunk
    })
  let killing: Promise<void> | undefined
  // Once: its number may be another's later.
  const kill = () => (killing ??= killAll(child))
  const onExit = () => void kill()
  process.once("exit", onExit)
  const url = `http://localhost:${port}`
  const answers = async () => (await fetch(url + path, { signal: AbortSignal.timeout(startMs) })).ok
  try {
    const options = { said: () => output, limitMs: startMs }
    await waitForStart(child, answers, `${args.join(" ")} to answer ${path}`, options)
  } catch (error) {
    await kill()
    throw error
  }
  return {
    ...{ port, url, kill },
    output: () => output,
    async [Symbol.asyncDispose]() {
      process.off("exit", onExit)
      await kill()
    },
  }
}

async function killAll(child: ChildProcess): Promise<void> {
  const { pid } = child
  if (pid === undefined) return
  try {
    process.kill(-pid, "SIGKILL")
  } catch (error) {
    // All of it has ended before.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit")
}
