import { applyUpdate, Doc, decodeUpdate, encodeStateAsUpdate } from "yjs"
import { type OnError, RealtimeError } from "../errors.ts"
import { createUpdateAssembler, type UpdateMessage } from "./update-parts.ts"

/** A document as far as it is read from one life of the log, with the page's own edits. */
export interface Replica {
  readonly doc: Doc
  /** Builds on this: a snapshot, or what the page kept. Throws where that isn't an update. */
  load(bytes: Uint8Array | null): void
  /** What follows begins after this message. */
  begin(seq: number): void
  /** Applies messages in one transaction. One that can't be is told, and the others are applied. */
  receive(messages: readonly ReceivedMessage[]): void
  /** Up to which message every update is whole. */
  readonly wholeUpTo: number
  /** What it has builds on what it hasn't: something is missing before it. */
  hasHole(): boolean
  /** All of it, as one update. */
  state(): Uint8Array
  /** Ends it: whoever shows it is told by the document itself. */
  destroy(): void
}

export interface ReceivedMessage extends UpdateMessage {
  event: string
  /** It is this page's, in whose document it is already. */
  isOwn: boolean
}

export interface ReplicaOptions {
  createDoc(): Doc
  /**
   * The page has changed it. `isEcho`: while something was applied to it; Yjs takes out format marks then
   * that have lost their meaning, and bindings may bring into order what they are told.
   */
  onEdit(update: Uint8Array, isEcho: boolean): void
  /** The origin of what comes from elsewhere, by which undo managers know it. */
  origin: object
  report: OnError
}

export function createReplica({ createDoc, onEdit, origin, report }: ReplicaOptions): Replica {
  const doc = createDoc()
  if (!(doc instanceof Doc)) throw twoCopies()
  const assembler = createUpdateAssembler()
  let isApplying = false
  doc.on("update", (update: Uint8Array, from: unknown) => {
    if (from !== origin) onEdit(update, isApplying)
  })

  function whileApplying(task: () => void): void {
    isApplying = true
    try {
      doc.transact(task, origin)
    } finally {
      isApplying = false
    }
  }

  function apply(message: ReceivedMessage): void {
    if (message.event !== "update") {
      assembler.skip(message.seq)
      return
    }
    const update = assembler.take(message)
    // Of what the page wrote itself nothing is new.
    if (!update || message.isOwn) return
    // To its end, before any of it is applied.
    decodeUpdate(update)
    applyUpdate(doc, update, origin)
  }

  return {
    doc,
    load(bytes) {
      if (!bytes) return
      decodeUpdate(bytes)
      whileApplying(() => applyUpdate(doc, bytes, origin))
    },
    begin: assembler.begin,
    receive(messages) {
      whileApplying(() => {
        for (const message of messages) {
          try {
            apply(message)
          } catch (cause) {
            const told = `unable to apply the update at ${message.seq}; it is passed over`
            report(new RealtimeError("invalid-payload", { message: told, cause }), {
              stage: "apply an update",
            })
          }
        }
      })
    },
    get wholeUpTo() {
      return assembler.wholeUpTo
    },
    hasHole: () => doc.store.pendingStructs !== null || doc.store.pendingDs !== null,
    state: () => encodeStateAsUpdate(doc),
    destroy: () => doc.destroy(),
  }
}

const twoCopies = () =>
  new RealtimeError("invalid-config", {
    message:
      "unable to open the document; `createDoc` makes one of another copy of yjs. Let every package use the same: `npm ls yjs` names them",
  })
