import { pathToFileURL } from "node:url"
import { emulatorsTarball } from "../package.ts"
import { resolveFrom } from "./next.ts"

/**
 * `throughline emulators`: the command of `throughline-emulators`, as the app in
 * this folder has it, in this process.
 */
export async function runEmulators(args: readonly string[]): Promise<void> {
  const from = emulatorsTarball(process.cwd()) ?? "throughline-emulators"
  const install = `npm install --save-dev ${from}`
  const path = resolveFrom(process.cwd(), "throughline-emulators/cli", install)
  const { main } = (await import(pathToFileURL(path).href)) as {
    main: (args: readonly string[]) => Promise<void>
  }
  await main(args)
}
