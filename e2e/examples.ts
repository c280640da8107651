import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { projectDir } from "../scripts/run.ts"
import { startEmulator } from "../server/emulator.ts"
import { freePort } from "./chat-servers.ts"
import { execute, programOf, type StrangersServer, startIn } from "./stranger.ts"
import type { ProviderName } from "./stranger-people.ts"

/** An app of `examples/`, built, on a port and a data folder of its own. */
export interface Example extends AsyncDisposable {
  readonly url: string
  /** Ends it as a crash of the machine would. A service goes on. */
  kill(): Promise<void>
  /** Starts it again where it was, on the same data. */
  start(env?: Readonly<Record<string, string>>): Promise<void>
}

const folderOf = (name: string) => join(projectDir, "examples", name)
/** It resolves what it needs from the repository's packages. */
const next = join(projectDir, programOf("next"))

export const buildExample = (name: string): void =>
  void execute(folderOf(name), process.execPath, [next, "build"])

/** One build, and a variable that says who carries its messages; Pusher and Ably are their emulators. */
export async function startExample(name: string, provider: ProviderName): Promise<Example> {
  await using started = new AsyncDisposableStack()
  const dataDir = mkdtempSync(join(tmpdir(), "throughline-example-"))
  started.defer(() => rmSync(dataDir, { recursive: true, force: true }))
  const port = await freePort()
  const url = `http://localhost:${port}`
  const emulator = provider === "socketio" ? null : started.use(await startEmulator(provider, url))
  let server: StrangersServer | undefined
  started.defer(() => server?.[Symbol.asyncDispose]())
  const start = async (env: Readonly<Record<string, string>> = {}) => {
    const all = { REALTIME_PROVIDER: provider, DATA_DIR: dataDir, ...emulator?.env, ...env }
    server = await startIn(folderOf(name), process.execPath, [next, "start"], { path: "/", port, env: all })
  }
  await start()
  const stack = started.move()
  return {
    ...{ url, start },
    kill: async () => server?.kill(),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
