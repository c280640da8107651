import { Doc, encodeStateAsUpdate } from "yjs"
import type { Channel } from "../client/types.ts"
import { isRealtimeError } from "../errors.ts"
import type { DocumentDefinition } from "./document-types.ts"
import { toPayloads } from "./update-parts.ts"

/** The same for everybody who seeds: the log takes one message of this id. */
const seedId = "00000000-0000-7000-8000-000000000000"
/** Who writes a seed, in the document: the same for everybody, so that the same seed has the same bytes. */
const seedClient = 0

/**
 * Publishes what a new document begins with. Resolves once the log has a seed, this one or another's; rejects
 * where it was refused.
 */
export async function publishSeed(
  channel: Channel<DocumentDefinition>,
  seed: (doc: Doc) => void,
  timeoutMs: number,
): Promise<void> {
  const doc = new Doc()
  doc.clientID = seedClient
  seed(doc)
  const update = encodeStateAsUpdate(doc)
  doc.destroy()
  const [payload] = toPayloads(update, Number.POSITIVE_INFINITY, () => "")
  if (!payload) return
  try {
    await channel.publish("update", payload, { id: seedId, timeoutMs })
  } catch (error) {
    // Somebody else's has the id: that one is the document's.
    if (!isRealtimeError(error) || error.code !== "conflict") throw error
  }
}
