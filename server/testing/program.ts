import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { waitForStart } from "throughline/testing"

export interface ProgramOptions {
  parameters?: string[]
  /** Where the program is; by default where it ships. */
  folder?: string
  /** How many files it may have open. */
  maxFiles?: number
}

/** One of the shipped programs, run as an operator would, with nothing but this environment. */
export function runProgram(
  file: "gateway.ts" | "main.ts" | "doctor.ts" | "data.ts",
  env: Record<string, string>,
  { parameters = [], folder = join(import.meta.dirname, ".."), maxFiles }: ProgramOptions = {},
) {
  const program = [
    process.execPath,
    "--import",
    join(folder, "check-node.js"),
    join(folder, file),
    ...parameters,
  ]
  const [command = "", ...rest] = maxFiles
    ? ["sh", "-c", `ulimit -n ${maxFiles}; exec "$0" "$@"`, ...program]
    : program
  const child = spawn(command, rest, {
    env: Object.assign({ NODE_ENV: "development" as const, PATH: process.env.PATH }, env),
    stdio: ["ignore", "pipe", "pipe"],
  })
  /** All that it wrote, and what of it went to standard output. */
  const output = { text: "", standard: "" }
  child.stdout.on("data", (data: Buffer) => {
    output.text += data
    output.standard += data
  })
  child.stderr.on("data", (data: Buffer) => {
    output.text += data
  })
  // Later than "exit": all that it said has arrived.
  const exited = once(child, "close").then(([code]) => code as number | null)
  return {
    ...{ child, output, exited },
    /** Resolves with the first truthy answer of `condition`; rejects with what it said, when it ends before. */
    whenStarted: <T>(condition: () => T | Promise<T>) =>
      waitForStart(child, condition, file, { said: () => output.text }),
  }
}

export type RunningProgram = ReturnType<typeof runProgram>
