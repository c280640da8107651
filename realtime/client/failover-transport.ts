import type { OnError } from "../errors.ts"
import { createReporter } from "../guard.ts"
import { createJoinedChannels } from "../joined-channels.ts"
import type { RealtimeTransport, TransportStatus } from "../transport.ts"
import { createStatus } from "../transport-status.ts"
import type { Candidate } from "./candidate.ts"
import { createFailoverDriver } from "./failover-driver.ts"
import { createLinks } from "./failover-links.ts"
import { subscribeAtLinks } from "./failover-subscription.ts"

export interface FailoverOptions {
  /** In order of preference, at least one. */
  candidates: readonly Candidate[]
  /**
   * How long the provider in use may be without a connection before the next one is tried beside it, and how
   * long that may take until it carries everything; more in each round in which none did. Default 10 s.
   */
  patienceMs?: number
  /**
   * How long after a move the preferred one is tried again; longer after each attempt in vain. Default 60 s.
   */
  returnMs?: number
  /** Where failures go that no caller waits for. Default: `console.error`. */
  onError?: OnError
}

export interface FailoverTransport extends RealtimeTransport {
  /** Follows a changed list: what is in use stays until a better one carries everything. */
  setCandidates(candidates: readonly Candidate[]): void
}

/**
 * One transport over several providers. The first is used; when it fails, or stays without a connection, the
 * next is opened beside it, and takes over once it carries every channel: make before break.
 * `failover-policy.ts` decides when, this does it. Whatever either delivers is passed on, since the client
 * above takes each message once and in order; signals and presence come from the one in use. A list that
 * changes before `connect` may connect another one at once.
 */
export function createFailoverTransport(options: FailoverOptions): FailoverTransport {
  const { patienceMs = 10_000, returnMs = 60_000 } = options
  const onError = createReporter(options.onError)
  const status = createStatus(onError)
  const channels = createJoinedChannels()
  let { candidates } = options
  const [first] = candidates
  if (!first) throw new TypeError("unable to create a transport; there is no provider")

  const links = createLinks(first, channels, (news) => driver.happens(news), onError)
  const driver = createFailoverDriver(
    keysOf(candidates),
    { patienceMs, returnMs },
    {
      // Of the providers that were taken off the list only the active one is asked for.
      raise: ({ key }) => links.raise(candidates.find((one) => one.key === key) ?? links.active.candidate),
      drop: links.drop,
      promote: links.promote,
      connect: () => links.active.transport.connect(),
      "show-status": ({ hasOthers }) => show(links.active.status, hasOthers),
    },
  )
  let shownProvider = first.provider
  // A transport that is handed over may have come far already, which is no news.
  status.set(links.active.status)

  /** A provider that gave up is no end while there are others. */
  function show(of: TransportStatus, hasOthers = false): void {
    const { provider } = links.active.candidate
    const { error } = of
    const state = of.state === "failed" && hasOthers ? "reconnecting" : of.state
    const shown = status.current
    // A move from one connection to another is news as well.
    if (state === shown.state && error === shown.error && provider === shownProvider) return
    shownProvider = provider
    status.set({ ...of, state })
  }

  const transport: FailoverTransport = {
    get provider() {
      return links.active.candidate.provider
    },
    get capabilities() {
      const { capabilities } = links.active.transport
      // Who is on another of the list's providers hears only what passes the server.
      const isHeardByAll = candidates.length === 1 || capabilities.signalsPassServer
      return isHeardByAll ? capabilities : { ...capabilities, signalsOverConnection: false }
    },
    get status() {
      return status.current
    },
    onStatus: status.onStatus,
    connect: () => driver.happens(() => ({ type: "connect" })),
    subscribe: (name, observer) =>
      // Without a connection, nor perhaps the provider's code, it says so itself.
      subscribeAtLinks(
        channels.join(name, observer, {}),
        links,
        () => links.active.status.state !== "connected" || transport.capabilities.signalsOverConnection,
      ),
    get publish() {
      return links.active.transport.publish
    },
    setCandidates(next) {
      if (next.length === 0 || status.current.state === "closed") return
      candidates = next
      driver.happens(() => ({ type: "list-changed", keys: keysOf(candidates) }))
    },
    async close() {
      driver.stop()
      show({ state: "closed" })
      await Promise.all(links.all.map((link) => link.transport.close()))
    },
  }
  if (status.current.state !== "connecting") driver.happens(links.active.news)
  return transport
}

const keysOf = (candidates: readonly Candidate[]) => candidates.map(({ key }) => key)
