export { useAwareness } from "./use-awareness.ts"
export { type DocumentView, useDocument } from "./use-document.ts"
