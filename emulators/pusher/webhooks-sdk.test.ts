import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import Pusher from "pusher"
import { describe, expect, it } from "vitest"
import { startPusherEmulator } from "./server.ts"
import { createSdkClient, createTestEmulator, join, openSocket, until } from "./test-clients.ts"
import type { WebhookRequest } from "./webhooks.ts"

const url = "http://webhooks.test/pusher"
const library = new Pusher({ appId: "1", key: "app-key", secret: "app-secret", host: "unused" })

/** In hours of the clock a silent socket is closed as well, which is another event. */
const occupiedOnly = { webhooks: [{ url, events: ["channel_occupied"] }] }

/** An emulator whose webhooks end here, read by the official library. */
function createReceiver(settings = {}, status: () => number = () => 200) {
  const requests: WebhookRequest[] = []
  const emulator = createTestEmulator({
    apps: [{ id: "1", key: "app-key", secret: "app-secret", webhooks: [{ url }], ...settings }],
    sendWebhook: async (request) => {
      requests.push(request)
      return status()
    },
  })
  const read = (request: WebhookRequest) => {
    const headers = Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value])
    return library.webhook({ headers: Object.fromEntries(headers), rawBody: request.body })
  }
  return { emulator, requests, read, events: () => requests.flatMap((request) => read(request).getEvents()) }
}

describe("webhooks, read by the official server library", () => {
  it("§11a §11b §11c §11d §11f §11n a webhook is signed, dated, JSON without a charset, one event each", () => {
    const { emulator, requests, read } = createReceiver()
    join(openSocket(emulator), "private-room")
    expect(requests).toHaveLength(1)
    const [request] = requests
    if (!request) throw new Error("no request")
    expect(request.headers["Content-Type"]).toBe("application/json")
    const webhook = read(request)
    expect(webhook.isValid()).toBe(true)
    expect(webhook.getTime().getTime()).toBe(emulator.clock.now())
    expect(webhook.getEvents()).toEqual([{ name: "channel_occupied", channel: "private-room" }])
  })

  it("§11a §11b §11m §11n over HTTP the library finds the webhook valid as it arrives", async () => {
    const valid: boolean[] = []
    const receiver = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const rawBody = Buffer.concat(chunks).toString()
      valid.push(library.webhook({ headers: request.headers, rawBody } as Pusher.WebHookRequest).isValid())
      response.end()
    })
    await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve))
    const { port } = receiver.address() as AddressInfo
    const webhooks = [{ url: `http://127.0.0.1:${port}/` }]
    await using emulator = await startPusherEmulator({
      apps: [{ id: "1", key: "app-key", secret: "app-secret", webhooks }],
    })
    using client = createSdkClient(emulator)
    await client.subscribe("news")
    await until(() => emulator.app().webhooks.deliveries[0]?.state === "delivered")
    expect(valid).toEqual([true])
    receiver.close()
    receiver.closeAllConnections()
  })

  it("§11g §11h members come at once and go after three seconds", () => {
    const { emulator, events } = createReceiver()
    const socket = openSocket(emulator)
    join(socket, "presence-room", { user_id: "ann" })
    expect(events()).toEqual([
      { name: "channel_occupied", channel: "presence-room" },
      { name: "member_added", channel: "presence-room", user_id: "ann" },
    ])
    socket.hangUp()
    emulator.clock.advance(2_999)
    expect(events()).toHaveLength(2)
    emulator.clock.advance(1)
    expect(events().slice(2)).toEqual([
      { name: "member_removed", channel: "presence-room", user_id: "ann" },
      { name: "channel_vacated", channel: "presence-room" },
    ])
  })

  it("§11g who returns within three seconds has never left", () => {
    const { emulator, events } = createReceiver()
    const before = openSocket(emulator)
    join(before, "presence-room", { user_id: "ann" })
    before.hangUp()
    emulator.clock.advance(2_000)
    join(openSocket(emulator), "presence-room", { user_id: "ann" })
    emulator.clock.advance(10_000)
    expect(events().map((event) => event.name)).toEqual(["channel_occupied", "member_added"])
  })

  it("§11i a client event is told with its sender", () => {
    const { emulator, events } = createReceiver({ webhooks: [{ url, events: ["client_event"] }] })
    const socket = openSocket(emulator)
    join(socket, "presence-room", { user_id: "ann" })
    join(socket, "private-room")
    socket.say({ event: "client-typing", channel: "presence-room", data: { is: true } })
    socket.say({ event: "client-typing", channel: "private-room", data: "text" })
    const { socketId: socket_id } = socket
    const common = { name: "client_event", event: "client-typing", socket_id }
    expect(events()).toEqual([
      { ...common, channel: "presence-room", data: { is: true }, user_id: "ann" },
      { ...common, channel: "private-room", data: "text" },
    ])
  })

  it("§11j a cache miss is told once for a channel, however many subscribe", () => {
    const { emulator, events } = createReceiver({ webhooks: [{ url, events: ["cache_miss"] }] })
    for (const socket of [openSocket(emulator), openSocket(emulator)])
      socket.say({ event: "pusher:subscribe", data: { channel: "cache-price" } })
    expect(events()).toEqual([{ name: "cache_miss", channel: "cache-price" }])
  })

  it("§11k the subscription count is told at each change", () => {
    const { emulator, events } = createReceiver({
      subscriptionCount: true,
      webhooks: [{ url, events: ["subscription_count"] }],
    })
    const sockets = [openSocket(emulator), openSocket(emulator)]
    for (const socket of sockets) socket.say({ event: "pusher:subscribe", data: { channel: "news" } })
    join(openSocket(emulator), "presence-room", { user_id: "ann" })
    sockets[0]?.hangUp()
    const common = { name: "subscription_count", channel: "news" }
    expect(events()).toEqual([1, 2, 1].map((subscription_count) => ({ ...common, subscription_count })))
  })

  it("§11k without the app's toggle no count is told", () => {
    const { emulator, events } = createReceiver()
    openSocket(emulator).say({ event: "pusher:subscribe", data: { channel: "news" } })
    expect(events()).toEqual([{ name: "channel_occupied", channel: "news" }])
  })

  it("§11f §11g a channel is occupied by the first and vacated after the last", () => {
    const { emulator, events } = createReceiver()
    const sockets = [openSocket(emulator), openSocket(emulator)]
    for (const socket of sockets) socket.say({ event: "pusher:subscribe", data: { channel: "news" } })
    sockets[0]?.hangUp()
    emulator.clock.advance(10_000)
    expect(events()).toEqual([{ name: "channel_occupied", channel: "news" }])
    sockets[1]?.say({ event: "pusher:unsubscribe", data: { channel: "news" } })
    emulator.clock.advance(2_999)
    expect(events()).toHaveLength(1)
    emulator.clock.advance(1)
    expect(events()[1]).toEqual({ name: "channel_vacated", channel: "news" })
  })

  it("§11f §11g §11h who comes back after having been told gone is told anew", () => {
    const { emulator, events } = createReceiver()
    for (const _ of [1, 2]) {
      const socket = openSocket(emulator)
      join(socket, "presence-room", { user_id: "ann" })
      socket.hangUp()
      emulator.clock.advance(3_000)
    }
    const once = ["channel_occupied", "member_added", "member_removed", "channel_vacated"]
    expect(events().map(({ name }) => name)).toEqual([...once, ...once])
  })

  it("§11g who leaves again within three seconds of coming back is waited for anew", () => {
    const { emulator, events } = createReceiver()
    const visit = () => {
      const socket = openSocket(emulator)
      socket.say({ event: "pusher:subscribe", data: { channel: "news" } })
      socket.hangUp()
    }
    visit()
    emulator.clock.advance(2_000)
    visit()
    emulator.clock.advance(2_999)
    expect(events().map(({ name }) => name)).toEqual(["channel_occupied"])
    emulator.clock.advance(1)
    expect(events().map(({ name }) => name)).toEqual(["channel_occupied", "channel_vacated"])
  })

  it("§11m a webhook is valid for its app's token alone, or an extra one that is", () => {
    const { emulator, requests } = createReceiver()
    openSocket(emulator).say({ event: "pusher:subscribe", data: { channel: "news" } })
    const [request] = requests
    if (!request) throw new Error("no request")
    const isValid = (key: string, secret: string, rawBody = request.body, extra: Pusher.Token[] = []) =>
      new Pusher({ appId: "1", key, secret, host: "unused" })
        .webhook({
          headers: {
            "content-type": String(request.headers["Content-Type"]),
            "x-pusher-key": String(request.headers["X-Pusher-Key"]),
            "x-pusher-signature": String(request.headers["X-Pusher-Signature"]),
          },
          rawBody,
        })
        .isValid(extra)
    const token = { key: "app-key", secret: "app-secret" }
    expect(isValid("app-key", "app-secret")).toBe(true)
    expect(isValid("app-key", "wrong")).toBe(false)
    expect(isValid("other", "app-secret")).toBe(false)
    expect(isValid("app-key", "app-secret", `${request.body} `)).toBe(false)
    expect(isValid("other", "other", request.body, [token])).toBe(true)
  })

  it("of an emulator that has stopped nobody is told", () => {
    const { emulator, events } = createReceiver()
    openSocket(emulator).say({ event: "pusher:subscribe", data: { channel: "news" } })
    emulator.stop()
    emulator.clock.advance(10_000)
    expect(events()).toEqual([{ name: "channel_occupied", channel: "news" }])
  })

  it("with a skewed clock a webhook comes from the future", () => {
    const { emulator, requests, read } = createReceiver()
    emulator.faults.inject({ kind: "clock-skew", skewMs: 3_600_000 })
    openSocket(emulator).say({ event: "pusher:subscribe", data: { channel: "news" } })
    const [request] = requests
    if (!request) throw new Error("no request")
    expect(read(request).getTime().getTime()).toBe(emulator.clock.now() + 3_600_000)
  })

  it("§11d with batching, events that come together go together", () => {
    const { emulator, requests, events } = createReceiver({ batchWebhooks: true })
    const socket = openSocket(emulator)
    for (const channel of ["a", "b", "c"]) socket.say({ event: "pusher:subscribe", data: { channel } })
    emulator.clock.advance(1_000)
    expect(requests).toHaveLength(1)
    expect(events()).toHaveLength(3)
  })

  it("§11e a webhook that isn't answered 2xx is sent again, ever later, for five minutes", async () => {
    const { emulator, requests } = createReceiver(occupiedOnly, () => 500)
    openSocket(emulator).say({ event: "pusher:subscribe", data: { channel: "news" } })
    const started = emulator.clock.now()
    const attempts: number[] = []
    const delivery = () => emulator.app().webhooks.deliveries[0]
    while (delivery()?.state === "pending") {
      attempts.push(emulator.clock.now() - started)
      // The answer is a promise, so it needs a turn of the real loop before the next wait begins.
      await new Promise((resolve) => setImmediate(resolve))
      emulator.clock.advance(1_000 * 2 ** (attempts.length - 1))
    }
    expect(attempts.slice(0, 5)).toEqual([0, 1_000, 3_000, 7_000, 15_000])
    expect(delivery()).toMatchObject({ state: "failed", status: 500, attempts: requests.length })
    expect(Math.max(...attempts)).toBeLessThanOrEqual(5 * 60_000)
    expect(new Set(requests.map(({ body }) => body)).size).toBe(1)
  })

  it.each([
    [199, "pending"],
    [200, "delivered"],
    [299, "delivered"],
    [300, "pending"],
  ])("§11e an answer of %i leaves a webhook %s", async (status, state) => {
    const { emulator } = createReceiver(occupiedOnly, () => status)
    openSocket(emulator).say({ event: "pusher:subscribe", data: { channel: "news" } })
    await until(() => emulator.app().webhooks.deliveries[0]?.status === status)
    expect(emulator.app().webhooks.deliveries[0]?.state).toBe(state)
  })

  it("no webhook tells of a user's own channel", () => {
    const { emulator, events } = createReceiver({ subscriptionCount: true })
    const socket = openSocket(emulator)
    const answer = library.authenticateUser(socket.socketId, { id: "ann" })
    socket.say({ event: "pusher:signin", data: answer })
    socket.say({ event: "pusher:subscribe", data: { channel: "#server-to-user-ann", auth: "" } })
    expect(emulator.app().channels.get("#server-to-user-ann")?.subscribers.size).toBe(1)
    socket.hangUp()
    emulator.clock.advance(10_000)
    expect([events(), socket.of("pusher_internal:subscription_count")]).toEqual([[], []])
  })

  it("§11e a webhook that is answered at last is not sent again", async () => {
    let calls = 0
    const { emulator } = createReceiver(occupiedOnly, () => (++calls < 2 ? 503 : 204))
    openSocket(emulator).say({ event: "pusher:subscribe", data: { channel: "news" } })
    await new Promise((resolve) => setImmediate(resolve))
    emulator.clock.advance(1_000)
    await until(() => emulator.app().webhooks.deliveries[0]?.state === "delivered")
    emulator.clock.advance(10 * 60_000)
    expect(calls).toBe(2)
  })
})
