import { type ClientOptions, composeClient, type EndableClient } from "./compose-client.ts"
import { createPageOutbox } from "./page-outbox.ts"

/** Browser: the delivery contract over one transport. `createRealtimeClient` chooses the transport. */
export function createClient(options: ClientOptions): EndableClient {
  return composeClient(options, (deal) => createPageOutbox({ ...deal, place: options.outbox }))
}
