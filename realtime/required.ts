import { RealtimeError } from "./errors.ts"
import type { ProviderConfig } from "./publisher.ts"

const isText = (value: unknown): boolean => typeof value === "string" && value.trim() !== ""

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

/** Browser: refuses what a page says of a provider's host, which may be absent, where it leads nowhere. */
export function requireAddress(config: ProviderConfig, host: string): void {
  const { provider, [host]: name, port, tls } = config
  const malformed = [
    ...(name === undefined || isText(name) ? [] : [host]),
    ...(port === undefined || typeof port === "number" ? [] : ["port"]),
    ...(tls === undefined || typeof tls === "boolean" ? [] : ["tls"]),
  ]
  if (malformed.length === 0) return
  const message = `unable to use ${provider}; malformed in the page's configuration: ${malformed.join(", ")}. It is what the server's publisher was made with`
  throw new RealtimeError("invalid-config", { provider, message })
}
