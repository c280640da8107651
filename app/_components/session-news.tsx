"use client"
import { useEffect } from "react"

const name = "throughline.session"
const isSupported = typeof BroadcastChannel !== "undefined"

/** Tells this browser's pages, this one too, who is signed in by now: an id, or null for nobody or somebody else. */
export function tellSession(userId: string | null): void {
  if (!isSupported) return
  const channel = new BroadcastChannel(name)
  channel.postMessage(userId)
  channel.close()
}

/** Calls back with what pages of this browser tell. Returns how to stop it. */
export function onSessionTold(listener: (userId: string | null) => void): () => void {
  if (!isSupported) return () => {}
  const channel = new BroadcastChannel(name)
  channel.onmessage = ({ data }: MessageEvent<string | null>) => listener(data)
  return () => channel.close()
}

/** In each page that the server renders for whoever is signed in: by it the other tabs hear of a sign-in and a sign-out. */
export function SessionNews({ userId }: { userId: string | null }) {
  useEffect(() => tellSession(userId), [userId])
  return null
}
