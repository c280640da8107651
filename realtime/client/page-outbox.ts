import type { OutboxDeal, OutboxPlace } from "./compose-client.ts"
import { createOutbox, type Outbox } from "./outbox.ts"
import { createSilentBus, createTabBus } from "./outbox-bus.ts"
import type { OutboxEntries } from "./outbox-entries.ts"
import { createIndexedDbStore, createMemoryStore } from "./outbox-store.ts"
import { createTabLock } from "./tab-turns.ts"

export interface PageOutboxOptions extends OutboxDeal {
  /** Where unsent messages are kept, in place of `owner`'s browser. */
  place?: OutboxPlace | undefined
  /** Whose browser it is; with neither, unsent messages end with the page. */
  owner?: string | undefined
  entries?: OutboxEntries
}

/** Browser: all that a page needs to send and to keep, in one download. */
export function createPageOutbox({ place, owner, entries, ...deal }: PageOutboxOptions): Outbox {
  const chosen = place ?? (owner === undefined ? inThisPage() : inBrowserOf(owner))
  return createOutbox({ ...chosen, ...deal }, entries)
}

const inBrowserOf = (owner: string): OutboxPlace => ({
  store: createIndexedDbStore(owner),
  bus: createTabBus(owner),
  exclusively: createTabLock(`realtime-outbox:${owner}`),
})

/** For a page whose unsent messages end with it. */
export const inThisPage = (): OutboxPlace => ({
  store: createMemoryStore(),
  bus: createSilentBus(),
  exclusively: (_, task) => task(),
})
