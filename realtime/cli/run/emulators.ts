import { pathToFileURL } from "node:url"
import { resolveFrom } from "./next.ts"

/**
 * `throughline emulators`: the command of `throughline-emulators`, as the app in
 * this folder has it, in this process.
 */
export async function runEmulators(args: readonly string[]): Promise<void> {
  const install = "npm install --save-dev throughline-emulators"
  const path = resolveFrom(process.cwd(), "throughline-emulators/cli", install)
  const { main } = (await import(pathToFileURL(path).href)) as {
    main: (args: readonly string[]) => Promise<void>
  }
  await main(args)
}
