import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { startPostgres } from "../../realtime/testing/postgres.ts"
import { projectDir } from "../../scripts/run.ts"
import { startEmulator } from "../../server/emulator.ts"
import { copyFunction, readFunctions } from "./functions.ts"

/**
 * `node e2e/serverless/cold-start.ts [--rounds 15]`, after the browser tests have made the functions: how long the publish
 * function takes from the start of its process to its first answer, beside two controls in turns: a route of Next.js that
 * does nothing (`api/health`), and a function without Next.js that only loads the provider's SDK. Our answer is a refusal.
 */
const { values } = parseArgs({ options: { rounds: { type: "string", default: "15" } } })
const rounds = Number(values.rounds)
const runtime = join(import.meta.dirname, "runtime.ts")
const root = mkdtempSync(join(tmpdir(), "throughline-cold-"))

const functions = readFunctions(join(projectDir, ".vercel", "output"))
function unpack(route: string) {
  const emitted = functions.find(({ name }) => name === route)
  if (!emitted) throw new Error("there are no functions; run `npm run e2e -- --project=build` first")
  const folder = join(root, route)
  copyFunction(emitted, projectDir, folder)
  return { folder, handler: emitted.handler, route }
}
const ours = unpack("api/realtime/[...path]")
const bare = unpack("api/health")

/** As much of a route handler as loads the SDK and answers. */
function controlOf(sdk: string, use: string) {
  const { folder } = ours
  const handler = `control-${sdk}.cjs`
  const source = `const sdk = require("${sdk}"); ${use}; module.exports = async (request, response) => { response.statusCode = 401; response.end("{}") }`
  writeFileSync(join(folder, handler), source)
  return { folder, handler, route: "control" }
}

async function measure(
  { folder, handler, route }: ReturnType<typeof unpack>,
  env: Record<string, string>,
): Promise<number> {
  const started = performance.now()
  const child = spawn(process.execPath, [runtime, folder, handler], {
    cwd: folder,
    env: { ...env, VERCEL: "1", NODE_ENV: "production" },
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  })
  const [{ port }] = (await once(child, "message")) as [{ port: number }]
  const response = await fetch(`http://127.0.0.1:${port}/${route.replace("[...path]", "publish")}`, {
    method: route === bare.route ? "GET" : "POST",
    headers: {
      "content-type": "application/json",
      "x-matched-path": `/${route}`,
      "x-forwarded-proto": "http",
    },
    ...(route !== bare.route && { body: "{}" }),
  })
  await response.text()
  const took = performance.now() - started
  if (response.status !== (route === bare.route ? 200 : 401))
    throw new Error(`/${route} answered ${response.status}`)
  child.kill("SIGKILL")
  await once(child, "exit")
  return took
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

await using postgres = await startPostgres()
const controls = [
  ["pusher", 'new sdk({ appId: "1", key: "k", secret: "s", cluster: "mt1" })'],
  ["ably", 'new sdk.Rest({ key: "a.b:c" })'],
] as const
console.log("provider  ours (ms)  Next.js alone  ratio  SDK alone")
for (const [provider, use] of controls) {
  await using emulator = await startEmulator(provider, "http://127.0.0.1:1")
  const env = {
    ...emulator.env,
    DATABASE_URL: postgres.connectionString,
    SESSION_SECRET: "a secret of the cold start, long enough",
  }
  const measured = [ours, bare, controlOf(provider, use)]
  const taken: number[][] = measured.map(() => [])
  for (let round = 0; round < rounds; round += 1)
    for (const [index, one] of measured.entries()) taken[index]?.push(await measure(one, env))
  const [mine = 0, next = 0, sdk = 0] = taken.map(median)
  const cells = [
    mine.toFixed(0).padStart(9),
    next.toFixed(0).padStart(14),
    (mine / next).toFixed(2).padStart(6),
  ]
  console.log(provider.padEnd(9), ...cells, sdk.toFixed(0).padStart(10))
}
rmSync(root, { recursive: true, force: true })
