import { RealtimeError } from "./errors.ts"

/** As Node.js says it, by `import` and by `require`. */
const absent = ["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND"]

/**
 * Loads code that needs packages which an app installs only where it uses them. Rejects with `invalid-config` where one isn't installed;
 * the message names it, and the line that installs all of them.
 */
export async function loadWith<Module>(
  packages: readonly string[],
  load: () => Promise<Module>,
): Promise<Module> {
  try {
    return await load()
  } catch (cause) {
    const { code = "", message } = cause as Error & { code?: string }
    const missing = packages.find((name) => message.includes(`'${name}'`))
    if (!absent.includes(code) || !missing) throw cause
    const told = `unable to load "${missing}"; it is not installed. Run: npm install ${packages.join(" ")}`
    throw new RealtimeError("invalid-config", { message: told, cause })
  }
}
