import { isRealtimeError, type RealtimeError } from "../errors.ts"
import { guard } from "../guard.ts"
import type { OutboxBus, OutboxNote } from "./outbox-bus.ts"
import type { OutboxEntries, OutboxEntry } from "./outbox-entries.ts"
import { fromRefusal, type OutboxStore } from "./outbox-store.ts"
import { createPatience, type Reporting, run } from "./patience.ts"

/** How long the browser may take to read or write; one that hangs is as good as one that keeps nothing. */
const storePatienceMs = 5_000

export interface KeptMessagesOptions extends Reporting {
  entries: OutboxEntries
  store: OutboxStore
  bus: OutboxBus
}

/** What became of a message, here or in another tab. */
type Fate = Exclude<OutboxNote, { kind: "stored" }>

/** What is kept until the log has it, in three places at once: this page, the store and the other tabs. */
export interface KeptMessages {
  /** Resolves once it is stored, or couldn't be. */
  add(entry: OutboxEntry): Promise<void>
  /** Shows what became of a message, tells it, and writes it down. */
  record(fate: Fate): Promise<void>
  refuse(id: string, error: RealtimeError): Promise<void>
  /** Reads what the other tabs have done in a channel; not while the store doesn't answer an earlier read. */
  read(channel: string): Promise<void> | undefined
  /**
   * Hears the other tabs, and reads what an earlier page left behind. `wake` is called for a channel in which
   * a tab has stored a message, and for all of them at once and when they have been read.
   */
  open(wake: (channel?: string) => void): void
  close(): void
}

export function createKeptMessages(options: KeptMessagesOptions): KeptMessages {
  const { entries, store, bus, isOpen, onError } = options
  const { failureOf, works } = createPatience(storePatienceMs, options)
  /** How many requests the store hasn't answered in time. While there are any, nobody waits for the store. */
  let overdue = 0
  let isBusBroken = false

  /**
   * A browser that keeps nothing, that never answers, or a full disk: said once, and the messages live as
   * long as the page. A late answer counts like any other: what the store has by then is sent again at
   * worst, under its id.
   */
  async function ask(doing: "read" | "write to", task: () => Promise<unknown>): Promise<void> {
    const answered = run(task)
    const over = answered.then(works, () => {})
    if (overdue > 0) return
    const failure = await failureOf(`${doing} the outbox`, answered)
    if (!isRealtimeError(failure) || failure.code !== "timeout") return
    overdue += 1
    void over.then(() => {
      overdue -= 1
    })
  }

  function apply(fate: Fate, error?: RealtimeError): void {
    const { id, kind } = fate
    if (kind === "refused")
      entries.change(id, { state: "refused", error: error ?? fromRefusal(fate.refusal) })
    else if (kind === "queued") entries.change(id, { state: "queued", error: undefined, accidents: 0 })
    // Shown until it arrives. Of what has no place nobody could say that it won't any more.
    else if (kind === "sent" && fate.place && entries.isWatched(id))
      entries.change(id, { state: "sent", error: undefined, place: fate.place })
    else entries.forget(id)
  }

  /** Without the others' news a tab learns from the store what was sent, and from the log. */
  function tell(note: OutboxNote): void {
    try {
      bus.post(note)
      isBusBroken = false
    } catch (error) {
      if (!isBusBroken) onError(error, { stage: "tell the other tabs" })
      isBusBroken = true
    }
  }

  /** `error` is the page's own, which knows more than what is told of it. */
  function record(fate: Fate, error?: RealtimeError): Promise<void> {
    apply(fate, error)
    tell(fate)
    const { id, kind } = fate
    return ask("write to", () =>
      kind === "sent" || kind === "removed"
        ? store.remove(id)
        : store.refuse(id, kind === "refused" ? fate.refusal : undefined),
    )
  }

  return {
    add({ id, channel, event, payload, at }) {
      const message = { id, channel, event, payload, at }
      return ask("write to", async () => {
        const position = await store.add(message)
        // Thrown away meanwhile, or sent without having waited for the disk.
        const entry = entries.get(id)
        if (!entry) return store.remove(id)
        // What has its place among the others, for nobody waited for the store, keeps it.
        entries.change(id, { isStored: true, position: entry.isReady ? entry.position : position })
        tell({ kind: "stored", message: { ...message, position } })
      })
    },
    record,
    refuse: (id, error) =>
      record({ kind: "refused", id, refusal: { code: error.code, message: error.message } }, error),
    read(channel) {
      // A store that hasn't answered a read in time wouldn't answer another one.
      if (overdue === 0 || !entries.isReading) return ask("read", () => entries.load(store, channel))
    },
    open(wake) {
      const hear = (note: OutboxNote) => {
        if (!isOpen()) return
        if (note.kind !== "stored") return apply(note)
        entries.restore(note.message)
        // Whoever stored it sends it; this tab does when that one is gone before it did.
        wake(note.message.channel)
      }
      guard(onError, "hear the other tabs", () => bus.listen(hear))
      // What was added before needs no answer of the store.
      wake()
      void ask("read", async () => {
        await entries.load(store)
        wake()
      })
    },
    close() {
      guard(onError, "close the outbox", () => bus.close())
      guard(onError, "close the outbox", () => store.close())
    },
  }
}
