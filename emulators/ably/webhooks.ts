import { createHmac } from "node:crypto"
import type { Clock } from "./clock.ts"
import type { PresenceMessage } from "./protocol.ts"

/**
 * A webhook rule for `channel.presence`, in batches, as an app's dashboard has it:
 * https://ably.com/docs/platform/integrations/webhooks
 */
export interface WebhookRule {
  url: string
  /** Signs with this key; the app's first unless told. */
  keyName?: string
}

export interface WebhookRequest {
  url: string
  headers: Record<string, string>
  body: string
}

/** Posts a webhook and answers with the status; a rejection counts as no answer. */
export type WebhookSender = (request: WebhookRequest) => Promise<number>

export interface Webhooks {
  presence(channel: string, channelSerial: string, presence: readonly PresenceMessage[]): void
}

export interface WebhooksOptions {
  rules: readonly WebhookRule[]
  /** By name, the first for rules that name none. */
  keys: readonly { name: string; secret: string }[]
  clock: Clock
  send: WebhookSender
}

/** What happens within a second goes in one request. */
const BATCH_WINDOW_MS = 1_000
/** A receiver that answers 5xx, or not at all, is asked again. */
const FIRST_RETRY_MS = 1_000
const RETRY_FOR_MS = 5 * 60_000

export function createWebhooks({ rules, keys, clock, send }: WebhooksOptions): Webhooks {
  const batches = new Map<WebhookRule, object[]>()

  function post(rule: WebhookRule): void {
    const items = batches.get(rule) ?? []
    batches.delete(rule)
    const key = keys.find(({ name }) => name === rule.keyName) ?? keys[0]
    const body = JSON.stringify({ items })
    const headers: Record<string, string> = { "Content-Type": "application/json" }
    if (key) {
      headers["X-Ably-Key"] = key.name
      headers["X-Ably-Signature"] = createHmac("sha256", key.secret).update(body).digest("base64")
    }
    void attempt({ url: rule.url, headers, body }, clock.now() + RETRY_FOR_MS, FIRST_RETRY_MS)
  }

  async function attempt(request: WebhookRequest, deadline: number, retryMs: number): Promise<void> {
    const status = await send(request).catch(() => 503)
    if (status < 500 || clock.now() + retryMs > deadline) return
    clock.schedule(() => void attempt(request, deadline, retryMs * 2), retryMs)
  }

  return {
    presence(channel, serial, presence) {
      const timestamp = clock.now()
      const data = { channelId: channel, site: "emulator", presence }
      for (const [index, rule] of rules.entries()) {
        const webhookId = `webhook-${index}`
        const item = {
          webhookId,
          source: "channel.presence",
          name: "presence.message",
          timestamp,
          serial,
          data,
        }
        const batch = batches.get(rule)
        if (batch) batch.push(item)
        else {
          batches.set(rule, [item])
          clock.schedule(() => post(rule), BATCH_WINDOW_MS)
        }
      }
    },
  }
}

export const postByFetch: WebhookSender = async ({ url, headers, body }) => {
  const response = await fetch(url, { method: "POST", headers, body, redirect: "manual" })
  // Read to the end, so that the connection can be used again.
  await response.arrayBuffer()
  return response.status
}
