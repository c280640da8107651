/** The page is looked at, or there is nothing to look at. */
export const isSeen = () => typeof document === "undefined" || document.visibilityState === "visible"

/** Calls back when the page may have missed something: the network is back, the tab is looked at again. */
export function onReturn(listener: () => void): () => void {
  if (typeof document === "undefined") return () => {}
  const onVisible = () => isSeen() && listener()
  // A page that is shown for the first time has missed nothing.
  const onShow = ({ persisted }: PageTransitionEvent) => persisted && listener()
  window.addEventListener("online", listener)
  window.addEventListener("pageshow", onShow)
  document.addEventListener("visibilitychange", onVisible)
  return () => {
    window.removeEventListener("online", listener)
    window.removeEventListener("pageshow", onShow)
    document.removeEventListener("visibilitychange", onVisible)
  }
}
