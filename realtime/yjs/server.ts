export {
  type CompactionResult,
  createDocumentCompactor,
  type DocumentCompactor,
  type DocumentCompactorOptions,
} from "./compactor.ts"
export {
  type YjsAwareness,
  type YjsAwarenessSchema,
  type YjsUpdateSchema,
  yjsAwareness,
  yjsUpdate,
} from "./schema.ts"
export type { YjsUpdate, YjsUpdatePart } from "./update-parts.ts"
