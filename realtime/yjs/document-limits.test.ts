import { expect, it } from "vitest"
import { ablyCapabilities } from "../providers/ably/capabilities.ts"
import { pusherCapabilities } from "../providers/pusher/capabilities.ts"
import { socketIoCapabilities } from "../providers/socketio/capabilities.ts"
import { limitsOf } from "./document-limits.ts"

it.each([
  ["Socket.IO", socketIoCapabilities, 24_276, 100],
  ["Pusher", pusherCapabilities, 7_200, 250],
  ["Ably", ablyCapabilities, 24_276, 250],
  ["a provider that isn't known yet", null, 7_200, 250],
])("takes of %s what it delivers at once, at its price", (_, capabilities, maxBytes, windowMs) => {
  expect(limitsOf(capabilities, 32 * 1024)).toEqual({ maxBytes, windowMs })
})

it("leaves room for something, however small a payload may be", () => {
  expect(limitsOf(null, 100).maxBytes).toBe(1)
})
