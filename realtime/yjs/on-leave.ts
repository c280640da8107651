/** Calls back when the page may be about to end: it is hidden, or left. Returns how to stop it. */
export function onLeave(listener: () => void): () => void {
  if (typeof document === "undefined") return () => {}
  const onHidden = () => document.visibilityState === "hidden" && listener()
  window.addEventListener("pagehide", listener)
  document.addEventListener("visibilitychange", onHidden)
  return () => {
    window.removeEventListener("pagehide", listener)
    document.removeEventListener("visibilitychange", onHidden)
  }
}
