import { type ChildProcess, spawn } from "node:child_process"
import { readFileSync, watch } from "node:fs"
import { join } from "node:path"

/** One of the processes of development. */
export interface DevProgram {
  /** In `server/`. */
  file: string
  env?: Record<string, string>
  /** Of Node.js. */
  options?: readonly string[]
}

/** What Next.js reads in development: https://nextjs.org/docs/app/guides/environment-variables */
const envFiles = [".env", ".env.local", ".env.development", ".env.development.local"]
/** An editor writes a file in several steps. */
const settleMs = 200
/** What hasn't ended by then hangs. */
const endMs = 15_000

/**
 * Runs processes until one of them or a signal ends them all, and starts them again when an `.env` file in the folder
 * says something else: half of what they were told is read once. One that fails by what a file says waits for its next
 * edit, as one under `--watch` does for its sources.
 */
export function runTogether(programs: readonly DevProgram[], folder: string): void {
  let children: ChildProcess[] = []
  let known = readEnvFiles(folder)
  let isEnding = false
  let isRestarting = false
  /** Started again after an edit: what fails then fails by the edit. */
  let isEdited = false
  let settling: NodeJS.Timeout | undefined

  const isRunning = ({ exitCode, signalCode }: ChildProcess) => exitCode === null && signalCode === null
  const signalAll = (signal: NodeJS.Signals) => {
    for (const child of children) if (isRunning(child)) child.kill(signal)
  }

  function start(): void {
    children = programs.map(({ file, env = {}, options = [] }) =>
      spawn(process.execPath, [...process.execArgv, ...options, join(import.meta.dirname, file)], {
        env: { ...process.env, ...env },
        // By the channel a server knows that this process is gone, however it ended.
        stdio: ["inherit", "inherit", "inherit", "ipc"],
      }),
    )
    for (const child of children) child.once("exit", (code) => onExit(code ?? 0))
  }

  function onExit(code: number): void {
    if (!isEnding && !isRestarting && isEdited && code !== 0) {
      console.error("Waiting for the next edit of an .env file.")
      return
    }
    if (!isRestarting) {
      process.exitCode ||= code
      isEnding = true
      signalAll("SIGTERM")
    }
    if (children.some(isRunning)) return
    if (isEnding) process.exit()
    isRestarting = false
    start()
  }

  function follow(): void {
    const now = readEnvFiles(folder)
    const changed = envFiles.filter((name) => now[name] !== known[name])
    if (changed.length === 0 || isEnding) return
    known = now
    isEdited = true
    console.log(`${changed.join(", ")} changed: starting again`)
    if (isRestarting) return
    if (!children.some(isRunning)) {
      start()
      return
    }
    isRestarting = true
    signalAll("SIGTERM")
    const stopped = children
    setTimeout(() => {
      for (const child of stopped) if (isRunning(child)) child.kill("SIGKILL")
    }, endMs).unref()
  }

  watch(folder, (_, name) => {
    if (name === null || !envFiles.includes(name)) return
    clearTimeout(settling)
    settling = setTimeout(follow, settleMs)
  })
  const end = () => {
    isEnding = true
    if (!children.some(isRunning)) process.exit()
  }
  // A terminal sends SIGINT to all of them; what is sent to this process alone is handed on.
  process.on("SIGINT", end).on("SIGTERM", () => {
    signalAll("SIGTERM")
    end()
  })
  start()
}

/** What each of them says; those that aren't there say nothing. */
function readEnvFiles(folder: string): Record<string, string | undefined> {
  return Object.fromEntries(
    envFiles.map((name) => {
      try {
        return [name, readFileSync(join(folder, name), "utf8")]
      } catch {
        return [name, undefined]
      }
    }),
  )
}
