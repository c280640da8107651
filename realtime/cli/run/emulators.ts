import { pathToFileURL } from "node:url"
import { emulatorsInstall } from "../../optional-packages.ts"
import { emulatorsTarball } from "../package.ts"
import { resolveFrom } from "./next.ts"

/**
 * `throughline emulators`: the command of `throughline-emulators`, as the app in
 * this folder has it, in this process.
 */
export async function runEmulators(args: readonly string[]): Promise<void> {
  const tarball = emulatorsTarball(process.cwd())
  const install = tarball ? `npm install --save-dev ${tarball}` : emulatorsInstall
  const path = resolveFrom(process.cwd(), "throughline-emulators/cli", install)
  const { main } = (await import(pathToFileURL(path).href)) as {
    main: (args: readonly string[]) => Promise<void>
  }
  await main(args)
}
