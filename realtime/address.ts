import { RealtimeError } from "./errors.ts"
import type { ProviderConfig } from "./publisher.ts"
import { isText } from "./text.ts"

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
