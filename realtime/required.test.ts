import { describe, expect, it } from "vitest"
import { createAblyPublisher } from "./providers/ably/server.ts"
import { createPusherPublisher } from "./providers/pusher/server.ts"
import { createSocketIoPublisher } from "./providers/socketio/server.ts"

const refusalOf = (create: () => unknown): unknown => {
  try {
    create()
  } catch (error) {
    return error
  }
  return null
}

const pusher = { appId: "1", key: "k", secret: "s", cluster: "eu" }

describe("a publisher without what its provider needs", () => {
  it.each([
    [
      "all keys",
      () => createPusherPublisher({ appId: "", key: "", secret: "", cluster: "" }),
      "PUSHER_APP_ID, PUSHER_KEY, PUSHER_SECRET, PUSHER_CLUSTER or PUSHER_HOST",
    ],
    ["a key of blanks", () => createPusherPublisher({ ...pusher, key: " " }), "missing: PUSHER_KEY."],
    [
      "where it is",
      () => createPusherPublisher({ ...pusher, cluster: "" }),
      "missing: PUSHER_CLUSTER or PUSHER_HOST.",
    ],
    ["a key", () => createAblyPublisher({ apiKey: "" }), "missing: ABLY_API_KEY."],
    [
      "a gateway",
      () => createSocketIoPublisher({ internalUrl: "", secret: "s" }),
      "missing: SOCKET_INTERNAL_URL.",
    ],
  ])("is refused by name: %s", (_, create, named) => {
    expect(refusalOf(create)).toMatchObject({
      code: "invalid-config",
      message: expect.stringContaining(named),
    })
  })

  it("is taken with a host in place of the cluster", () => {
    expect(refusalOf(() => createPusherPublisher({ ...pusher, cluster: "", host: "127.0.0.1" }))).toBeNull()
  })
})
