import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { constants } from "node:os"

/** How long a command may take to end before it is ended. */
const graceMs = 5_000

/** Those that ask a program to end; they are handed on, and what it answers counts. */
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const

/**
 * Runs a command with these variables besides this process's own, and resolves to its exit code: 128 and the signal's number where one
 * ended it, 127 where there is no such command. It has no keyboard. Whatever it starts belongs to one group, which ends with the command
 * and with this process, even by SIGKILL: a guard in a process of its own sees that.
 */
export async function runBeside(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const [program = "", ...args] = command
  const guard = spawn(process.execPath, ["-e", `(${guardGroup})(${graceMs})`], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  })
  await once(guard, "spawn")
  const guardEnded = once(guard, "exit")
  // Its end of the pipe may be gone by then: nothing is left to guard.
  guard.stdin.on("error", () => {})
  try {
    return await run(program, args, env, (pid) => guard.stdin.write(`${pid}\n`))
  } finally {
    guard.stdin.end()
    await guardEnded
  }
}

async function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  onStarted: (pid: number) => void,
): Promise<number> {
  const isWindows = process.platform === "win32"
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    // A keyboard belongs to the group that the terminal knows.
    stdio: [process.stdin.isTTY ? "ignore" : "inherit", "inherit", "inherit"],
    // A group of its own, where there are groups.
    detached: !isWindows,
    // There, npm and npx are scripts.
    shell: isWindows,
  })
  if (child.pid !== undefined) onStarted(child.pid)
  const handOn = (signal: NodeJS.Signals) => void signalGroup(child, signal)
  for (const signal of signals) process.on(signal, handOn)
  try {
    return await exitCodeOf(child)
  } finally {
    for (const signal of signals) process.off(signal, handOn)
  }
}

async function exitCodeOf(child: ChildProcess): Promise<number> {
  try {
    const [exitCode, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null]
    return exitCode ?? 128 + (signal ? constants.signals[signal] : 0)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === "ENOENT") return 127
    if (code === "EACCES") return 126
    throw error
  }
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(process.platform === "win32" ? pid : -pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error
  }
}

/**
 * The guard's whole program, given as its source: it must use nothing from around it. Reads the group's number, waits until nobody holds
 * the other end of its standard input, and ends what is left of the group.
 */
function guardGroup(patienceMs: number): void {
  const { spawnSync } = process.getBuiltinModule("node:child_process")
  let text = ""
  process.stdin.setEncoding("utf8")
  process.stdin.on("data", (chunk) => {
    text += chunk
  })
  process.stdin.on("end", () => {
    const pid = Number.parseInt(text, 10)
    if (!(pid > 0)) return
    if (process.platform === "win32") {
      spawnSync("taskkill", ["/pid", String(pid), "/t", "/f"])
      return
    }
    const send = (signal: NodeJS.Signals | 0) => {
      try {
        return process.kill(-pid, signal)
      } catch {
        // Nobody is left.
        return false
      }
    }
    const started = Date.now()
    if (!send("SIGTERM")) return
    const timer = setInterval(() => {
      if (send(0) && Date.now() - started < patienceMs) return
      send("SIGKILL")
      clearInterval(timer)
    }, 20)
  })
}
