import { RealtimeError } from "../../errors.ts"
import { requireVariables } from "../../required.ts"
import { provider } from "./mapping.ts"

/** `appId.keyId:secret`, in its two parts. */
export interface ApiKey {
  readonly name: string
  readonly secret: string
}

export function parseApiKey(apiKey: string): ApiKey {
  requireVariables(provider, { ABLY_API_KEY: apiKey })
  const [name, secret] = apiKey.split(/:(.*)/s)
  if (name && secret) return { name, secret }
  const message = "unable to use ABLY_API_KEY; it is no key of Ably's, as in app.key:secret"
  throw new RealtimeError("invalid-config", { provider, message })
}
