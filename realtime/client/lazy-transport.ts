import type { OnError } from "../errors.ts"
import type { RealtimeTransport } from "../transport.ts"
import { createDeferredTransport } from "./deferred-transport.ts"
import { createDownload } from "./download.ts"

export interface LazyTransportOptions {
  provider: string
  /**
   * Downloads the provider's code and makes its transport; called on the first `connect`, again after a
   * failure. A `RealtimeError` is the provider's refusal of its configuration, and ends in `failed`.
   */
  load(): Promise<RealtimeTransport>
  /** How long one download may take. Default 15 s. */
  timeoutMs?: number
  onError: OnError
}

const stage = "load the provider's code"

/**
 * A transport whose code is downloaded when it is first needed, so that a page pays for one provider's SDK
 * only. Until it is there, the state is `connecting` and subscriptions wait.
 */
export function createLazyTransport(options: LazyTransportOptions): RealtimeTransport {
  const { provider, load, timeoutMs, onError } = options
  const deferred = createDeferredTransport({
    ...{ provider, onError },
    start: () => download.start(),
    stop: () => download.stop(),
  })
  const { transport } = deferred
  const isWanted = () => !deferred.current && transport.status.state !== "closed"
  const download = createDownload({
    ...{ stage, provider, load, timeoutMs, isWanted, onError },
    onLoaded(loaded) {
      // A download that comes too late is as good, unless another came first.
      if (isWanted()) deferred.use(loaded)
      else loaded.close().catch((error: unknown) => onError(error, { stage }))
    },
    onFailed: (error, isFinal) => deferred.show({ state: isFinal ? "failed" : "reconnecting", error }),
  })
  return transport
}
