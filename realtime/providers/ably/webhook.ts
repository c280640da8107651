import { createHmac, timingSafeEqual } from "node:crypto"
import { RealtimeError } from "../../errors.ts"
import { type ProviderEvent, requireRecent, type WebhookRequest } from "../../publisher.ts"
import type { ApiKey } from "./api-key.ts"
import { fromWebhook, provider, webhookDate } from "./mapping.ts"

/**
 * Server: what a webhook tells. Ably signs it with the key that its rule names, `X-Ably-Key`; here that must
 * be `ABLY_API_KEY`.
 */
export function readWebhook(
  { name, secret }: ApiKey,
  { headers, rawBody, now }: WebhookRequest,
): ProviderEvent[] {
  const expected = createHmac("sha256", secret).update(rawBody).digest()
  const given = Buffer.from(headers.get("x-ably-signature") ?? "", "base64")
  const isSigned = given.length === expected.length && timingSafeEqual(given, expected)
  if (!isSigned || headers.get("x-ably-key") !== name) {
    const message = "unable to take the webhook; it isn't signed with ABLY_API_KEY"
    throw new RealtimeError("unauthorized", { provider, message })
  }
  const body = parseJson(rawBody)
  if (body === undefined) {
    const message = "unable to take the webhook; it is no JSON"
    throw new RealtimeError("invalid-request", { provider, message })
  }
  requireRecent(provider, webhookDate(body), now)
  return fromWebhook(body)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
