export {
  type AwarenessDefinition,
  type AwarenessOptions,
  type SharedAwareness,
  shareAwareness,
} from "./awareness.ts"
export {
  createIndexedDbDocuments,
  createMemoryDocuments,
  type DocumentStore,
  forgetDocuments,
  type KeptDocument,
  type KeptState,
} from "./document-store.ts"
export type { DocumentDefinition, DocumentOptions, DocumentStatus, SharedDocument } from "./document-types.ts"
export { openDocument } from "./open-document.ts"
export {
  type YjsAwareness,
  type YjsAwarenessSchema,
  type YjsUpdateSchema,
  yjsAwareness,
  yjsUpdate,
} from "./schema.ts"
export type { YjsUpdate, YjsUpdatePart } from "./update-parts.ts"
export type { PendingUpdates, SentPart } from "./update-sender.ts"
