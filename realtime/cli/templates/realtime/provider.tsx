"use client"
import { createThroughline } from "throughline/react"

// A page downloads the code of the provider in use, and of no other.
export const Throughline = createThroughline({
  socketio: () => import("throughline/socketio/client"),
  pusher: () => import("throughline/pusher/client"),
  ably: () => import("throughline/ably/client"),
})
