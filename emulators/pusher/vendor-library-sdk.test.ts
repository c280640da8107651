/**
 * The remote tests of Pusher's server library, which its package ships and its authors run against the service, run here
 * unmodified against the emulator. `expect.js` and mocha's callbacks are stood in for.
 */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { afterAll, beforeEach, describe, it, expect as ours } from "vitest"
import { startPusherEmulator } from "./server.ts"

const requireHere = createRequire(import.meta.url)
const emulator = await startPusherEmulator()
afterAll(() => emulator.close())
const { appId, key, secret, host, port } = emulator.serverOptions()

/** What the tests use of expect.js. */
function expectJs(value: unknown) {
  const isA = (type: unknown) =>
    typeof type === "string" ? ours(typeof value).toBe(type) : ours(value).toBeInstanceOf(type)
  return {
    to: {
      equal: (wanted: unknown) => ours(value).toBe(wanted),
      eql: (wanted: unknown) => ours(value).toEqual(wanted),
      be: { a: isA, an: isA },
    },
  }
}

/** A test that takes `done` ends when it calls it. */
function itDone(name: string, test: (done: (error?: unknown) => void) => void) {
  it(name, () => new Promise<void>((resolve, reject) => test((error) => (error ? reject(error) : resolve()))))
}

describe.each(["get", "trigger"])("the server library's own remote tests: %s", (file) => {
  const path = requireHere.resolve(`pusher/tests/remote/pusher/${file}.js`)
  const requireBeside = createRequire(path)
  const scope = {
    require: (name: string) => (name === "expect.js" ? expectJs : requireBeside(name)),
    process: { env: { PUSHER_URL: `http://${key}:${secret}@${host}:${port}/apps/${appId}` } },
    describe,
    it: itDone,
    beforeEach,
  }
  new Function(...Object.keys(scope), readFileSync(path, "utf8"))(...Object.values(scope))
})
