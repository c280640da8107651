import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { describe, expect, it } from "vitest"
import { inherited, makeFolder, throughline } from "../testing.ts"

/** Stands where Next.js does, and says how it was called. */
const next = {
  "package.json": '{ "dependencies": { "next": "16.4.3" } }',
  "node_modules/next/package.json": '{ "name": "next", "version": "16.4.3", "bin": { "next": "./bin.cjs" } }',
  "node_modules/next/bin.cjs": `
    const { NODE_ENV, REALTIME_PROVIDER, PUSHER_KEY } = process.env
    console.log(JSON.stringify({ args: process.argv.slice(2), NODE_ENV, REALTIME_PROVIDER, PUSHER_KEY }))
    process.exitCode = 4`,
  "node_modules/@next/env/package.json": '{ "name": "@next/env", "version": "16.4.3", "main": "index.cjs" }',
  "node_modules/@next/env/index.cjs": "exports.loadEnvConfig = () => { process.env.FROM_ENV_FILE = 'read' }",
}

describe("throughline dev and start", () => {
  it.each([
    [["dev", "--port", "4000"], { args: ["dev", "--port", "4000"], NODE_ENV: "development" }],
    [
      ["dev", "--turbopack", "--emulate", "pusher,ably"],
      { args: ["dev", "--turbopack"], REALTIME_PROVIDER: "pusher,ably", PUSHER_KEY: "" },
    ],
    [["start", "-H", "localhost"], { args: ["start", "-H", "localhost"], NODE_ENV: "production" }],
  ])("%j runs the app's own next, and ends as it does", async (args, called) => {
    using place = makeFolder(next)
    const { exitCode, stdout, stderr } = await throughline(place.folder, args, { PUSHER_KEY: "real" })
    expect({ exitCode, stderr }).toEqual({ exitCode: 4, stderr: "" })
    expect(JSON.parse(stdout)).toMatchObject(called)
  })

  it("start refuses an environment that the server would refuse, before anything listens", async () => {
    using place = makeFolder({ ...next, ".env.production": "REALTIME_PROVIDER=ably\nPUSHER_PORT=$PORT\n" })
    expect(await throughline(place.folder, ["start"], { SOCKET_PORT: "many" })).toMatchObject({
      ...{ exitCode: 78, stdout: "" },
      stderr: expect.stringMatching(
        /unable to start; ABLY_API_KEY is missing: REALTIME_PROVIDER names ably\. SOCKET_PORT must be a port, from 1 to 65535\.\n→ Set it in/,
      ),
    })
    // Whoever develops goes over an emulator.
    expect(await throughline(place.folder, ["dev"])).toMatchObject({ exitCode: 4 })
  })

  it("say what isn't installed", async () => {
    using place = makeFolder({ "package.json": "{}" })
    expect(await throughline(place.folder, ["dev"])).toMatchObject({
      ...{ exitCode: 1, stdout: "" },
      stderr: expect.stringContaining("next isn't installed in"),
    })
    expect(await throughline(place.folder, ["emulators", "--", "true"])).toMatchObject({
      ...{ exitCode: 1, stdout: "" },
      stderr: expect.stringContaining(
        "npm install --save-dev ../throughline/dist/throughline-emulators-*.tgz",
      ),
    })
  })
})

describe("throughline gateway", () => {
  const app = {
    ...next,
    "tsconfig.json": '{\n  // of the editor\n  "compilerOptions": { "paths": { "@/*": ["./src/*"] }, },\n}\n',
    "src/realtime/server.ts": `
      import "server-only"
      import { words } from "@/words"
      import { farewell } from "./farewell"
      export const realtime = {
        async listen(port: number): Promise<number> {
          console.error(words, process.env.FROM_ENV_FILE, process.env.NODE_ENV)
          setInterval(() => {}, 1000)
          return port + 1
        },
        async close(): Promise<void> { console.error(farewell) },
      }`,
    "src/words.ts": 'export const words: string = "as the app says"\n',
    "src/realtime/farewell/index.ts": 'export const farewell = "closed" as const\n',
  }

  it.skipIf(!process.features.typescript)("runs what realtime/server declares, until SIGTERM", async () => {
    using place = makeFolder(app)
    const bin = join(import.meta.dirname, "../bin.ts")
    const child = spawn(process.execPath, [bin, "gateway", "--port", "4100"], {
      cwd: place.folder,
      env: inherited,
    })
    let said = ""
    child.stderr.on("data", (data) => {
      said += data
    })
    const [line] = await once(createInterface(child.stdout), "line")
    expect(line).toBe("The gateway is on port 4101.")
    child.kill("SIGTERM")
    const [exitCode] = await once(child, "close")
    expect({ exitCode, said }).toEqual({ exitCode: 0, said: "as the app says read production\nclosed\n" })
  })

  it.each([
    ["no app", { "package.json": "{}" }, "there is no realtime/server here"],
    [
      "a mistake in it",
      { ...next, "realtime/server.js": "export const realtime = (" },
      "realtime/server.js can't be loaded",
    ],
    [
      "something else in it",
      { ...next, "realtime/server.mjs": "export const io = 1" },
      "exports no `realtime`",
    ],
    [
      "a configuration that is wrong",
      {
        ...next,
        "realtime/server.mjs":
          'const error = Object.assign(new Error("[realtime] ABLY_API_KEY is missing"), { code: "invalid-config", [Symbol.for("throughline.realtime-error")]: true })\nexport const realtime = { listen: async () => { throw error }, close: async () => {} }',
      },
      "ABLY_API_KEY is missing",
    ],
    [
      "a channel file with an error",
      {
        ...next,
        "realtime/server.ts": 'import "./channels"\nexport const realtime = {}',
        "realtime/channels.ts": 'import "throughline"\nexport const room = defineChannel(',
      },
      "realtime/channels.ts:2)",
    ],
  ])("ends with 78 for %s", async (_, files, reason) => {
    using place = makeFolder(files)
    expect(await throughline(place.folder, ["gateway"])).toMatchObject({
      exitCode: 78,
      stdout: "",
      stderr: expect.stringContaining(reason),
    })
  })
})
