import { Doc } from "yjs"
import type { SnapshotStart } from "../client/follow-snapshot.ts"
import type { Channel, ChannelMessage } from "../client/types.ts"
import { type OnError, RealtimeError } from "../errors.ts"
import { createListeners } from "../listeners.ts"
import { createMessageId } from "../message-id.ts"
import { withResolvers } from "../with-resolvers.ts"
import { withinLimit } from "../within-limit.ts"
import { createDocumentFeed, type DocumentFeed } from "./document-feed.ts"
import { createDocumentKeeper, type DocumentKeeper } from "./document-keeper.ts"
import { limitsOf } from "./document-limits.ts"
import { isSameStatus, statusOf } from "./document-status.ts"
import { createIndexedDbDocuments, type KeptDocument, type KeptState } from "./document-store.ts"
import type { DocumentDefinition, DocumentOptions, DocumentStatus, SharedDocument } from "./document-types.ts"
import { onLeave } from "./on-leave.ts"
import { createReplica, type Replica } from "./replica.ts"
import { publishSeed } from "./seed.ts"
import { fromPayloads } from "./update-parts.ts"
import { createUpdateSender, type PendingUpdates, type UpdateSender } from "./update-sender.ts"

/** How long one attempt to publish may take; the next has the same id. */
const publishMs = 30_000
/** How long a document that is closed waits for its last edits. */
const farewellMs = 5_000

/**
 * Browser: opens the document of a channel. What it is, the channel's log says alone: its newest snapshot and
 * the messages that follow it, each once and in order. Edits are gathered (100 ms; 250 ms where a provider
 * bills each message), merged, and sent one batch at a time; those that were made meanwhile, or without a
 * network, go together in the next. Opening a document and looking at it writes nothing.
 *
 * ```ts
 * const document = openDocument(client.channel(documents({ document: "7" })), { owner: user.id })
 * const text = document.doc.getText("body")
 * document.subscribe(() => console.log(document.status.state))
 * ```
 */
export function openDocument<D extends DocumentDefinition>(
  channel: Channel<D>,
  options: DocumentOptions = {},
): SharedDocument {
  const { canWrite = true } = options
  const view = createView(channel.report)
  const session = createSession(channel as unknown as Channel<DocumentDefinition>, options, view.changed)
  const stopLeaving = onLeave(session.leaving)
  let ending: Promise<void> | undefined
  view.changed(session.status())

  return {
    get doc() {
      return session.doc
    },
    get status() {
      return view.status
    },
    get canWrite() {
      return canWrite && session.isEditable()
    },
    subscribe: view.subscribe,
    flush: () => session.flush(),
    discardLocal: () => session.discardLocal(),
    close() {
      stopLeaving()
      ending ??= session.close()
      return ending
    },
  }
}

/** What is shown of a session, and who looks at it. */
function createView(report: OnError) {
  const listeners = createListeners(report, "document.subscribe")
  let status: DocumentStatus = { state: "loading", unsent: 0 }
  return {
    get status() {
      return status
    },
    subscribe: listeners.add,
    /** `always`: something else than the status is another one. */
    changed(next: DocumentStatus, always = false) {
      const isSame = isSameStatus(status, next)
      if (!isSame) status = next
      if (!isSame || always) listeners.tell()
    },
  }
}

/** What the parts of a session share. */
interface Session {
  readonly channel: Channel<DocumentDefinition>
  replica: Replica
  /** The log's that the replica is built from; null while it isn't known. */
  epoch: string | null
  isLoaded: boolean
  isClosed: boolean
  diverged: RealtimeError | null
}

function createSession(
  channel: Channel<DocumentDefinition>,
  options: DocumentOptions,
  show: (status: DocumentStatus, always?: boolean) => void,
) {
  const { createDoc = () => new Doc(), owner, canWrite = true, seed } = options
  const { report } = channel
  const origin = {}
  const source = channel.join()
  const makeReplica = () => createReplica({ createDoc, origin, report, onEdit })
  const session: Session = {
    ...{ channel, replica: makeReplica(), epoch: null },
    ...{ isLoaded: false, isClosed: false, diverged: null },
  }
  const waiting: PromiseWithResolvers<void>[] = []

  const status = (): DocumentStatus =>
    statusOf({
      ...{ isLoaded: session.isLoaded, diverged: session.diverged },
      ...{ channel: channel.status, unsent: sender.unsent },
    })

  function changed(always = false): void {
    if (session.isClosed) return
    const isStuck = session.diverged ?? (channel.status.state === "denied" ? channel.status.error : undefined)
    if (isStuck) settle((waiter) => waiter.reject(isStuck))
    else if (sender.unsent === 0) settle((waiter) => waiter.resolve())
    show(status(), always)
  }

  function settle(end: (waiter: PromiseWithResolvers<void>) => void): void {
    for (const waiter of waiting.splice(0)) end(waiter)
  }

  function onEdit(update: Uint8Array, isEcho: boolean): void {
    if (session.isClosed) return
    // Opening writes nothing, nor does reading.
    if (isEcho && !(canWrite && session.isLoaded)) return
    sender.add(update)
    if (!canWrite && !session.diverged) diverge(readOnly())
  }

  /** Its edits are none of the log's any more, so nothing of either goes to the other. */
  function diverge(error: RealtimeError): void {
    session.diverged = error
    sender.hold()
    feed.stop()
    changed(true)
  }

  /** Begins with an empty document, to which nothing of this page's is known. */
  function renew(): void {
    const before = session.replica
    sender.discard()
    session.replica = makeReplica()
    changed(true)
    before.destroy()
  }

  const sender: UpdateSender = createUpdateSender({
    async publish(payload, id) {
      const { epoch } = session
      const receipt = await channel.publish("update", payload, { id, timeoutMs: publishMs })
      return receipt.epoch === epoch ? receipt : null
    },
    limits: () => limitsOf(source.capabilities(), source.maxPayloadBytes),
    onChange() {
      keeper.changed()
      changed()
    },
    onRefused: diverge,
  })

  const keeper: DocumentKeeper = createDocumentKeeper({
    ...{ channel: channel.name, page: createMessageId(), report },
    store: options.store ?? (owner === undefined ? undefined : createIndexedDbDocuments(owner)),
    state: () => stateOf(session, feed),
    pending() {
      const left = sender.pending()
      return left && { ...left, epoch: session.epoch }
    },
  })

  const feed: DocumentFeed = createDocumentFeed(channel as unknown as Channel, source, {
    onSnapshot: (start) => begin(start),
    onMessages: (messages) => receive(messages),
    onReady: () => ready(),
    onUnreadable: (error) => diverge(error),
  })

  /** Nothing is sent before the log has said that it is the one that the edits were made on. */
  function verified(): void {
    if (!session.diverged && !session.isClosed) sender.release()
  }

  function begin({ epoch, upTo, bytes, reason }: SnapshotStart): boolean {
    const isAnother = reason === "reset" || (session.epoch !== null && session.epoch !== epoch)
    if (isAnother && sender.unsent > 0) {
      diverge(replaced())
      return true
    }
    if (isAnother && session.epoch !== null) renew()
    session.epoch = epoch
    try {
      session.replica.load(bytes)
    } catch (error) {
      report(error, { stage: "read the snapshot" })
      return false
    }
    session.replica.begin(upTo)
    verified()
    keeper.changed()
    return true
  }

  function receive(messages: readonly ChannelMessage[]): void {
    if (session.diverged) return
    const received = messages.map(({ id, seq, event, from, payload }) => ({
      ...{ seq, event, from, payload },
      isOwn: sender.arrived(id, seq),
    }))
    session.replica.receive(received)
    verified()
    keeper.changed()
  }

  function ready(): boolean {
    if (session.diverged) return true
    verified()
    const isNew = feed.cursor?.seq === 0 && !session.isLoaded
    if (isNew && seed && canWrite) void begun(seed)
    else loaded()
    return !session.replica.hasHole()
  }

  function loaded(): void {
    session.isLoaded = true
    keeper.changed()
    changed(true)
  }

  async function begun(fill: (doc: Doc) => void): Promise<void> {
    try {
      await publishSeed(channel, fill, publishMs)
    } catch (error) {
      report(error, { stage: "seed the document" })
    }
    if (!session.diverged && !session.isClosed) loaded()
  }

  /** What was kept, and what pages left that the log hadn't. */
  function restore({ state, pending }: KeptDocument): void {
    const { replica } = session
    session.epoch = state?.epoch ?? pending[0]?.epoch ?? null
    const isOfOneLog = pending.every(({ epoch }) => epoch === null || epoch === session.epoch)
    try {
      replica.load(state?.bytes ?? null)
      if (state) replica.begin(state.seq)
      for (const left of pending) restorePending(left, replica, sender)
    } catch (error) {
      report(error, { stage: "open the document" })
      return
    }
    session.isLoaded = state !== null
    if (!isOfOneLog) {
      diverge(replaced())
      return
    }
    feed.follow(
      state ? { epoch: state.epoch, seq: state.seq, ...(state.mark && { mark: state.mark }) } : undefined,
    )
  }

  async function open(): Promise<void> {
    const kept = await keeper.open()
    if (session.isClosed) return
    if (kept) restore(kept)
    if (!feed.isFollowing && !session.diverged) feed.follow()
    changed(true)
  }

  const stopStatus = channel.onStatus(() => {
    // The place is the log's, so what waits may go on.
    if (channel.status.state === "attached" && session.isLoaded && feed.cursor) verified()
    changed(true)
  })
  void open()

  return {
    get doc() {
      return session.replica.doc
    },
    status,
    isEditable: () => session.isLoaded && !session.diverged && channel.status.state !== "denied",
    leaving() {
      sender.hurry()
      void keeper.keep()
    },
    async flush() {
      if (session.diverged) throw session.diverged
      if (session.isClosed) throw closed()
      sender.hurry()
      if (sender.unsent === 0) return
      const waiter = withResolvers<void>()
      waiting.push(waiter)
      return waiter.promise
    },
    discardLocal() {
      if (session.isClosed) return
      sender.hold()
      void keeper.remove()
      Object.assign(session, { diverged: null, epoch: null, isLoaded: false })
      renew()
      feed.follow()
    },
    async close() {
      const left = waiting
      if (!session.diverged && channel.status.state !== "denied" && sender.unsent > 0)
        await withinLimit(farewellMs, "send the last edits", this.flush).catch(() => {
          // They are kept, where there is somebody to keep them for.
        })
      session.isClosed = true
      for (const waiter of left.splice(0)) waiter.reject(closed())
      stopStatus()
      feed.stop()
      sender.hold()
      source.release()
      await keeper.keep()
      keeper.close()
      session.replica.destroy()
    },
  }
}

function restorePending(
  { parts, gathered, epoch }: PendingUpdates,
  replica: Replica,
  sender: UpdateSender,
): void {
  if (parts.length > 0) replica.load(fromPayloads(parts.map(({ payload }) => payload)))
  replica.load(gathered)
  sender.restore({ epoch, parts, gathered })
}

/** What of a document can be begun with again: up to where all of it is the log's, and known to be. */
function stateOf({ replica, epoch, isLoaded, diverged }: Session, feed: DocumentFeed): KeptState | null {
  if (!isLoaded || diverged || epoch === null) return null
  const { cursor } = feed
  const seq = replica.wholeUpTo
  const mark = cursor?.seq === seq ? cursor.mark : undefined
  return { epoch, seq, ...(mark !== undefined && { mark }), bytes: replica.state() }
}

const readOnly = () =>
  new RealtimeError("channel-denied", { message: "unable to send the edits; the document is for reading" })

const replaced = () =>
  new RealtimeError("conflict", {
    message: "unable to send the edits; the log that they were made on was replaced",
  })

const closed = () =>
  new RealtimeError("not-connected", { message: "unable to wait; the document was closed", retryable: false })
