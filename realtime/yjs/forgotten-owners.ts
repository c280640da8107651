const name = "realtime-documents"

/** Of this page, and the way to the other tabs while there are any. */
const listeners = new Set<(owner: string) => void>()
let tabs: BroadcastChannel | null = null

function tell(owner: string): void {
  for (const listener of [...listeners]) listener(owner)
}

/**
 * Browser: calls back when somebody's documents are to be forgotten, here or in another tab. Returns how to
 * stop it.
 */
export function onForgotten(listener: (owner: string) => void): () => void {
  listeners.add(listener)
  if (!tabs && typeof BroadcastChannel !== "undefined") {
    tabs = new BroadcastChannel(name)
    tabs.onmessage = ({ data }: MessageEvent<{ forget: string }>) => tell(data.forget)
  }
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    tabs?.close()
    tabs = null
  }
}

/** Browser: whoever keeps documents of this person, in any tab, keeps them no more. */
export function forgetOwner(owner: string): void {
  tell(owner)
  if (typeof BroadcastChannel === "undefined") return
  const channel = new BroadcastChannel(name)
  channel.postMessage({ forget: owner })
  channel.close()
}
