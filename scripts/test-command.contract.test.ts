import { spawn } from "node:child_process"
import { once } from "node:events"
import { expect, it } from "vitest"
import { waitForStart } from "../realtime/testing/wait-for.ts"
import { projectDir } from "./run.ts"

it("npm test that is told to end does so with all that it started, and has failed", {
  timeout: 120_000,
}, async () => {
  const child = spawn(process.execPath, ["scripts/test.ts", "react"], {
    cwd: projectDir,
    stdio: ["ignore", "pipe", "ignore"],
  })
  let output = ""
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk
  })
  // Vitest has begun.
  await waitForStart(child, () => output.includes(" RUN "), "Vitest", { said: () => output })
  child.kill("SIGTERM")
  const [code] = await once(child, "exit")
  expect(code).toBe(1)
  expect(output).toContain("it was told to end")
  expect(output.trimEnd().split("\n").at(-1)).toMatch(/^\d+ passed, 1 failed, \d+ skipped$/)
})
