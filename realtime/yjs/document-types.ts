import type { Doc } from "yjs"
import type { ChannelDefinition } from "../channel.ts"
import type { RealtimeError } from "../errors.ts"
import type { DocumentStore } from "./document-store.ts"
import type { YjsUpdateSchema } from "./schema.ts"

/** Any definition of channels that are documents: its messages have `update: yjsUpdate()`. */
// biome-ignore-start lint/suspicious/noExplicitAny: the bound that every definition satisfies; parameters are contravariant
export type DocumentDefinition = ChannelDefinition<
  any,
  {
    /** The document's edits. */
    update: YjsUpdateSchema
  },
  any,
  any,
  any
>
// biome-ignore-end lint/suspicious/noExplicitAny: as above

/** How a document stands towards the log, for whoever looks at it. The same object until it changes. */
export interface DocumentStatus {
  /**
   * - `loading`: nothing is shown yet.
   * - `synced`: it is what the log says, and the log has what was written here.
   * - `saving`: edits are on their way.
   * - `offline`: the channel isn't attached. What is written waits, and is kept where the page has an
   *   `owner`.
   * - `refused`: the server doesn't let this user in. It lets go by itself when the user is let in.
   * - `diverged`: it has edits that nobody will see, for the server has refused them, or the log was replaced
   *   below them. Nothing is sent or received: copy what is worth it, then `discardLocal()`.
   */
  readonly state: "loading" | "synced" | "saving" | "offline" | "refused" | "diverged"
  /** How many messages the log doesn't have. */
  readonly unsent: number
  /** With `refused` and `diverged`: why. */
  readonly error?: RealtimeError | undefined
}

/** How a document is opened. */
export interface DocumentOptions {
  /** Makes the document, and another one whenever it has to be begun anew. Default: `new Doc()`. */
  createDoc?: (() => Doc) | undefined
  /**
   * Whose browser it is, by the `owner` of the client: the document and unsent edits are kept under this
   * name, over reloads and days without a network. Absent: they end with the page.
   */
  owner?: string | undefined
  /**
   * Where it is kept, whoever `owner` says. Whoever made it closes it, when the documents in it are closed.
   * Default: in the browser, under the name of `owner`.
   */
  store?: DocumentStore | undefined
  /**
   * Whether this user may write, as the server told the page. With false an edit isn't sent, and the document
   * is `diverged` by it. Default true.
   */
  canWrite?: boolean | undefined
  /**
   * Fills a document that nobody has written to yet. However many open it at once, one of them does: it has
   * to make the same for everybody, and one message of it (`maxPayloadBytes`, some 24 kB); larger ones are
   * the server's to make.
   */
  seed?: ((doc: Doc) => void) | undefined
}

/** Browser: a document that everybody in a channel writes to. */
export interface SharedDocument {
  /**
   * The document, for an editor's binding. Another one after `discardLocal`, and after the log was replaced:
   * a document of Yjs can't forget. The one before is destroyed then, as its bindings hear.
   */
  readonly doc: Doc
  /** How it stands towards the log. */
  readonly status: DocumentStatus
  /** Whether to let people write: it is loaded, the user may, and nothing was refused. */
  readonly canWrite: boolean
  /** Calls back on each change of `doc`, `status` and `canWrite`. Returns how to stop it. */
  subscribe(listener: () => void): () => void
  /**
   * Sends what is gathered at once. Resolves when the log has all that was written until then; rejects with
   * the reason where it won't, and with `not-connected` when the document is closed before.
   */
  flush(): Promise<void>
  /**
   * The server has told the page whether this user may write, after it said otherwise by `canWrite` of the
   * options. What has diverged by an edit stays so until `discardLocal`.
   */
  setCanWrite(canWrite: boolean): void
  /** Throws away what the log doesn't have, and begins anew with what it has. */
  discardLocal(): void
  /**
   * Leaves the channel. What is on its way has five seconds; what then isn't in the log is kept where the
   * page has an `owner`. The document is destroyed. Never rejects; called again, it waits for the same end.
   */
  close(): Promise<void>
}
