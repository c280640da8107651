import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { expect, it } from "vitest"
import { projectDir } from "./run.ts"
import { hiddenTools } from "./tools.ts"

/** The static step that loads other programs' configuration, and with it what that looks for. */
it("what is unused is the same on a machine that has no tool", { timeout: 60_000 }, async () => {
  const env = { ...process.env, ...hiddenTools() }
  const program = join(projectDir, "node_modules", ".bin", "knip")
  const { stdout } = await promisify(execFile)(program, ["--no-config-hints"], { cwd: projectDir, env })
  expect(stdout.trim()).toBe("")
})
