"use client"
import { useEffect } from "react"

/** Null in a browser that has none for this page: its tabs learn of it from the server, when they are looked at. */
function openChannel(): BroadcastChannel | null {
  try {
    return new BroadcastChannel("throughline.session")
  } catch {
    return null
  }
}

/** Tells this browser's pages, this one too, who is signed in by now: an id, or null for nobody or somebody else. */
export function tellSession(userId: string | null): void {
  const channel = openChannel()
  channel?.postMessage(userId)
  channel?.close()
}

/** Calls back with what pages of this browser tell. Returns how to stop it. */
export function onSessionTold(listener: (userId: string | null) => void): () => void {
  const channel = openChannel()
  if (channel) channel.onmessage = ({ data }: MessageEvent<string | null>) => listener(data)
  return () => channel?.close()
}

/** In each page that the server renders for whoever is signed in: by it the other tabs hear of a sign-in and a sign-out. */
export function SessionNews({ userId }: { userId: string | null }) {
  useEffect(() => tellSession(userId), [userId])
  return null
}
