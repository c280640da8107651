import { withinLimit } from "../within-limit.ts"
import { createIndexedDbStore } from "./outbox-store.ts"

/** How long whoever signs out waits for the browser. */
const patienceMs = 5_000

/**
 * Browser: takes away what this person has written here and not sent, where they can never come back for it.
 * Rejects where the browser fails, and with `timeout` where it doesn't answer.
 */
export async function forgetOutbox(owner: string): Promise<void> {
  const store = createIndexedDbStore(owner)
  try {
    await withinLimit(patienceMs, "empty the outbox", () => store.clear())
  } finally {
    store.close()
  }
}
