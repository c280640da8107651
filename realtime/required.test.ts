import { describe, expect, it } from "vitest"
import type { TransportOptions } from "./client/create-realtime-client.ts"
import type { JsonValue } from "./json.ts"
import { createAblyTransport } from "./providers/ably/client.ts"
import { createAblyPublisher } from "./providers/ably/server.ts"
import { createPusherTransport } from "./providers/pusher/client.ts"
import { createPusherPublisher } from "./providers/pusher/server.ts"
import { createSocketIoTransport } from "./providers/socketio/client.ts"
import { createSocketIoPublisher } from "./providers/socketio/server.ts"
import type { RealtimeTransport } from "./transport.ts"

const refusalOf = (create: () => unknown): unknown => {
  try {
    create()
  } catch (error) {
    return error
  }
  return null
}

const pusher = { appId: "1", key: "k", secret: "s", cluster: "eu" }

const transportOf =
  (create: (options: TransportOptions) => RealtimeTransport, config: Record<string, JsonValue>) => () =>
    create({
      config: { provider: "x", ...config },
      credentials: () => Promise.reject(new Error("nobody should ask")),
      onError: undefined,
    })

describe("a page's transport", () => {
  it.each([
    ["no key", createPusherTransport, { key: "", cluster: "eu" }, "missing: PUSHER_KEY."],
    [
      "nowhere to connect to",
      createPusherTransport,
      { key: "k", cluster: "" },
      "missing: PUSHER_CLUSTER or PUSHER_HOST.",
    ],
    ["nothing at all", createPusherTransport, {}, "missing: PUSHER_KEY, PUSHER_CLUSTER or PUSHER_HOST."],
    ["a host of blanks", createPusherTransport, { key: "k", cluster: "eu", host: " " }, "PUSHER_HOST"],
    [
      "ports in words",
      createPusherTransport,
      { key: "k", cluster: "eu", host: "h", port: "6001", tls: "false" },
      "port, tls",
    ],
    [
      "an empty host",
      createAblyTransport,
      { endpoint: "" },
      "malformed in the page's configuration: endpoint.",
    ],
    ["a port in words", createAblyTransport, { endpoint: "h", port: "6002" }, "port."],
    ["an empty address", createSocketIoTransport, { url: "" }, "url."],
  ] as const)("with %s is refused when it is made", (_, create, config, named) => {
    expect(refusalOf(transportOf(create, config))).toMatchObject({
      code: "invalid-config",
      message: expect.stringContaining(named),
    })
  })

  it.each([
    [createPusherTransport, { key: "k", cluster: "eu" }],
    [createPusherTransport, { key: "k", cluster: "", host: "127.0.0.1", port: 6001, tls: false }],
    [createAblyTransport, {}],
    [createAblyTransport, { endpoint: "127.0.0.1", port: 6002, tls: false }],
    [createSocketIoTransport, {}],
  ] as const)("is made of what publishers say: %o %j", (create, config) => {
    expect(refusalOf(transportOf(create, config))).toBeNull()
  })
})

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
