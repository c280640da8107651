import { type BackOff, backOffMs } from "../back-off.ts"
import { isPageOver, isRealtimeError, type OnError, RealtimeError } from "../errors.ts"
import { guard } from "../guard.ts"
import type { Cursor, PublishReceipt } from "../message.ts"
import type { OutgoingMessage, PublishResult } from "../transport.ts"
import { withinLimit } from "../within-limit.ts"
import { batchOf, fewerThan, maxBatch } from "./batch.ts"
import type { OutboxBus, OutboxNote } from "./outbox-bus.ts"
import { type Caller, createOutboxEntries, type OutboxEntry, type OutboxMessage } from "./outbox-entries.ts"
import type { OutboxStore, StoredMessage } from "./outbox-store.ts"
import { createTurns, type Exclusively, run } from "./tab-turns.ts"

/**
 * A page's one way out: messages leave each channel in the order of the calls, whether they are
 * kept until the log has them, over reloads, crashes and days without a network (`add`), or
 * somebody waits for them (`publish`).
 */
export interface Outbox {
  /** What is on its way in a channel, in the order it was written. The same array until something changes. */
  messages(channel: string): readonly OutboxMessage[]
  subscribe(channel: string, listener: () => void): () => void
  /** Shows it at once, stores it, then sends it. With an error it is shown as refused and nothing is sent. */
  add(channel: string, message: OutgoingMessage, error?: RealtimeError): void
  /**
   * Sends it in its turn without keeping or showing it, while the outbox isn't open too. Resolves once it is
   * in the log; what fails in passing is tried again, with the same id, for as long as `timeoutMs`. Rejects
   * with the server's refusal; with the reason of its last attempt, or `timeout` without one, when its time
   * is over; with `not-connected` when the outbox is closed.
   */
  publish(channel: string, message: OutgoingMessage, timeoutMs: number): Promise<PublishReceipt>
  retry(id: string): void
  discard(id: string): void
  /** These have arrived in the channel: they are no longer one's own to show. */
  arrived(channel: string, ids: ReadonlySet<string>): void
  /**
   * Reads what an earlier page left behind and goes on with it, and with what was added before. Idempotent.
   */
  open(): void
  /**
   * The connection or the network is back: tries at once what waits for its next
   * attempt, by default in all channels.
   */
  wake(channel?: string): void
  /**
   * Sends nothing more and hears no other tab, until it is opened again. What was
   * published rejects; what was added waits.
   */
  close(): void
}

export interface OutboxOptions {
  /** Keeps what wasn't sent. */
  store: OutboxStore
  /** Between the tabs of one person. */
  bus: OutboxBus
  /** Lets one tab of the person send at a time. */
  exclusively: Exclusively
  /** One request: a result for each message, in order. Rejects when there was no answer. */
  deliver(channel: string, messages: readonly OutgoingMessage[]): Promise<PublishResult[]>
  /** Where failures go that no caller waits for. */
  onError: OnError
}

const backOff: BackOff = { firstMs: 500, maxMs: 30_000 }
/** While somebody waits for the message that is next. */
const callersBackOff: BackOff = { firstMs: 250, maxMs: 5_000 }
/** How long the browser may take to read or write; one that hangs is as good as one that keeps nothing. */
const storePatienceMs = 5_000
/**
 * After so many tries that ended in a failure of the server itself, at this very message, it may be the
 * message. With the pauses between them half a minute; it isn't counted in time, for a page that slept
 * or had no network tried nothing.
 */
const maxAccidents = 7
/** A timer of more than this, some 24 days, would end at once. */
const longestTimerMs = 2 ** 31 - 1

interface Pause {
  /** Attempts in a row by which no message got away. */
  failures: number
  /** Why the last of them ended so. */
  reason?: RealtimeError
  timer?: ReturnType<typeof setTimeout> | undefined
}

const toOutgoing = ({ id, event, payload }: OutboxEntry): OutgoingMessage => ({ id, event, payload })

/** The server failed and doesn't know why. */
const isAccident = ({ code, retryable }: RealtimeError) => code === "internal" && retryable

export function createOutbox({ store, bus, exclusively, deliver, onError }: OutboxOptions): Outbox {
  const entries = createOutboxEntries(onError)
  const { change, forget, inOrder } = entries
  const takeTurn = createTurns({ exclusively, isOpen: () => isOpen, onError })
  /** The channels that are being sent from, each with what tells this sending from one before a `close`. */
  const draining = new Map<string, object>()
  const pauses = new Map<string, Pause>()
  /** Reads of the store that are under way, and what left meanwhile, which they may still bring. */
  let reads = 0
  const leftMeanwhile = new Set<string>()
  let isOpen = false
  let isClosed = false
  let isStoreBroken = false
  /** How many requests the store hasn't answered in time. While there are any, nobody waits for the store. */
  let overdue = 0
  let isBusBroken = false
  /**
   * The last position of what this page wrote. What couldn't be stored has none, and all
   * that it wrote later goes behind it.
   */
  let last = 0
  /** Ends when all that was written until now has been stored, or not. */
  let storing: Promise<unknown> = Promise.resolve()
  /** How many of a channel wait for that. */
  const unready = new Map<string, number>()

  /** What an attempt could send. */
  const waiting = (channel: string) =>
    inOrder(channel).filter(
      ({ state, isReady, caller }) =>
        isReady && (state === "queued" || state === "failed") && (isOpen || caller !== undefined),
    )

  /** What goes before anything that is kept: it needs neither the store nor a turn among the tabs. */
  function published(channel: string): OutboxEntry[] {
    const all = waiting(channel)
    const end = all.findIndex(({ caller }) => !caller)
    return end < 0 ? all : all.slice(0, end)
  }

  function left(id: string): void {
    if (reads > 0) leftMeanwhile.add(id)
  }

  function remove(id: string): void {
    left(id)
    forget(id)
  }

  /** In the log: shown until it arrives, where somebody looks. */
  function settled(id: string, place?: Cursor): void {
    left(id)
    const entry = entries.get(id)
    if (!entry) return
    // Of what has no place nobody could say that it won't arrive any more.
    if (place && entries.isWatched(entry.channel) && !entry.hasArrived)
      change(id, { state: "sent", error: undefined, place })
    else remove(id)
  }

  function restore({ position, refusal, ...message }: StoredMessage): void {
    if (entries.get(message.id)) return
    const error = refusal && new RealtimeError(refusal.code, { message: refusal.message, retryable: false })
    const state = error ? "refused" : "queued"
    entries.add({ ...message, position, state, error, isStored: true, isReady: true, hasArrived: false })
  }

  function receive(note: OutboxNote): void {
    if (!isOpen) return
    if (note.kind === "stored") {
      restore(note.message)
      // Whoever stored it sends it; this tab does when that one is gone before it did.
      void drain(note.message.channel)
    } else if (note.kind === "sent") settled(note.id, note.place)
    else if (note.kind === "removed") remove(note.id)
    else if (note.kind === "refused") {
      const { code, message } = note.refusal
      change(note.id, { state: "refused", error: new RealtimeError(code, { message, retryable: false }) })
    } else change(note.id, { state: "queued", error: undefined, accidents: 0 })
  }

  /**
   * Asks the store. A browser that keeps nothing, that never answers, or a full disk: said once, and the
   * messages live as long as the page. A late answer counts like any other: what the store has by then is
   * sent again at worst, under its id.
   */
  async function attempt(doing: string, task: () => Promise<unknown>): Promise<void> {
    const answered = run(task)
    const stage = `${doing} the outbox`
    if (overdue > 0) {
      answered.then(storeWorks, () => {})
      return
    }
    try {
      await withinLimit(storePatienceMs, stage, () => answered)
      storeWorks()
    } catch (error) {
      if (!isStoreBroken && isOpen) onError(error, { stage })
      isStoreBroken = true
      if (isRealtimeError(error) && error.code === "timeout") {
        overdue += 1
        answered
          .then(storeWorks)
          .catch(() => {})
          .finally(() => {
            overdue -= 1
          })
      }
    }
  }

  function storeWorks(): void {
    isStoreBroken = false
  }

  /** Without the others' news a tab learns from the store what was sent, and from the log. */
  function tellTabs(note: OutboxNote): void {
    try {
      bus.post(note)
      isBusBroken = false
    } catch (error) {
      if (!isBusBroken) onError(error, { stage: "tell the other tabs" })
      isBusBroken = true
    }
  }

  async function refuse(entry: OutboxEntry, error: RealtimeError): Promise<void> {
    const refusal = { code: error.code, message: error.message }
    change(entry.id, { state: "refused", error })
    tellTabs({ kind: "refused", id: entry.id, refusal })
    await attempt("write to", () => store.refuse(entry.id, refusal))
  }

  async function accept(entry: OutboxEntry, { epoch, seq }: Cursor): Promise<void> {
    const place = { epoch, seq }
    settled(entry.id, place)
    tellTabs({ kind: "sent", id: entry.id, place })
    await attempt("write to", () => store.remove(entry.id))
  }

  /** How far what is kept has come. What is published has no state to show. */
  function mark({ id, caller }: OutboxEntry, to: Partial<OutboxEntry>): void {
    if (!caller) change(id, to)
  }

  function wait(entry: OutboxEntry, error: RealtimeError): void {
    const isOut = error.code === "not-connected" || isPageOver(error)
    mark(entry, isOut ? { state: "queued" } : { state: "failed", error })
  }

  /** The server failed at this one: whether it has, so often that it is refused. */
  async function stumble({ id }: OutboxEntry, error: RealtimeError): Promise<boolean> {
    const entry = entries.get(id)
    if (!entry) return true
    const accidents = (entry.accidents ?? 0) + 1
    change(id, { accidents })
    if (accidents < maxAccidents) return false
    await refuse(entry, error)
    return true
  }

  /** Gives up on what was published and has waited for long enough: for the reason of its last attempt. */
  function expire(channel: string, caller: Caller): void {
    entries.release(caller)
    const obstacle = caller.hasLeft ? undefined : pauses.get(channel)?.reason
    caller.reject(caller.reason ?? unansweredInTime(obstacle))
  }

  /** What a request brought for one message; true where it stays, to be tried again. */
  async function settle(entry: OutboxEntry, result: PublishResult): Promise<boolean> {
    const { caller } = entry
    if (!caller) {
      if ("receipt" in result) await accept(entry, result.receipt)
      else if (result.error.retryable || isPageOver(result.error)) return true
      else await refuse(entry, result.error)
      return false
    }
    if ("error" in result && result.error.retryable) {
      caller.reason = result.error
      return true
    }
    entries.release(caller)
    if ("receipt" in result) caller.resolve(result.receipt)
    else caller.reject(result.error)
    return false
  }

  /**
   * Sends what there is to send, batch by batch; resolves with the reason why something has to wait. Nothing
   * passes what waits: the server wrote nothing that stands behind it.
   */
  async function sendAll(
    channel: string,
    next: () => OutboxEntry[],
    pause: Pause,
    isCurrent: () => boolean,
  ): Promise<RealtimeError | null> {
    let most = maxBatch
    for (;;) {
      const batch = batchOf(next(), most, toOutgoing)
      if (batch.length === 0 || !isCurrent()) return null
      for (const entry of batch) {
        mark(entry, { state: "sending", error: undefined })
        if (entry.caller) entry.caller.hasLeft = true
      }
      const results = await answerTo(channel, batch)
      // Something between here and the log takes less at once; a message that is
      // too large alone is found alone.
      if (isRealtimeError(results) && results.code === "message-too-large" && batch.length > 1) {
        most = fewerThan(batch.length)
        for (const entry of batch) mark(entry, { state: "queued" })
        continue
      }
      const staying: { entry: OutboxEntry; error: RealtimeError }[] = []
      for (const [index, entry] of batch.entries()) {
        const result = isRealtimeError(results)
          ? { error: results }
          : (results[index] ?? { error: unanswered() })
        if ((await settle(entry, result)) && "error" in result) staying.push({ entry, error: result.error })
      }
      if (!isCurrent()) return null
      if (staying.length < batch.length) pause.failures = 0
      const [first] = staying
      if (!first) continue
      // A whole request at which the server fails says nothing of a message.
      const isItsOwn = isAccident(first.error) && !isRealtimeError(results) && !first.entry.caller
      if (isItsOwn && (await stumble(first.entry, first.error))) {
        pause.failures = 0
        for (const { entry } of staying.slice(1)) mark(entry, { state: "queued" })
        continue
      }
      for (const { entry, error } of staying) wait(entry, error)
      return first.error
    }
  }

  /** A result for each; or, of a request that got none, why, which is the same for each. */
  async function answerTo(
    channel: string,
    batch: readonly OutboxEntry[],
  ): Promise<PublishResult[] | RealtimeError> {
    try {
      return await deliver(channel, batch.map(toOutgoing))
    } catch (cause) {
      return isRealtimeError(cause)
        ? cause
        : new RealtimeError("internal", {
            message: "unable to publish; the client failed",
            retryable: false,
            cause,
          })
    }
  }

  /** What another tab has sent, refused or thrown away since it was read; by default in all channels. */
  async function reconcile(channel?: string): Promise<void> {
    const isMeant = (message: { channel: string }) => channel === undefined || message.channel === channel
    // What comes or leaves while it is read may be in the answer or not, which says nothing of it.
    const known = entries
      .all()
      .filter(isMeant)
      .filter(({ isStored }) => isStored)
    reads += 1
    try {
      const stored = (await store.load()).filter(isMeant)
      const ids = new Set(stored.map(({ id }) => id))
      for (const { id } of known) if (!ids.has(id) && entries.get(id)?.state !== "sent") forget(id)
      for (const message of stored) if (!leftMeanwhile.has(message.id)) restore(message)
    } finally {
      reads -= 1
      if (reads === 0) leftMeanwhile.clear()
    }
  }

  /** Runs when all that was written before has been stored, or not, and this as well. */
  function inTurn(channel: string, stored: Promise<unknown> | undefined, task: () => void): void {
    unready.set(channel, (unready.get(channel) ?? 0) + 1)
    storing = Promise.all([storing, stored]).then(() => {
      const others = (unready.get(channel) ?? 0) - 1
      if (others > 0) unready.set(channel, others)
      else unready.delete(channel)
      task()
    })
  }

  async function drain(channel: string): Promise<void> {
    const [next] = waiting(channel)
    if (draining.has(channel) || !next) return
    const turn = {}
    draining.set(channel, turn)
    const isCurrent = () => draining.get(channel) === turn
    const pause = pauses.get(channel) ?? { failures: 0 }
    clearTimeout(pause.timer)
    pause.timer = undefined
    let reason: RealtimeError | null = null
    try {
      if (next.caller) reason = await sendAll(channel, () => published(channel), pause, isCurrent)
      else
        await takeTurn(channel, async () => {
          if (!isCurrent()) return
          // A store that hasn't answered a read in time wouldn't answer another one.
          if (overdue === 0 || reads === 0) await attempt("read", () => reconcile(channel))
          reason = await sendAll(channel, () => waiting(channel), pause, isCurrent)
        })
    } catch (cause) {
      onError(cause, { stage: "send the outbox" })
      const message = "unable to send the outbox; the client failed"
      const error = new RealtimeError("internal", { message, cause })
      for (const { id, state } of inOrder(channel))
        if (state === "sending") change(id, { state: "failed", error })
      reason = error
    }
    if (!isCurrent()) return
    draining.delete(channel)
    const failed = reason as RealtimeError | null
    if (failed) return pauseAfter(channel, pause, failed)
    pauses.delete(channel)
    // What became ready while the lock was being given back, or comes behind what was published.
    void drain(channel)
  }

  function pauseAfter(channel: string, pause: Pause, failed: RealtimeError): void {
    const times = waiting(channel)[0]?.caller ? callersBackOff : backOff
    // No pause brings its writer back: it goes when they are.
    const isForGood = isPageOver(failed)
    if (!isForGood) pause.failures += 1
    pause.reason = failed
    pauses.set(channel, pause)
    if (isForGood) return
    pause.timer = setTimeout(
      () => {
        pause.timer = undefined
        void drain(channel)
      },
      backOffMs(times, pause.failures, failed),
    )
  }

  function keepAndSend({ id, channel, event, payload, at }: OutboxEntry): void {
    const message = { id, channel, event, payload, at }
    const keep = async () => {
      const position = await store.add(message)
      // Thrown away meanwhile, or sent without having waited for the disk.
      const entry = entries.get(id)
      if (!entry) return store.remove(id)
      // What has its place among the others, for nobody waited for the store, keeps it.
      change(id, { isStored: true, position: entry.isReady ? entry.position : position })
      tellTabs({ kind: "stored", message: { ...message, position } })
    }
    inTurn(channel, attempt("write to", keep), () => {
      const entry = entries.get(id)
      if (!entry) return
      last = Math.max(last, entry.position)
      change(id, { position: last, isReady: true })
      void drain(channel)
    })
  }

  const drainAll = () => {
    for (const channel of new Set(entries.all().map((entry) => entry.channel))) void drain(channel)
  }

  return {
    messages: entries.messages,
    subscribe: entries.subscribe,
    add(channel, { id, event, payload }, error) {
      const entry: OutboxEntry = {
        ...{ id, channel, event, payload, at: Date.now(), state: error ? "refused" : "queued", error },
        ...{ position: Number.POSITIVE_INFINITY, isStored: false, isReady: false, hasArrived: false },
      }
      entries.add(entry)
      if (!error) keepAndSend(entry)
    },
    publish(channel, { id, event, payload }, timeoutMs) {
      if (isClosed) return Promise.reject(closedError())
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => expire(channel, caller), Math.min(timeoutMs, longestTimerMs))
        const caller: Caller = { key: Symbol(id), timer, hasLeft: false, reason: null, resolve, reject }
        const entry: OutboxEntry = {
          ...{ id, channel, event, payload, at: Date.now(), state: "queued" },
          ...{ position: last, isStored: false, isReady: false, hasArrived: false },
          caller,
        }
        entries.addPublished(caller.key, entry)
        function ready(): void {
          entry.position = last
          entry.isReady = true
        }
        function leave(): void {
          // The server sets the pace: no message that is published cuts a pause short.
          if (pauses.get(channel)?.timer === undefined) void drain(channel)
        }
        if (unready.has(channel)) {
          inTurn(channel, undefined, () => {
            ready()
            leave()
          })
        } else {
          ready()
          // After the current task, so that calls made together leave together.
          queueMicrotask(leave)
        }
      })
    },
    retry(id) {
      const entry = entries.get(id)
      if (entry?.state !== "failed" && entry?.state !== "refused") return
      change(id, { state: "queued", error: undefined, accidents: 0 })
      // The page itself refused it, so it lies nowhere yet: the server is the one to say.
      if (!entry.isReady) return keepAndSend(entry)
      tellTabs({ kind: "queued", id })
      void attempt("write to", () => store.refuse(id, undefined)).then(() => drain(entry.channel))
    },
    discard(id) {
      const entry = entries.get(id)
      // What is under way may be in the log already.
      if (!entry || entry.state === "sending") return
      remove(id)
      tellTabs({ kind: "removed", id })
      void attempt("write to", () => store.remove(id))
    },
    arrived(channel, ids) {
      for (const { id, state, hasArrived, caller } of inOrder(channel)) {
        if (!ids.has(id) || hasArrived || caller) continue
        if (state === "sent") remove(id)
        else change(id, { hasArrived: true })
      }
    },
    open() {
      if (isOpen) return
      isOpen = true
      isClosed = false
      guard(onError, "hear the other tabs", () => bus.listen(receive))
      const restoreAll = async () => {
        await reconcile()
        drainAll()
      }
      // What was added before needs no answer of the store.
      drainAll()
      void attempt("read", restoreAll)
    },
    wake: (channel) => (channel === undefined ? drainAll() : void drain(channel)),
    close() {
      isOpen = false
      isClosed = true
      draining.clear()
      for (const entry of entries.all()) {
        if (entry.state === "sending") mark(entry, { state: "queued" })
        if (!entry.caller) continue
        entries.release(entry.caller)
        entry.caller.reject(closedError())
      }
      for (const { timer } of pauses.values()) clearTimeout(timer)
      pauses.clear()
      guard(onError, "close the outbox", () => bus.close())
      guard(onError, "close the outbox", () => store.close())
    },
  }
}

const unanswered = () =>
  new RealtimeError("internal", { message: "unable to publish; the answer is incomplete" })

const unansweredInTime = (obstacle: RealtimeError | undefined) =>
  new RealtimeError("timeout", {
    message: obstacle
      ? `unable to publish; it wasn't attempted in its time, behind others that failed (${obstacle.code})`
      : "unable to publish; there was no answer in its time",
    ...(obstacle && { cause: obstacle }),
  })

const closedError = () =>
  new RealtimeError("not-connected", {
    message: "unable to publish; the client was closed",
    retryable: false,
  })
