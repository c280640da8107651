import type { Channel } from "../client/types.ts"
import { createListeners } from "../listeners.ts"
import { withinLimit } from "../within-limit.ts"
import {
  changed,
  createSession,
  discardLocal,
  endSession,
  flush,
  interrupted,
  openSession,
  setCanWrite,
  statusOfSession,
} from "./document-session.ts"
import { isSameStatus } from "./document-status.ts"
import type { DocumentDefinition, DocumentOptions, DocumentStatus, SharedDocument } from "./document-types.ts"
import { onLeave } from "./on-leave.ts"

/** How long a document that is closed waits for its last edits. */
const farewellMs = 5_000

/**
 * Browser: opens the document of a channel. What it is, the channel's log says alone: its newest snapshot and
 * the messages that follow it, each once and in order. Edits are gathered (100 ms; 250 ms where a provider
 * bills each message), merged, and sent one batch at a time; those that were made meanwhile, or without a
 * network, go together in the next. Opening a document and looking at it writes nothing. Throws
 * `invalid-config` where `createDoc` makes a document of another copy of yjs.
 *
 * ```ts
 * const documents = defineChannel("document:{document}", { messages: { update: yjsUpdate() } })
 * const document = openDocument(client.channel(documents({ document: "7" })), { owner: "u_1" })
 * const text = document.doc.getText("body")
 * document.subscribe(() => console.log(document.status.state, text.toString()))
 * ```
 */
export function openDocument<D extends DocumentDefinition>(
  channel: Channel<D>,
  options: DocumentOptions = {},
): SharedDocument {
  const listeners = createListeners(channel.report, "document.subscribe")
  let status: DocumentStatus = { state: "loading", unsent: 0 }
  let shown: readonly unknown[] = []
  let ending: Promise<void> | undefined

  function canWriteNow(): boolean {
    const { canWrite, isLoaded, diverged } = session
    return canWrite && isLoaded && !diverged && channel.status.state !== "denied"
  }

  function show(): void {
    const next = statusOfSession(session)
    if (!isSameStatus(status, next)) status = next
    const now = [status, session.replica.doc, canWriteNow()]
    if (now.every((part, index) => part === shown[index])) return
    shown = now
    listeners.tell()
  }

  const session = createSession(channel as unknown as Channel<DocumentDefinition>, options, show)
  const stopStatus = channel.onStatus(() => {
    if (channel.status.state !== "attached") interrupted(session)
    changed(session)
  })
  const stopLeaving = onLeave(() => {
    session.sender.hurry()
    void session.keeper.keep()
  })
  void openSession(session)

  async function end(): Promise<void> {
    stopLeaving()
    const isUnsent = canWriteNow() && session.sender.unsent > 0
    const farewell = isUnsent && withinLimit(farewellMs, "send the last edits", () => flush(session))
    // At once, with the ids that they are sent by: whoever opens it next, in this page too, begins with it.
    void session.keeper.keep()
    if (farewell)
      await farewell.catch(() => {
        // They are kept, where there is somebody to keep them for.
      })
    stopStatus()
    await endSession(session)
  }

  return {
    get doc() {
      return session.replica.doc
    },
    get status() {
      return status
    },
    get canWrite() {
      return canWriteNow()
    },
    subscribe: listeners.add,
    flush: () => flush(session),
    discardLocal: () => discardLocal(session),
    setCanWrite: (canWrite) => setCanWrite(session, canWrite),
    close() {
      ending ??= end()
      return ending
    },
  }
}
