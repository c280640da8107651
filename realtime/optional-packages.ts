import { RealtimeError } from "./errors.ts"

/** As Node.js says it, by `import` and by `require`, and bundlers after it. */
const absent = ["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND"]

/**
 * What to throw for what importing packages ended with that an app installs only where it uses them:
 * `invalid-config` where one isn't installed, which names it and the line that installs all of them. Write
 * the `import()` into a `try`: bundlers follow it, and pass over a package that isn't there only within one.
 */
export function toImportError(packages: readonly string[], cause: unknown): unknown {
  const { code = "", message } = cause as Error & { code?: string }
  const missing = packages.find((name) => message.includes(`'${name}'`))
  if (!absent.includes(code) || !missing) return cause
  return notInstalled(missing, packages, cause)
}

/** The package of the emulators. */
export const emulators = "throughline-emulators"

/** How to install it: no registry has it, so it comes from the checkout that this package is packed in. */
export const emulatorsInstall =
  "npm install --save-dev ../throughline/dist/throughline-emulators-*.tgz, which `npm run pack` makes there"

/**
 * For an import that ended well with nothing: some bundlers put an empty module in the place
 * of a package that isn't installed.
 */
export function notInstalled(missing: string, packages: readonly string[], cause?: unknown): RealtimeError {
  const line = packages.includes(emulators) ? emulatorsInstall : `npm install ${packages.join(" ")}`
  const told = `unable to load "${missing}"; it is not installed. Run: ${line}`
  return new RealtimeError("invalid-config", { message: told, cause })
}
