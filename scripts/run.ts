import { spawn } from "node:child_process"
import { once } from "node:events"
import { resolve } from "node:path"

export const projectDir = resolve(import.meta.dirname, "..")

/** Runs a program of `node_modules/.bin` (npm puts that on the PATH) in the project; resolves with its exit code. */
export async function run(
  program: string,
  parameters: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  const child = spawn(program, parameters, {
    cwd: projectDir,
    env: { ...process.env, ...env },
    stdio: ["ignore", "inherit", "inherit"],
  })
  const [code] = (await once(child, "exit")) as [number | null]
  return code ?? 1
}
