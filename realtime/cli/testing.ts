import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, relative } from "node:path"

const bin = join(import.meta.dirname, "bin.ts")

/** A folder with these files, removed when the test is over. */
export function makeFolder(files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), "throughline-cli-"))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return {
    folder,
    /** Every file, and every empty folder, with what it holds. */
    snapshot(): Record<string, string> {
      const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
      return Object.fromEntries(
        entries.map((entry) => {
          const path = join(entry.parentPath, entry.name)
          return [relative(folder, path), entry.isFile() ? readFileSync(path, "utf8") : "(folder)"]
        }),
      )
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** None of what may be set for other tests, `NODE_ENV` included. */
export const inherited = { PATH: process.env.PATH, HOME: process.env.HOME } as unknown as NodeJS.ProcessEnv

/** Runs `throughline` as a process of its own, and resolves to what it said and how it ended. */
export async function throughline(folder: string, args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: folder,
    env: { ...inherited, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  })
  const said = { stdout: "", stderr: "" }
  child.stdout.on("data", (data) => {
    said.stdout += data
  })
  child.stderr.on("data", (data) => {
    said.stderr += data
  })
  const [exitCode] = (await once(child, "close")) as [number | null]
  return { ...said, exitCode }
}

/**
 * The same in a terminal, by the program `script` of Linux, where this key is pressed
 * once an answer is asked for.
 */
export async function inTerminal(folder: string, args: readonly string[], key: string) {
  const command = [process.execPath, bin, ...args].map((word) => `'${word}'`).join(" ")
  const child = spawn("/usr/bin/script", ["--quiet", "--return", "--command", command, "/dev/null"], {
    cwd: folder,
    env: inherited,
    stdio: ["pipe", "pipe", "inherit"],
  })
  let stdout = ""
  child.stdout.on("data", (data) => {
    const wasAsked = stdout.includes("[y/N]")
    stdout += data
    if (!wasAsked && stdout.includes("[y/N]")) child.stdin.write(key)
  })
  const [exitCode] = (await once(child, "close")) as [number | null]
  child.stdin.destroy()
  return { stdout, exitCode }
}
