import type { OnError } from "../errors.ts"
import { createReporter } from "../guard.ts"
import type { ProviderConfig } from "../publisher.ts"
import type { RealtimeTransport } from "../transport.ts"
import type { Candidate } from "./candidate.ts"
import { createConnectionHint } from "./connection-hint.ts"
import { createClient, type OutboxPlace } from "./create-client.ts"
import type { FailoverOptions, FailoverTransport } from "./failover-transport.ts"
import type { MessageFollower } from "./follow-messages.ts"
import type { HeadCheckIntervals } from "./head-check.ts"
import { createHttp, type RealtimeHttp } from "./http.ts"
import { createLazyTransport } from "./lazy-transport.ts"
import { createListedTransport } from "./listed-transport.ts"
import { loadFailover } from "./load-failover.ts"
import { createTabBus } from "./outbox-bus.ts"
import { createIndexedDbStore } from "./outbox-store.ts"
import { createTabLock } from "./tab-turns.ts"
import type { RealtimeClient } from "./types.ts"

/** How a provider's `client.ts` makes its transport: `createSocketIoTransport` and the like. */
export type TransportFactory = (options: TransportOptions) => RealtimeTransport

/** What every provider's browser transport is made from. */
export interface TransportOptions {
  /** The provider's part of the server's configuration. */
  config: ProviderConfig
  /** Asks the server for permission; called anew for each connection or channel that needs it. */
  credentials: (body: Record<string, unknown>) => Promise<unknown>
  /** Where failures go that no caller waits for; undefined: to `console.error`. */
  onError: OnError | undefined
}

/** What `createRealtimeClient` is made from. */
export interface RealtimeClientOptions {
  /** `realtime.clientConfig()` of the server, as it stands in the page. */
  config: { version: string; basePath: string; maxPayloadBytes: number; providers: readonly ProviderConfig[] }
  /**
   * One loader per provider, so that only the code of the one in use is downloaded:
   * `{ socketio: async () => (await import("throughline/socketio/client")).createSocketIoTransport }`.
   */
  providers: Readonly<Record<string, () => Promise<TransportFactory>>>
  /**
   * Whose page this is, the signed-in user's id as the server's `identify` returns it. What they write is
   * kept in their browser until it is sent, and is sent in nobody else's name: once somebody else is signed
   * in, or nobody, the client ends as `failed` with `session-changed`. Without it, unsent messages end with
   * the page, and go out under the name of whoever is signed in.
   */
  owner?: string
  /** Where unsent messages are kept. Default: in the browser, under the name of `owner`. */
  outbox?: OutboxPlace
  /** Asks the app's route in place of the page's `fetch`. */
  fetch?: typeof globalThis.fetch
  /** How long somebody who vanished is still shown. Default 4 s. */
  presenceGraceMs?: number
  /**
   * How often the page looks whether it has missed something. Default each minute, every 10 s without a
   * connection.
   */
  headCheck?: HeadCheckIntervals
  /**
   * When the page moves to the next provider, and when back. Defaults: after 10 s without a connection,
   * after 60 s.
   */
  failover?: Pick<FailoverOptions, "patienceMs" | "returnMs">
  /**
   * Follows messages out of this page and into it: `followMessages(…)`. Absent, nobody does and nothing more
   * travels.
   */
  tracing?: ((onError: OnError) => MessageFollower) | undefined
  /** Where failures go that no caller waits for. Default: `console.error`. */
  onError?: OnError
}

/** A client that knows the list it was made from. */
export interface ConfiguredClient extends RealtimeClient {
  /** The providers that it may use, in the server's order. */
  readonly providers: readonly string[]
  /**
   * Goes over to this one of them, without a gap and within `failover.returnMs`, and keeps to
   * it until the server lists others.
   */
  prefer(provider: string): void
}

/**
 * Browser: connects the page to the providers that the server chose, the first that works. Follows the server
 * when its choice changes, without a reload. Inert until `open()`, so that it may be made while rendering,
 * and thrown away by whoever renders. In development a page without a connection says in the console what is
 * usually missing: 3 s after it was opened or, where it asks the app's route, after that has answered; after
 * 33 s at the latest. Throws a `TypeError` when no loader fits the configuration.
 *
 * ```ts
 * const client = createRealtimeClient({
 *   config, // realtime.clientConfig(), as the server put it into the page
 *   providers: { ably: async () => (await import("throughline/ably/client")).createAblyTransport },
 * })
 * client.open()
 * ```
 */
export function createRealtimeClient(options: RealtimeClientOptions): ConfiguredClient {
  const { config, providers: loaders, owner, presenceGraceMs, headCheck } = options
  const onError = createReporter(options.onError)
  const outbox = options.outbox ?? (owner === undefined ? undefined : inBrowserOf(owner))
  let version = config.version
  let isFollowing = false
  const ask = options.fetch ?? globalThis.fetch
  // A constant, which bundlers put in place here, and leave the rest out: without one nobody develops.
  const hint =
    // biome-ignore lint/style/noProcessEnv: see above
    typeof process !== "undefined" && process.env.NODE_ENV === "development"
      ? createConnectionHint(() => client.connection, ask)
      : null
  const http: RealtimeHttp = createHttp({
    basePath: config.basePath,
    owner,
    fetch: hint?.fetch ?? ask,
    onPageOver: (error) => end(error),
    onConfigVersion: (seen) => void follow(seen),
  })

  function toCandidate(provider: ProviderConfig): Candidate[] {
    const load = loaders[provider.provider]
    if (!load) return []
    const create = () =>
      createLazyTransport({
        provider: provider.provider,
        onError,
        async load() {
          const createTransport = await load()
          return createTransport({
            config: provider,
            credentials: (body) => http.credentials(provider.provider, body),
            onError,
          })
        },
      })
    return [{ provider: provider.provider, key: JSON.stringify(provider), create }]
  }

  let candidates = config.providers.flatMap(toCandidate)
  if (candidates.length === 0) {
    const named = config.providers.map(({ provider }) => `"${provider}"`).join(", ")
    throw new TypeError(`unable to create the client; there is no loader for ${named || "no provider"}`)
  }
  let transport: FailoverTransport

  function useCandidates(next: Candidate[]): void {
    if (next.length === 0) return
    candidates = next
    transport.setCandidates(candidates)
  }

  /** The server was deployed with another list: goes over to it while everything goes on. */
  async function follow(seen: string): Promise<void> {
    if (seen === version || isFollowing) return
    isFollowing = true
    try {
      const next = await http.config()
      if (typeof next.version !== "string") return
      version = next.version
      const listed = Array.isArray(next.providers) ? (next.providers as ProviderConfig[]) : []
      useCandidates(listed.flatMap(toCandidate))
    } catch (error) {
      // The next answer names it again.
      onError(error, { stage: "follow the configuration" })
    } finally {
      isFollowing = false
    }
  }

  const { end, ...client } = createClient({
    transport() {
      const { failover } = options
      transport = createListedTransport({ candidates, ...failover, loadFailover, onError })
      return transport
    },
    http,
    maxPayloadBytes: config.maxPayloadBytes,
    ...(presenceGraceMs !== undefined && { presenceGraceMs }),
    ...(headCheck && { headCheck }),
    ...(outbox && { outbox }),
    tracing: options.tracing,
    onError,
  })
  return {
    ...client,
    open() {
      client.open()
      hint?.start()
    },
    close() {
      hint?.stop()
      return client.close()
    },
    get providers() {
      return candidates.map(({ provider }) => provider)
    },
    prefer(provider) {
      const isPreferred = (candidate: Candidate) => candidate.provider === provider
      const others = candidates.filter((candidate) => !isPreferred(candidate))
      useCandidates([...candidates.filter(isPreferred), ...others])
    },
  }
}

const inBrowserOf = (owner: string): OutboxPlace => ({
  store: createIndexedDbStore(owner),
  bus: createTabBus(owner),
  exclusively: createTabLock(`realtime-outbox:${owner}`),
})
