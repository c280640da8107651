import { RealtimeError } from "./errors.ts"
import { isText } from "./text.ts"

/**
 * Refuses to go on without what an application takes from its environment, all that is missing at once, by
 * the names that the variables usually have. A vendor's SDK would take an empty one and connect to nowhere.
 */
export function requireVariables(provider: string, values: Readonly<Record<string, unknown>>): void {
  const missing = Object.entries(values).flatMap(([name, value]) => (isText(value) ? [] : [name]))
  if (missing.length === 0) return
  const message = `unable to use ${provider}; missing: ${missing.join(", ")}. Set it in the environment of the server, as in .env.local`
  throw new RealtimeError("invalid-config", { provider, message })
}
