// @vitest-environment jsdom
import { HttpResponse, http } from "msw/http"
import { setupServer } from "msw/node"
import Pusher from "pusher"
// The build for browsers: the one for Node doesn't use the global WebSocket, so msw can't see it.
import PusherJs from "pusher-js/dist/web/pusher.js"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { createPusherEmulator } from "./emulator.ts"
import { pusherHandlers } from "./msw.ts"
import { md5Hex } from "./signatures.ts"
import { record, until } from "./test-clients.ts"

const emulator = createPusherEmulator({
  // The client uses TLS there, unless told otherwise.
  apps: [
    { id: "1", key: "app-key", secret: "app-secret", cluster: "eu", forceTLS: true },
    { id: "2", key: "own-key", secret: "own-secret", allowedOrigins: [location.origin] },
    { id: "3", key: "other-key", secret: "other-secret", allowedOrigins: ["https://other.example"] },
  ],
})
const library = new Pusher({ appId: "1", key: "app-key", secret: "app-secret", cluster: "eu", useTLS: true })
const server = setupServer(...pusherHandlers(emulator))

beforeAll(() => server.listen({ onUnhandledFrame: "error" }))
afterAll(() => {
  emulator.stop()
  server.close()
})

/** pusher-js with nothing said of hosts or ports: it goes where it would in production. */
function createClient(key = "app-key", cluster = "eu") {
  const pusher = new PusherJs(key, {
    cluster,
    enabledTransports: ["ws", "wss"],
    channelAuthorization: {
      customHandler: ({ socketId, channelName }, callback) =>
        callback(null, library.authorizeChannel(socketId, channelName, { user_id: socketId })),
    },
  })
  return { pusher, [Symbol.dispose]: () => pusher.disconnect() }
}

describe("at the production host names, by msw", () => {
  it("§1.1b §10a the browser's SDK and the server library meet at pusher.com", async () => {
    using client = createClient()
    using other = createClient()
    const channel = client.pusher.subscribe("presence-room")
    const received = record(other.pusher.subscribe("presence-room"))
    await until(
      () => channel.subscribed && received.some(({ event }) => event === "pusher:subscription_succeeded"),
    )
    await library.trigger("presence-room", "greeting", { hello: "world" })
    channel.trigger("client-typing", { is: true })
    await until(() => received.some(({ event }) => event === "client-typing"))
    expect(received).toContainEqual({ event: "greeting", data: { hello: "world" } })
    const response = await library.get({ path: "/channels/presence-room", params: { info: "user_count" } })
    expect(await response.json()).toEqual({ occupied: true, user_count: 2 })
  })

  it.each([
    ["an unknown key", "nobody", "eu"],
    ["a key of another cluster", "app-key", "us2"],
  ])("§1.3j §8l %s is closed with 4001", async (_what, key, cluster) => {
    using client = createClient(key, cluster)
    const errors: unknown[] = []
    client.pusher.connection.bind("error", (error: unknown) => errors.push(error))
    await until(() => client.pusher.connection.state === "disconnected")
    expect(errors[0]).toMatchObject({ error: { data: { code: 4001 } } })
  })

  it("an app that allows only some origins is asked with the page's", async () => {
    using client = createClient("own-key")
    using refused = createClient("other-key")
    const errors: unknown[] = []
    refused.pusher.connection.bind("error", (error: unknown) => errors.push(error))
    await until(() => client.pusher.connection.state === "connected")
    await until(() => refused.pusher.connection.state === "disconnected")
    expect(errors[0]).toMatchObject({ error: { data: { code: 4009, message: "Origin not allowed" } } })
  })

  it("§3.7f the endpoints are /pusher/auth and /pusher/user-auth of the page, unless told", async () => {
    const asked: string[] = []
    server.use(
      http.post(`${location.origin}/pusher/:endpoint`, async ({ request }) => {
        const { pathname } = new URL(request.url)
        const form = new URLSearchParams(await request.text())
        const [socketId = "", channel] = [form.get("socket_id") ?? "", form.get("channel_name")]
        asked.push(pathname)
        return HttpResponse.json(
          channel === null
            ? library.authenticateUser(socketId, { id: "ann" })
            : library.authorizeChannel(socketId, channel),
        )
      }),
    )
    const pusher = new PusherJs("app-key", { cluster: "eu", enabledTransports: ["ws", "wss"] })
    const channel = pusher.subscribe("private-room")
    await until(() => channel.subscribed)
    pusher.signin()
    await until(() => emulator.app().users.connectionsOf("ann").length === 1)
    expect(asked).toEqual(["/pusher/auth", "/pusher/user-auth"])
    pusher.disconnect()
  })

  it("§10c §10.1a §10.1b §10.1d §10.2t what the library sends: a trigger's parameters in the body, a get's in the query", async () => {
    const requests: Request[] = []
    server.events.on("request:start", ({ request }) => {
      requests.push(request.clone())
    })
    const info = "user_count,subscription_count"
    await library.trigger("presence-room", "event", { a: 1 }, { socket_id: "1.2", info: "user_count" })
    await library.get({ path: "/channels/presence-room", params: { info } }).catch(() => {})
    server.events.removeAllListeners()
    const [post, get] = requests
    if (!post || !get) throw new Error("no requests")

    expect(post.headers.get("content-type")).toBe("application/json")
    expect(post.headers.get("x-pusher-library")).toMatch(/^pusher-http-node 5\./)
    const body = await post.text()
    expect(JSON.parse(body)).toEqual({
      name: "event",
      data: '{"a":1}',
      channels: ["presence-room"],
      socket_id: "1.2",
      info: "user_count",
    })
    const common = { auth_key: "app-key", auth_version: "1.0" }
    const signed = {
      ...common,
      auth_timestamp: expect.stringMatching(/^\d{10}$/),
      auth_signature: expect.stringMatching(/^[0-9a-f]{64}$/),
    }
    const queryOf = ({ url }: Request) => Object.fromEntries(new URL(url).searchParams)
    expect(queryOf(post)).toEqual({ ...signed, body_md5: md5Hex(body) })
    expect(queryOf(get)).toEqual({ ...signed, info })
    expect(get.url).toContain(`info=${info}`)
    expect(get.headers.get("content-type")).toBeNull()
  })

  it("§10.1h refusals are real statuses", async () => {
    const stranger = new Pusher({ appId: "1", key: "app-key", secret: "wrong", cluster: "eu" })
    await expect(stranger.trigger("news", "event", {})).rejects.toMatchObject({ status: 401 })
  })

  it("faults act here too: a cut, a lost answer", async () => {
    using client = createClient()
    await until(() => client.pusher.connection.state === "connected")
    const before = client.pusher.connection.socket_id
    emulator.dropConnections()
    await until(
      () => client.pusher.connection.state === "connected" && client.pusher.connection.socket_id !== before,
    )
    emulator.faults.inject({ kind: "http-cut", at: "response", times: 1 })
    await expect(library.trigger("news", "event", {})).rejects.toThrow("Request failed")
  })
})
