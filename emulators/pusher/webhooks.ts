import type { Clock } from "./clock.ts"
import type { Json } from "./json.ts"
import { hmacSha256Hex } from "./signatures.ts"

/** The events of pusher/README.md §11. */
export type WebhookEvent =
  | { name: "channel_occupied" | "channel_vacated" | "cache_miss"; channel: string }
  | { name: "member_added" | "member_removed"; channel: string; user_id: string }
  | {
      name: "client_event"
      channel: string
      event: string
      data: Json | undefined
      socket_id: string
      user_id?: string
    }
  | { name: "subscription_count"; channel: string; subscription_count: number }

/** The names of what webhooks tell. */
export type WebhookEventName = WebhookEvent["name"]

/** An address that is told what happens in an app. */
export interface WebhookSettings {
  /** Where they are posted to. */
  url: string
  /** All unless told. */
  events?: readonly WebhookEventName[]
}

export interface WebhookRequest {
  /** Where it is posted to. */
  url: string
  /** Among them the key and the signature. */
  headers: Record<string, string>
  /** JSON, over whose bytes the signature is. */
  body: string
}

/** Posts a webhook and answers with the status; a rejection counts as no answer. */
export type WebhookSender = (request: WebhookRequest) => Promise<number>

/** A webhook that was sent, or is being sent. */
export interface WebhookDelivery extends WebhookRequest {
  /** What it tells, several when they came close together. */
  readonly events: readonly WebhookEvent[]
  /** How often it was posted. */
  readonly attempts: number
  /** The last answer, absent while none has come. */
  readonly status?: number
  /**
   * `pending` while it is posted or waits for another attempt, `delivered` after an answer of 2xx, `failed` when time
   * was up.
   */
  readonly state: "pending" | "delivered" | "failed"
}

/** The service is patient for this long with leaving, so that a short drop goes untold. */
const LEAVE_DELAY_MS = 3_000
/** A receiver that answers other than 2xx is asked again for this long. */
const RETRY_FOR_MS = 5 * 60_000
const FIRST_RETRY_MS = 1_000
const BATCH_WINDOW_MS = 100
const KEPT_DELIVERIES = 1_000

export interface Webhooks {
  /** The last thousand requests, for tests to look at. */
  readonly deliveries: readonly WebhookDelivery[]
  emit(event: WebhookEvent): void
  /** Emits `left` in three seconds, unless `returned` comes before; then neither is sent. */
  emitLeft(left: WebhookEvent): void
  emitReturned(returned: WebhookEvent): void
  stop(): void
}

export interface WebhooksOptions {
  app: { key: string; secret: string; webhooks: readonly WebhookSettings[]; batchWebhooks: boolean }
  clock: Clock
  /** The service's time of day, which a fault may have skewed. */
  timeOfDay(): number
  send: WebhookSender
}

export function createWebhooks({ app, clock, timeOfDay, send }: WebhooksOptions): Webhooks {
  const deliveries: { -readonly [Key in keyof WebhookDelivery]: WebhookDelivery[Key] }[] = []
  const leaving = new Map<string, () => void>()
  const timers = new Set<() => void>()
  const batches = new Map<WebhookSettings, WebhookEvent[]>()
  let isStopped = false

  function later(callback: () => void, delayMs: number): () => void {
    const cancel = clock.schedule(() => {
      timers.delete(cancel)
      callback()
    }, delayMs)
    timers.add(cancel)
    return () => {
      timers.delete(cancel)
      cancel()
    }
  }

  function post(webhook: WebhookSettings, events: readonly WebhookEvent[]): void {
    const body = JSON.stringify({ time_ms: timeOfDay(), events })
    const headers = {
      // Exactly this: the library refuses a charset (§11).
      "Content-Type": "application/json",
      "X-Pusher-Key": app.key,
      "X-Pusher-Signature": hmacSha256Hex(app.secret, body),
    }
    const delivery = { url: webhook.url, headers, body, events, attempts: 0, state: "pending" as const }
    deliveries.push(delivery)
    if (deliveries.length > KEPT_DELIVERIES) deliveries.shift()
    void attempt(delivery, clock.now() + RETRY_FOR_MS, FIRST_RETRY_MS)
  }

  async function attempt(
    delivery: (typeof deliveries)[number],
    deadline: number,
    retryMs: number,
  ): Promise<void> {
    delivery.attempts += 1
    delivery.status = await send(delivery).catch(() => undefined)
    if (isStopped) return
    if (delivery.status !== undefined && delivery.status >= 200 && delivery.status < 300) {
      delivery.state = "delivered"
    } else if (clock.now() + retryMs > deadline) {
      delivery.state = "failed"
    } else {
      later(() => void attempt(delivery, deadline, retryMs * 2), retryMs)
    }
  }

  function emit(event: WebhookEvent): void {
    if (isStopped) return
    for (const webhook of app.webhooks) {
      if (webhook.events && !webhook.events.includes(event.name)) continue
      if (!app.batchWebhooks) {
        post(webhook, [event])
        continue
      }
      const batch = batches.get(webhook)
      if (batch) {
        batch.push(event)
        continue
      }
      const events = [event]
      batches.set(webhook, events)
      later(() => {
        batches.delete(webhook)
        post(webhook, events)
      }, BATCH_WINDOW_MS)
    }
  }

  return {
    deliveries,
    emit,
    emitLeft(left) {
      if (isStopped) return
      const key = subjectOf(left)
      leaving.get(key)?.()
      const cancel = later(() => {
        leaving.delete(key)
        emit(left)
      }, LEAVE_DELAY_MS)
      leaving.set(key, cancel)
    },
    emitReturned(returned) {
      const key = subjectOf(returned)
      const cancel = leaving.get(key)
      if (!cancel) return emit(returned)
      cancel()
      leaving.delete(key)
    },
    stop() {
      isStopped = true
      for (const cancel of timers) cancel()
      timers.clear()
    },
  }
}

/** What has left or returned: a member, or a channel's whole audience. */
function subjectOf(event: WebhookEvent): string {
  return "user_id" in event ? `${event.channel} ${event.user_id}` : event.channel
}
