import { type ChildProcess, spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { once } from "node:events"
import { readdirSync, readFileSync } from "node:fs"
import { resolve } from "node:path"

export const projectDir = resolve(import.meta.dirname, "..")

/**
 * The compiler in Go, at a quarter of the other's processor time. Next.js and the tools that read types want the one in
 * JavaScript beside it, whose program has the same name on the PATH, so this one is named by its path.
 */
export const tsc = "node_modules/typescript-newest/bin/tsc"

/** In the environment of all that a limited run starts: whatever became of its parents, it is found by it. */
const markVariable = "THROUGHLINE_STARTED_BY"

export interface RunOptions {
  /** Default: the project. */
  cwd?: string
  /** Whether what it prints is left out. */
  quiet?: boolean
  /** Past so many ms it is ended, with all that it started. Default: no limit. */
  limitMs?: number
  /** Ends it before that, with all that it started. */
  signal?: AbortSignal
}

/**
 * Runs a program of `node_modules/.bin` (npm puts that on the PATH) in the project; resolves with its exit code. What it
 * says goes to this program's own output, or where it is told.
 */
export async function run(
  program: string,
  parameters: readonly string[],
  env: Readonly<Record<string, string>> = {},
  onOutput?: (text: string) => void,
): Promise<number> {
  const output = onOutput ? "pipe" : "inherit"
  const child = spawn(program, parameters, {
    cwd: projectDir,
    env: { ...process.env, ...env },
    stdio: ["ignore", output, output],
  })
  if (onOutput)
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", onOutput)
  const [code] = (await once(child, "close")) as [number | null]
  return code ?? 1
}

/**
 * The same, and whatever it started ends with it: servers, browsers, databases. Resolves with its exit code, or with
 * `"ended"` where its time was up or the signal came.
 */
export async function runToEnd(
  program: string,
  parameters: readonly string[],
  env: Readonly<Record<string, string>>,
  { cwd = projectDir, quiet = false, limitMs, signal }: RunOptions = {},
): Promise<number | "ended"> {
  const mark = randomUUID()
  const child = spawn(program, parameters, {
    cwd,
    // Beside the mark of whoever runs this: a run within a run is found by both.
    env: { ...process.env, ...env, [markVariable]: `${process.env[markVariable] ?? ""}${mark} ` },
    stdio: ["ignore", quiet ? "ignore" : "inherit", quiet ? "ignore" : "inherit"],
    // A group of its own, so that all of it can be ended at once.
    detached: true,
  })
  const signals = [...(signal ? [signal] : []), ...(limitMs ? [AbortSignal.timeout(limitMs)] : [])]
  const isOver = AbortSignal.any(signals)
  const exited = once(child, "exit") as Promise<[number | null]>
  const end = () => endAll(child, mark)
  isOver.addEventListener("abort", end, { once: true })
  if (isOver.aborted) end()
  const [code] = await exited
  isOver.removeEventListener("abort", end)
  endAll(child, mark)
  return isOver.aborted ? "ended" : (code ?? 1)
}

function endAll(child: ChildProcess, mark: string): void {
  for (const pid of [...(child.pid ? [-child.pid] : []), ...markedProcesses(mark)]) {
    try {
      process.kill(pid, "SIGKILL")
    } catch (error) {
      // It has ended by itself meanwhile.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error
    }
  }
}

/** Those that left the group, as databases do. Only Linux shows what environment a process has; elsewhere none is found. */
function markedProcesses(mark: string): number[] {
  if (process.platform !== "linux") return []
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "latin1").includes(mark)
      } catch {
        // It has ended, or is another user's.
        return false
      }
    })
    .map(Number)
}
