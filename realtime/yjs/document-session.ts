import { Doc, decodeUpdate } from "yjs"
import type { SnapshotStart } from "../client/follow-snapshot.ts"
import type { Channel, ChannelMessage, ChannelSource } from "../client/types.ts"
import { RealtimeError } from "../errors.ts"
import { withResolvers } from "../with-resolvers.ts"
import { createDocumentFeed, type DocumentFeed } from "./document-feed.ts"
import { createDocumentKeeper, type DocumentKeeper } from "./document-keeper.ts"
import { limitsOf } from "./document-limits.ts"
import { statusOf } from "./document-status.ts"
import {
  createIndexedDbDocuments,
  type DocumentStore,
  type KeptDocument,
  type KeptState,
} from "./document-store.ts"
import type { DocumentDefinition, DocumentOptions, DocumentStatus } from "./document-types.ts"
import { createReplica, type Replica } from "./replica.ts"
import { publishSeed } from "./seed.ts"
import { fromPayloads } from "./update-parts.ts"
import { createUpdateSender, type UpdateSender } from "./update-sender.ts"

/** How long one attempt to publish may take; the next has the same id. */
const publishMs = 30_000

/** A document from its opening to its end: its parts, and what they share. */
export interface DocumentSession {
  readonly channel: Channel<DocumentDefinition>
  readonly source: ChannelSource
  readonly options: DocumentOptions
  canWrite: boolean
  /** What there is to show is another one. */
  readonly show: () => void
  readonly sender: UpdateSender
  readonly keeper: DocumentKeeper
  readonly feed: DocumentFeed
  /** What it made to be kept in, and ends with it. */
  readonly ownStore: DocumentStore | undefined
  replica: Replica
  /** The log's that the replica is built from; null while it isn't known. */
  epoch: string | null
  isLoaded: boolean
  isClosed: boolean
  /** Whether what is followed is known to be the log that the edits were made on. */
  isVerified: boolean
  /** Why it has come apart from the log. */
  diverged: RealtimeError | null
  /** Why edits that an earlier page left aren't sent, where there are such. */
  unwritable?: RealtimeError
  /** Who waits until nothing is unsent. */
  flushes: PromiseWithResolvers<void>[]
}

/** What comes from the log, by its origin: undo managers leave it alone. */
const fromLog = { name: "throughline" }

export function createSession(
  channel: Channel<DocumentDefinition>,
  options: DocumentOptions,
  show: () => void,
): DocumentSession {
  const { canWrite = true, owner } = options
  // First of all: where it throws, nothing has begun.
  const replica = makeReplica(channel, options, (update, isEcho) => edited(session, update, isEcho))
  const source = channel.join()
  const ownStore = options.store || owner === undefined ? undefined : createIndexedDbDocuments(owner)
  const sender = createUpdateSender({
    async publish(payload, id) {
      const { epoch } = session
      const receipt = await channel.publish("update", payload, { id, timeoutMs: publishMs })
      return receipt.epoch === epoch ? receipt : null
    },
    limits: () => limitsOf(source.capabilities(), source.maxPayloadBytes),
    onChange() {
      keeper.changed()
      changed(session)
    },
    onRefused: (error) => diverge(session, error),
  })
  const keeper = createDocumentKeeper({
    ...{ channel: channel.name, report: channel.report, store: options.store ?? ownStore },
    state: () => stateOf(session),
    pending() {
      const left = sender.pending()
      return left && { ...left, epoch: session.epoch }
    },
  })
  const feed = createDocumentFeed(channel as unknown as Channel, source, {
    onSnapshot: (start) => begin(session, start),
    onMessages: (messages) => receive(session, messages),
    onReady: () => caughtUp(session),
    onCaughtUp: () => verified(session),
    onUnreadable: (error) => diverge(session, error),
  })
  const session: DocumentSession = {
    ...{ channel, source, options, canWrite, show, sender, keeper, feed, replica, ownStore },
    ...{ epoch: null, isLoaded: false, isClosed: false, isVerified: false, diverged: null, flushes: [] },
  }
  return session
}

const makeReplica = (
  { report }: Pick<Channel, "report">,
  { createDoc = () => new Doc() }: DocumentOptions,
  onEdit: (update: Uint8Array, isEcho: boolean) => void,
) => createReplica({ createDoc, origin: fromLog, report, onEdit })

/** Begins with what the browser keeps, then with what the log has; with both where the browser is slow. */
export async function openSession(session: DocumentSession): Promise<void> {
  const { keeper, feed } = session
  const kept = await keeper.open(() => {
    if (!session.isClosed) feed.follow()
  })
  if (session.isClosed) return
  const since = kept && restore(session, kept)
  if (!session.diverged && (since || !feed.isFollowing)) feed.follow(since ?? undefined)
  changed(session)
}

/** Returns the place in the log from which to go on; null where that isn't known, or it has begun before. */
function restore(session: DocumentSession, { state: kept, pending }: KeptDocument): KeptState | null {
  const { replica, sender, keeper, channel } = session
  // What has come from the log has all of the document, but not what was left.
  const state = session.epoch === null ? kept : null
  session.epoch ??= state?.epoch ?? pending.find(({ epoch }) => epoch !== null)?.epoch ?? null
  try {
    replica.load(state?.bytes ?? null)
    for (const { parts, gathered } of pending) {
      if (parts.length > 0) replica.load(fromPayloads(parts.map(({ payload }) => payload)))
      replica.load(gathered)
    }
  } catch (error) {
    channel.report(error, { stage: "open the document" })
    return null
  }
  if (state) replica.begin(state.seq)
  for (const left of pending) sender.restore(left)
  keeper.takeOver()
  session.isLoaded ||= state !== null
  if (pending.some(({ epoch }) => epoch !== null && epoch !== session.epoch)) diverge(session, replaced())
  return state
}

/** What of a document can be begun with again: up to where all of it is the log's, and known to be. */
function stateOf({ replica, epoch, isLoaded, diverged, feed }: DocumentSession): KeptState | null {
  if (!isLoaded || diverged || epoch === null) return null
  const seq = replica.wholeUpTo
  const mark = feed.cursor?.seq === seq ? feed.cursor.mark : undefined
  return { epoch, seq, ...(mark !== undefined && { mark }), bytes: replica.state() }
}

export function statusOfSession(session: DocumentSession): DocumentStatus {
  const { isLoaded, channel, sender } = session
  return statusOf({ isLoaded, diverged: refusalOf(session), channel: channel.status, unsent: sender.unsent })
}

/** Whoever looks at it, or waits for it, is told. */
export function changed(session: DocumentSession): void {
  const { channel, isClosed, sender, flushes } = session
  if (isClosed) return
  const reason = refusalOf(session) ?? (channel.status.state === "denied" ? channel.status.error : undefined)
  if (reason) for (const flush of flushes.splice(0)) flush.reject(reason)
  else if (sender.unsent === 0) for (const flush of flushes.splice(0)) flush.resolve()
  session.show()
}

function edited(session: DocumentSession, update: Uint8Array, isEcho: boolean): void {
  if (session.isClosed) return
  // Opening writes nothing, nor does reading. What adds something is sent all the same, for what is written
  // here next builds on it.
  if (isEcho && (!session.canWrite || (!session.isLoaded && onlyDeletes(update)))) return
  session.sender.add(update)
  if (!session.canWrite && !session.diverged) diverge(session, readOnly())
}

const onlyDeletes = (update: Uint8Array) => decodeUpdate(update).structs.length === 0

/** Its edits are none of the log's any more, so nothing of either goes to the other. */
function diverge(session: DocumentSession, error: RealtimeError): void {
  session.diverged = error
  session.sender.hold()
  session.feed.stop()
  changed(session)
}

/** Begins with an empty document, to which nothing of this page's is known. */
function renew(session: DocumentSession): void {
  const before = session.replica
  session.sender.discard()
  session.replica = makeReplica(session.channel, session.options, (update, isEcho) =>
    edited(session, update, isEcho),
  )
  changed(session)
  before.destroy()
}

/** The log has said that it is the one that the edits were made on: nothing is sent before that. */
function verified(session: DocumentSession): void {
  session.isVerified = true
  if (!session.diverged && !session.isClosed && session.canWrite) session.sender.release()
}

/** From here on the log may become another one unheard. */
export function interrupted(session: DocumentSession): void {
  session.isVerified = false
  session.sender.hold()
}

/** Why what is unsent won't be sent: it came apart from the log, or whoever left it may not write now. */
function refusalOf(session: DocumentSession): RealtimeError | null {
  const { diverged, isLoaded, canWrite, sender } = session
  if (diverged || canWrite || !isLoaded || !sender.isHeld || sender.unsent === 0) return diverged
  session.unwritable ??= readOnly()
  return session.unwritable
}

function begin(session: DocumentSession, { epoch, upTo, bytes, reason }: SnapshotStart): boolean {
  const isAnother = reason === "reset" || (session.epoch !== null && session.epoch !== epoch)
  if (isAnother && session.sender.unsent > 0) {
    diverge(session, replaced())
    return true
  }
  if (isAnother && session.epoch !== null) renew(session)
  session.epoch = epoch
  try {
    session.replica.load(bytes)
  } catch (error) {
    session.channel.report(error, { stage: "read the snapshot" })
    return false
  }
  session.replica.begin(upTo)
  verified(session)
  session.keeper.changed()
  return true
}

function receive(session: DocumentSession, messages: readonly ChannelMessage[]): void {
  const { sender, replica, keeper } = session
  if (session.diverged) return
  const received = messages.map(({ id, seq, event, from, payload }) => ({
    ...{ seq, event, from, payload },
    isOwn: sender.arrived(id, seq),
  }))
  replica.receive(received)
  verified(session)
  keeper.changed()
}

/** Returns false where something is missing below what there is. */
function caughtUp(session: DocumentSession): boolean {
  if (session.diverged) return true
  verified(session)
  const { seed } = session.options
  const isNew = session.feed.cursor?.seq === 0 && !session.isLoaded
  if (isNew && seed && session.canWrite) void plant(session, seed)
  else loaded(session)
  return !session.replica.hasHole()
}

function loaded(session: DocumentSession): void {
  session.isLoaded = true
  session.keeper.changed()
  changed(session)
}

/** The server has said something else. What was refused, or is on its way, is as before. */
export function setCanWrite(session: DocumentSession, canWrite: boolean): void {
  if (session.canWrite === canWrite) return
  session.canWrite = canWrite
  const { isLoaded, diverged, isClosed, feed, sender, options } = session
  const isEmpty = isLoaded && feed.cursor?.seq === 0 && sender.unsent === 0
  if (canWrite && isEmpty && options.seed && !diverged && !isClosed) void plant(session, options.seed)
  if (session.isVerified) verified(session)
  changed(session)
}

async function plant(session: DocumentSession, seed: (doc: Doc) => void): Promise<void> {
  const { replica } = session
  try {
    await publishSeed(session.channel, seed, publishMs)
  } catch (error) {
    session.channel.report(error, { stage: "seed the document" })
  }
  if (session.replica === replica && !session.diverged && !session.isClosed) loaded(session)
}

/** Resolves when nothing is unsent. */
export async function flush(session: DocumentSession): Promise<void> {
  const refusal = refusalOf(session)
  if (refusal) throw refusal
  if (session.isClosed) throw closed()
  session.sender.hurry()
  if (session.sender.unsent === 0) return
  const waiting = withResolvers<void>()
  session.flushes.push(waiting)
  return waiting.promise
}

export function discardLocal(session: DocumentSession): void {
  if (session.isClosed) return
  session.sender.hold()
  void session.keeper.remove()
  Object.assign(session, { diverged: null, epoch: null, isLoaded: false, isVerified: false })
  renew(session)
  session.feed.follow()
}

export async function endSession(session: DocumentSession): Promise<void> {
  session.isClosed = true
  for (const waiting of session.flushes.splice(0)) waiting.reject(closed())
  session.sender.hold()
  // While its place in the log is known.
  const kept = session.keeper.keep()
  session.feed.stop()
  session.source.release()
  await kept
  session.keeper.close()
  session.ownStore?.close()
  session.replica.destroy()
}

const readOnly = () =>
  new RealtimeError("channel-denied", { message: "unable to send the edits; the document is for reading" })

const replaced = () =>
  new RealtimeError("conflict", {
    message: "unable to send the edits; the log that they were made on was replaced",
  })

const closed = () =>
  new RealtimeError("not-connected", { message: "unable to wait; the document was closed", retryable: false })
