import { defaultLimits, type PusherLimits } from "./limits.ts"
import type { WebhookSettings } from "./webhooks.ts"

/** An app as its dashboard shows it. Only what differs from the defaults below has to be given. */
export interface PusherAppSettings {
  /** Numeric, or `Pusher.forURL` makes NaN of it (pusher/README.md §10). */
  id: string
  /** Names the app to clients. */
  key: string
  /** Signs requests, permissions and webhooks. */
  secret: string
  /** The cluster that knows the key; any, unless told. Only the msw mount has cluster host names. */
  cluster?: string
  /** False answers 4003 and 403. True unless told. */
  enabled?: boolean
  /** True refuses plain `ws:` with 4000. False unless told. */
  forceTLS?: boolean
  /**
   * Origins that may connect, as in `https://example.com`, which may end in `*`; others are closed with 4009. All unless
   * told: the service publishes no such rule, self-hosted servers of the protocol have it.
   */
  allowedOrigins?: readonly string[]
  /** "Enable client events". On unless told; off in a new app of the service. */
  clientEvents?: boolean
  /** "Enable subscription counting". Off unless told. */
  subscriptionCount?: boolean
  /** "Watchlist events". On unless told; off in a new app of the service. */
  watchlistEvents?: boolean
  /**
   * "Enable authorized connections": who neither signs in nor joins a private or presence channel is closed with 4009. Off
   * unless told.
   */
  authorizedConnections?: boolean
  /** How long such a connection has. 30 unless told. */
  authorizationTimeoutSeconds?: number
  /** Connections at one time; more are closed with 4004. No limit unless told; 100 in the service's free plan. */
  connectionQuota?: number
  /**
   * Messages in a day (UTC), published and delivered; more are answered 403. No limit unless told; 200,000 in the service's
   * free plan.
   */
  messageQuota?: number
  /** Seconds of silence after which either side pings. 120 unless told. */
  activityTimeout?: number
  /** Seconds that a ping may stay unanswered. 30 unless told. */
  pongTimeout?: number
  /** Where the app's webhooks go. None unless given. */
  webhooks?: readonly WebhookSettings[]
  /** "Batch events": several to a webhook. Off unless told. */
  batchWebhooks?: boolean
  /**
   * How a subscription is refused. `pusher:subscription_error`, which it is unless told, reaches the channel that it is
   * about, as with soketi; the hosted service is documented to say `pusher:error`, as Reverb does, which pusher-js reports
   * on the connection and not on the channel (pusher/README.md §3.3).
   */
  subscriptionErrors?: "pusher:error" | "pusher:subscription_error"
  /** What differs from `defaultLimits`, which are the service's own. */
  limits?: Partial<PusherLimits>
}

export type ResolvedAppSettings = Required<
  Omit<PusherAppSettings, "cluster" | "allowedOrigins" | "limits">
> & {
  /** As given: none means any. */
  cluster?: string
  /** As given: none means all. */
  allowedOrigins?: readonly string[]
  /** All of them. */
  limits: PusherLimits
}

export const defaultApp: PusherAppSettings = { id: "1", key: "app-key", secret: "app-secret" }

export function resolveAppSettings(settings: PusherAppSettings): ResolvedAppSettings {
  return {
    enabled: true,
    forceTLS: false,
    clientEvents: true,
    subscriptionCount: false,
    watchlistEvents: true,
    authorizedConnections: false,
    authorizationTimeoutSeconds: 30,
    connectionQuota: Number.POSITIVE_INFINITY,
    messageQuota: Number.POSITIVE_INFINITY,
    activityTimeout: 120,
    pongTimeout: 30,
    webhooks: [],
    batchWebhooks: false,
    subscriptionErrors: "pusher:subscription_error",
    ...settings,
    limits: { ...defaultLimits, ...settings.limits },
  }
}
