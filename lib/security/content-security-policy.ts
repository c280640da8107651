import type { ProviderName } from "../env/schema.ts"

/** What of the environment a page may reach; all of it stands in the page anyway. */
export interface PolicyEnvironment {
  REALTIME_PROVIDER: readonly ProviderName[]
  SOCKET_URL?: string | undefined
  PUSHER_CLUSTER?: string | undefined
  PUSHER_HOST?: string | undefined
  PUSHER_PORT?: number | undefined
  PUSHER_TLS?: boolean | undefined
  ABLY_ENDPOINT?: string | undefined
  ABLY_PORT?: number | undefined
  ABLY_TLS?: boolean | undefined
  FILES_S3_ENDPOINT?: string | undefined
  FILES_S3_BUCKET?: string | undefined
  isProduction: boolean
}

/** Both schemes of a place: WebSocket, and the requests that the same SDK makes there. */
const both = (host: string, tls: boolean, port?: number) =>
  ["ws", "http"].map((scheme) => `${scheme}${tls ? "s" : ""}://${host}${port ? `:${port}` : ""}`)

/** The hosts that each provider's SDK connects to. */
const places: Record<ProviderName, (env: PolicyEnvironment) => string[]> = {
  socketio({ SOCKET_URL }) {
    if (!SOCKET_URL) return []
    const { host, protocol } = new URL(SOCKET_URL)
    return both(host, protocol === "https:")
  },
  /** https://pusher.com/docs/channels/using_channels/connection/: `ws-<cluster>.pusher.com`. */
  pusher({ PUSHER_HOST, PUSHER_PORT, PUSHER_TLS = true, PUSHER_CLUSTER }) {
    if (PUSHER_HOST) return both(PUSHER_HOST, PUSHER_TLS, PUSHER_PORT)
    return both(`ws-${PUSHER_CLUSTER}.pusher.com`, true)
  },
  /** The endpoint and its fallbacks: https://ably.com/docs/platform/account/enterprise-customization. */
  ably({ ABLY_ENDPOINT, ABLY_PORT, ABLY_TLS = true }) {
    if (ABLY_ENDPOINT?.includes(".") || ABLY_ENDPOINT === "localhost")
      return both(ABLY_ENDPOINT, ABLY_TLS, ABLY_PORT)
    return ["*.ably.net", "*.ably-realtime.com"].flatMap((host) => both(host, true))
  },
}

/** Where browsers send files to and show pictures from, where that isn't the app: one bucket, and no other of the same store. */
const buckets = ({ FILES_S3_ENDPOINT, FILES_S3_BUCKET }: PolicyEnvironment): string[] =>
  FILES_S3_ENDPOINT ? [`${FILES_S3_ENDPOINT.replace(/\/+$/, "")}/${FILES_S3_BUCKET}/`] : []

/**
 * The policy of one page: scripts by its nonce alone and what those load, connections to the app and to the chosen providers.
 * Attributes may carry styles, for positions that are computed; elements may not without the nonce.
 */
export function contentSecurityPolicy(env: PolicyEnvironment, nonce: string): string {
  const connections = new Set([
    "'self'",
    ...env.REALTIME_PROVIDER.flatMap((name) => places[name](env)),
    ...buckets(env),
  ])
  const directives: Record<string, readonly string[]> = {
    "default-src": ["'self'"],
    // React in development rebuilds the server's stacks by `eval`.
    "script-src": [
      "'self'",
      `'nonce-${nonce}'`,
      "'strict-dynamic'",
      ...(env.isProduction ? [] : ["'unsafe-eval'"]),
    ],
    // In development styles are inserted while they are edited.
    "style-src": ["'self'", ...(env.isProduction ? [`'nonce-${nonce}'`] : ["'unsafe-inline'"])],
    "style-src-attr": ["'unsafe-inline'"],
    "img-src": ["'self'", "data:", "blob:", ...buckets(env)],
    "font-src": ["'self'"],
    "connect-src": [...connections],
    "worker-src": ["'self'", "blob:"],
    "object-src": ["'none'"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
  }
  return Object.entries(directives)
    .map(([name, sources]) => `${name} ${sources.join(" ")}`)
    .join("; ")
}
