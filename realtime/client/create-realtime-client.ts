import type { OnError } from "../errors.ts"
import type { ProviderConfig } from "../publisher.ts"
import type { RealtimeTransport } from "../transport.ts"
import { createClient } from "./create-client.ts"
import { createHttp, type RealtimeHttp } from "./http.ts"
import { createLazyTransport } from "./lazy-transport.ts"
import type { RealtimeClient } from "./types.ts"

/** How a provider's `client.ts` makes its transport: `createSocketIoTransport` and the like. */
export type TransportFactory = (options: TransportOptions) => RealtimeTransport

/** What every provider's browser transport is made from. */
export interface TransportOptions {
  /** The provider's part of the server's configuration. */
  config: ProviderConfig
  /** Asks the server for permission; called anew for each connection or channel that needs it. */
  credentials: (body: Record<string, unknown>) => Promise<unknown>
  onError: OnError | undefined
}

export interface RealtimeClientOptions {
  /** `realtime.clientConfig()` of the server, as it stands in the page. */
  config: { basePath: string; maxPayloadBytes: number; providers: readonly ProviderConfig[] }
  /**
   * One loader per provider, so that only the chosen one's code is downloaded:
   * `{ socketio: async () => (await import("#realtime/providers/socketio/client")).createSocketIoTransport }`.
   */
  providers: Readonly<Record<string, () => Promise<TransportFactory>>>
  fetch?: typeof globalThis.fetch
  presenceGraceMs?: number
  onError?: OnError
}

/**
 * Browser: connects the page to the provider that the server chose. Inert until `open()`, so that it may be made
 * while rendering on the server. Throws a `TypeError` when no loader fits the configuration.
 */
export function createRealtimeClient(options: RealtimeClientOptions): RealtimeClient {
  const { config, providers, onError, presenceGraceMs } = options
  const http: RealtimeHttp = createHttp({
    basePath: config.basePath,
    ...(options.fetch && { fetch: options.fetch }),
  })
  const [provider] = config.providers
  const load = provider && providers[provider.provider]
  if (!load) {
    throw new TypeError(
      `unable to create the client; there is no loader for "${provider?.provider ?? "no provider"}"`,
    )
  }
  const transport = createLazyTransport({
    provider: provider.provider,
    async load() {
      const createTransport = await load()
      return createTransport({
        config: provider,
        credentials: (body) => http.credentials(provider.provider, body),
        onError,
      })
    },
  })
  return createClient({
    transport,
    http,
    maxPayloadBytes: config.maxPayloadBytes,
    ...(presenceGraceMs !== undefined && { presenceGraceMs }),
    ...(onError && { onError }),
  })
}
