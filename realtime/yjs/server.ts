export {
  type CompactionResult,
  createDocumentCompactor,
  type DocumentCompactor,
  type DocumentCompactorOptions,
} from "./compactor.ts"
