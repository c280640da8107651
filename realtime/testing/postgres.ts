import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { promisify } from "node:util"
import { waitFor, waitForStart } from "./wait-for.ts"

/**
 * A real PostgreSQL of a test's own, on a socket in a temporary folder. Disposing
 * stops it and removes everything.
 */
export interface TestPostgres extends AsyncDisposable {
  /** With a password that PostgreSQL checks. */
  readonly connectionString: string
  /** Starts it again on the same data; resolves when it answers. */
  start(): Promise<void>
  /** Breaks every connection and refuses new ones; resolves when its process has ended. */
  stop(): Promise<void>
  /** Kills all of its processes at once, in the middle of whatever they do; resolves when they are gone. */
  kill(): Promise<void>
}

export interface TestPostgresOptions {
  /**
   * Settings of `postgresql.conf`. By default nothing is forced to the disk: a test doesn't cut the power.
   */
  settings?: Readonly<Record<string, string>>
}

const isInstallation = (folder: string) =>
  existsSync(join(folder, "postgres")) && existsSync(join(folder, "initdb"))

/**
 * The folder of a PostgreSQL's programs: what `THROUGHLINE_POSTGRES_BIN` says, else what is on the
 * PATH, else the newest that Debian's packages installed. Null when there is none; suites that
 * need one say that they are skipped.
 */
export function findPostgres(): string | null {
  const chosen = process.env.THROUGHLINE_POSTGRES_BIN
  // Links to the server alone lead to where its other programs are, too.
  if (chosen) return isInstallation(chosen) ? dirname(realpathSync(join(chosen, "postgres"))) : null
  const onPath = (process.env.PATH ?? "")
    .split(delimiter)
    .flatMap((folder) => ["postgres", "pg_ctl"].map((program) => join(folder, program)))
    .filter((program) => existsSync(program))
    .map((program) => dirname(realpathSync(program)))
  const debian = "/usr/lib/postgresql"
  const packaged = (existsSync(debian) ? readdirSync(debian) : [])
    .sort((left, right) => Number(right) - Number(left))
    .map((version) => join(debian, version, "bin"))
  return [...onPath, ...packaged].find(isInstallation) ?? null
}

/** PostgreSQL refuses to run as root, so root lends it another user of the machine. */
export function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ["postgres", "nobody"]) {
    try {
      const idOf = (option: string) => Number(execFileSync("id", [option, name], { stdio: "pipe" }))
      return { uid: idOf("-u"), gid: idOf("-g") }
    } catch (error) {
      if (name === "nobody")
        throw new Error("unable to start PostgreSQL as root; no other user was found", { cause: error })
    }
  }
  return undefined
}

const password = "canary-password"

/**
 * Starts a PostgreSQL with the programs that `findPostgres` finds; throws where there are none. `settings`
 * are lines of its configuration.
 */
export async function startPostgres({ settings = {} }: TestPostgresOptions = {}): Promise<TestPostgres> {
  const programs = findPostgres()
  if (!programs) throw new Error("unable to start PostgreSQL; it was not found (THROUGHLINE_POSTGRES_BIN)")
  const user = unprivilegedUser()
  const folder = mkdtempSync(join(tmpdir(), "throughline-pg-"))
  const data = join(folder, "data")
  if (user) chownSync(folder, user.uid, user.gid)

  const all = {
    fsync: "off",
    full_page_writes: "off",
    shared_buffers: "16MB",
    max_connections: "60",
    ...settings,
  }
  const connectionString = `postgres://throughline:${password}@/postgres?host=${encodeURIComponent(folder)}`
  let server: ChildProcess | null = null
  let output = ""

  const isRunning = ({ exitCode, signalCode }: ChildProcess) => exitCode === null && signalCode === null
  const killServer = () => server?.kill("SIGKILL")

  async function answers(): Promise<true> {
    // Loaded here, so that whoever tests something else doesn't need it.
    const { Client } = await import("pg")
    const client = new Client({ connectionString })
    try {
      await client.connect()
      return true
    } finally {
      await client.end()
    }
  }

  const postgres: TestPostgres = {
    connectionString,
    async start() {
      if (server) return
      const chosen = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`])
      const parameters = ["-D", data, "-k", folder, "-c", "listen_addresses=", ...chosen]
      server = spawn(join(programs, "postgres"), parameters, {
        ...user,
        cwd: folder,
        stdio: ["ignore", "pipe", "pipe"],
      })
      for (const stream of [server.stdout, server.stderr])
        stream?.on("data", (chunk: Buffer) => {
          output = (output + chunk).slice(-4_000)
        })
      process.on("exit", killServer)
      await waitForStart(server, answers, "PostgreSQL", { said: () => output }).catch(async (error) => {
        await postgres.kill()
        throw error
      })
    },
    async stop() {
      if (!server) return
      const ended = isRunning(server) ? once(server, "exit") : null
      server.kill("SIGINT")
      await ended
      server = null
      process.off("exit", killServer)
    },
    async kill() {
      if (!server?.pid) return
      const ended = isRunning(server) ? once(server, "exit") : null
      // Asked for while it is there: whose children they were nobody knows later.
      const { pid } = server
      const children = (await runningProcesses()).filter(({ parent }) => parent === pid)
      const all = [pid, ...children.map((child) => child.pid)]
      for (const one of all) killIfThere(one)
      await ended
      // As long as one of them holds its memory, another isn't started on the same data.
      const isGone = async () => !(await runningProcesses()).some((one) => all.includes(one.pid))
      await waitFor(isGone, "PostgreSQL to be gone")
      server = null
      process.off("exit", killServer)
    },
    async [Symbol.asyncDispose]() {
      await postgres.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }

  const template = process.env[templateVariable]
  if (template) await promisify(execFile)("cp", ["-a", template, data])
  else await initialize(programs, folder)
  await postgres.start()
  return postgres
}

const templateVariable = "THROUGHLINE_POSTGRES_TEMPLATE"

/**
 * Makes a database in this new folder that those whom the returned variable reaches begin with: a copy takes
 * a tenth of the processor's time that `initdb` takes.
 */
export async function makePostgresTemplate(folder: string): Promise<Record<string, string>> {
  const programs = findPostgres()
  if (!programs) return {}
  mkdirSync(folder)
  const user = unprivilegedUser()
  if (user) chownSync(folder, user.uid, user.gid)
  await initialize(programs, folder)
  return { [templateVariable]: join(folder, "data") }
}

/** Makes an empty database in the folder `data` of this one. */
async function initialize(programs: string, folder: string): Promise<void> {
  const passwordFile = join(folder, "password")
  writeFileSync(passwordFile, password)
  const parameters = [
    ...["-D", join(folder, "data"), "-U", "throughline", "--pwfile", passwordFile, "--auth", "scram-sha-256"],
    ...["-E", "UTF8", "--locale", "C", "--no-sync"],
  ]
  const options = { ...unprivilegedUser(), cwd: folder }
  await promisify(execFile)(join(programs, "initdb"), parameters, options)
}

interface Running {
  pid: number
  parent: number
}

/** But for those that have ended and that nobody has asked how. Others' work goes on meanwhile. */
async function runningProcesses(): Promise<Running[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid=,stat="])
  return stdout
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , state = ""]) => !state.startsWith("Z"))
    .map(([pid, parent]) => ({ pid: Number(pid), parent: Number(parent) }))
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL")
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error
  }
}
