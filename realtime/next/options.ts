import type { ChannelDefinitions } from "../channel.ts"
import type { MessageLog } from "../log/message-log.ts"
import type { Declarations, RealtimeOptions } from "../server/types.ts"

/** What `throughline()` takes; the rest is the environment's to say. */
export interface ThroughlineOptions<Definitions extends ChannelDefinitions>
  extends Declarations<Definitions>,
    Pick<
      RealtimeOptions<Definitions>,
      | "maxPayloadBytes"
      | "maxStateKeys"
      | "maxSnapshotBytes"
      | "deliveryTimeoutMs"
      | "waitUntil"
      | "presenceCounts"
      | "tracing"
      | "onError"
    > {
  /**
   * Where messages are kept. Default: PostgreSQL where `DATABASE_URL` is set, else a file of SQLite in
   * `DATA_DIR`, which is `.data`. A function is asked when somebody first needs it, as the last step of
   * opening, and not again while what it returned is open.
   */
  log?: MessageLog | (() => MessageLog | Promise<MessageLog>)
  /**
   * Where the catch-all route is. Default `/api/realtime`; with a `basePath`
   * of Next.js, that comes before it.
   */
  basePath?: string
  /**
   * Where the bundled gateway answers. Default `/socket.io`; for a proxy that hands the app only part of its
   * paths, and for a second `throughline()` of the process, which needs another than the first.
   */
  socketPath?: string
}
