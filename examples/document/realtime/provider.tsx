"use client"
import { createThroughline } from "throughline/react"

export const Throughline = createThroughline({
  socketio: () => import("throughline/socketio/client"),
  pusher: () => import("throughline/pusher/client"),
  ably: () => import("throughline/ably/client"),
})
