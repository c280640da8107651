/** Whether a media query holds. Where nothing can tell, as in a test without a screen, it doesn't. */
export const matches = (query: string): boolean => globalThis.matchMedia?.(query).matches ?? false

/** Calls the listener whenever the query begins or ceases to hold; returns what ends that. */
export function onMediaChange(query: string, listener: () => void): () => void {
  const media = globalThis.matchMedia?.(query)
  media?.addEventListener("change", listener)
  return () => media?.removeEventListener("change", listener)
}
