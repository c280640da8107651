import { createReporter } from "../guard.ts"
import type { RealtimeTransport } from "../transport.ts"
import type { Candidate } from "./candidate.ts"
import { createDeferredTransport } from "./deferred-transport.ts"
import { createDownload } from "./download.ts"
import type { FailoverOptions, FailoverTransport } from "./failover-transport.ts"

export interface ListedTransportOptions extends FailoverOptions {
  /** Downloads `failover-transport.ts`. */
  loadFailover(): Promise<Pick<typeof import("./failover-transport.ts"), "createFailoverTransport">>
}

/**
 * One transport over the providers that the server lists. A page begins with the first, and has no need of
 * more where it is the only one:
 *
 *     idle ──connect──▶ the first alone ──failover is there──▶ failover, on the first or beside it
 *                             │                 ▲
 *                             └──── download ───┘  once there are others, the list is another, or the server
 *                                                  doesn't know the provider any more
 *
 * What is in use is handed over as it is, and its connection with it.
 */
export function createListedTransport(options: ListedTransportOptions): FailoverTransport {
  const onError = createReporter(options.onError)
  let { candidates } = options
  /** The first, from `connect` on. */
  let begun: { candidate: Candidate; transport: RealtimeTransport } | null = null
  let failover: FailoverTransport | null = null

  const deferred = createDeferredTransport({
    ...{ provider: firstOf(candidates).provider, onError },
    start() {
      const candidate = firstOf(candidates)
      begun = { candidate, transport: candidate.create() }
      deferred.use(begun.transport)
      if (candidates.length > 1) download.start()
    },
    stop: () => download.stop(),
    hasOthers: () => !failover && candidates.length > 1,
    through: ({ observer }) => ({
      ...observer,
      onDenied(error) {
        if (failover || error.code !== "unsupported") return observer.onDenied(error)
        // That refuses nobody: failover hears the same, and turns to another.
        observer.onDetached()
        download.start()
      },
    }),
  })
  const { transport } = deferred

  const download = createDownload({
    ...{ stage: "load the failover", load: options.loadFailover, onError },
    isWanted: () => !failover && transport.status.state !== "closed",
    onLoaded({ createFailoverTransport }) {
      if (failover || !begun || transport.status.state === "closed") return
      const { candidate } = begun
      let handed: RealtimeTransport | null = begun.transport
      const inUse = {
        ...candidate,
        create() {
          const created = handed ?? candidate.create()
          handed = null
          return created
        },
      }
      failover = createFailoverTransport({ ...options, candidates: [inUse], onError })
      deferred.use(failover)
      failover.setCandidates(candidates)
    },
  })

  return Object.assign(transport, {
    setCandidates(next: readonly Candidate[]) {
      if (next.length === 0 || transport.status.state === "closed") return
      candidates = next
      if (failover) failover.setCandidates(next)
      else if (begun) download.start()
    },
  })
}

function firstOf([first]: readonly Candidate[]): Candidate {
  if (!first) throw new TypeError("unable to create a transport; there is no provider")
  return first
}
