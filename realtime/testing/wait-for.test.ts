import { spawn } from "node:child_process"
import { once } from "node:events"
import { expect, it, vi } from "vitest"
import { waitForStart } from "./wait-for.ts"

/** Never met: whoever waits for it hangs. */
vi.setConfig({ testTimeout: 30_000 })
const limitMs = 600_000

it("waits until the program answers", async () => {
  const running = { exitCode: null, signalCode: null }
  const answers = [null, "", "here"]
  expect(await waitForStart(running, () => answers.shift(), "it", { limitMs })).toBe("here")
})

it.each([
  [
    "by itself",
    "console.log('no such file'); process.exit(3)",
    undefined,
    /for it: it ended with 3\. no such file/,
  ],
  ["by a signal", "setInterval(() => {}, 1000)", "SIGKILL" as const, /for it: it ended with SIGKILL/],
])("waits no longer for a program that ended %s", async (_, code, signal, error) => {
  const child = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] })
  let output = ""
  child.stdout.on("data", (chunk) => {
    output += chunk
  })
  const refused = async () => {
    throw new Error("ECONNREFUSED")
  }
  const closed = once(child, "close")
  if (signal) child.kill(signal)
  else await closed
  await expect(waitForStart(child, refused, "it", { said: () => output, limitMs })).rejects.toThrow(error)
})
