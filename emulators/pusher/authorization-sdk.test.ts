/** The application's endpoints as the SDK asks them, and what the service makes of their answers. */
import { createServer, type IncomingHttpHeaders } from "node:http"
import type { AddressInfo } from "node:net"
import PusherJs, { type Options } from "pusher-js"
import { describe, expect, it } from "vitest"
import { startPusherEmulator } from "./server.ts"
import { onEachService, type PusherService } from "./services.ts"
import { createSdkClient, createServerLibrary, record, tapSockets, until } from "./test-clients.ts"

interface Asked {
  method?: string
  path?: string
  headers: IncomingHttpHeaders
  form: Record<string, string>
}

type Answer = (form: Record<string, string>) => { status?: number; body: unknown }

const masterKey = Buffer.alloc(32, 1).toString("base64")

/** An application: it answers with what the server library signs, unless told. */
async function startEndpoint(emulator: PusherService, answer?: Answer) {
  const library = createServerLibrary(emulator, undefined, { encryptionMasterKeyBase64: masterKey })
  const asked: Asked[] = []
  const sign: Answer = ({ socket_id = "", channel_name }) => {
    if (channel_name === undefined) return { body: library.authenticateUser(socket_id, { id: "ann" }) }
    const member = channel_name.startsWith("presence-") ? { user_id: "ann" } : undefined
    return { body: library.authorizeChannel(socket_id, channel_name, member) }
  }
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()))
    asked.push({ method: request.method, path: request.url, headers: request.headers, form })
    const { status = 200, body } = (answer ?? sign)(form)
    response.writeHead(status).end(typeof body === "string" ? body : JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/authorize`,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

const connect = (emulator: PusherService, options: Partial<Options>) => createSdkClient(emulator, { options })

describe("the authorization endpoint, as the official SDK asks it", () => {
  it("§3.7a it gets a POST of a form with socket_id, channel_name and the configured parameters", async () => {
    await using emulator = await startPusherEmulator()
    await using endpoint = await startEndpoint(emulator)
    using client = connect(emulator, {
      channelAuthorization: { endpoint: endpoint.url, transport: "ajax", params: { tenant: "a&b" } },
    })
    await client.subscribe("private-room")
    expect(endpoint.asked).toMatchObject([
      {
        method: "POST",
        path: "/authorize",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        form: { socket_id: client.socketId, channel_name: "private-room", tenant: "a&b" },
      },
    ])
  })

  it("§3.7b headers and the providers' values come along, and the providers are asked each time", async () => {
    await using emulator = await startPusherEmulator()
    await using endpoint = await startEndpoint(emulator)
    let count = 0
    using client = connect(emulator, {
      channelAuthorization: {
        endpoint: endpoint.url,
        transport: "ajax",
        headers: { "x-fixed": "fixed" },
        headersProvider: () => ({ "x-count": String(++count) }),
        paramsProvider: () => ({ count: String(count) }),
      },
    })
    await client.subscribe("private-one")
    await client.subscribe("private-two")
    expect(endpoint.asked.map(({ headers }) => [headers["x-fixed"], headers["x-count"]])).toEqual([
      ["fixed", "1"],
      ["fixed", "2"],
    ])
    expect(endpoint.asked.map(({ form }) => form.count)).toEqual(["0", "1"])
  })

  it.each([
    ["§3.3c §3.7c a 403 is told to the channel", 403, "Forbidden", "received status: 403"],
    ["§3.3c §3.7c a 500 is told to the channel", 500, "", "received status: 500"],
    [
      "§3.3c §3.7c a 201 is told to the channel, as no permission either",
      201,
      '{"auth":"app-key:00"}',
      "received status: 201",
    ],
    [
      "§3.3c §3.7d a 200 that isn't JSON is told to the channel",
      200,
      "<html>",
      "was invalid, yet status code was 200",
    ],
  ])("%s, and the service is not asked", async (_what, status, body, message) => {
    using tap = tapSockets()
    await using emulator = await startPusherEmulator()
    await using endpoint = await startEndpoint(emulator, () => ({ status, body }))
    using client = connect(emulator, { channelAuthorization: { endpoint: endpoint.url, transport: "ajax" } })
    const channel = client.pusher.subscribe("private-room")
    const received = record(channel)
    await until(() => received.length === 1)
    expect(received[0]).toMatchObject({
      event: "pusher:subscription_error",
      data: { type: "AuthError", status, error: expect.stringContaining(message) },
    })
    expect(channel.subscriptionPending).toBe(false)
    await client.subscribe("news")
    expect(tap.sentOf("pusher:subscribe").map(({ data }) => (data as { channel: string }).channel)).toEqual([
      "news",
    ])
  })

  onEachService(
    "§3.7e the library's answers to each type of channel are what the service accepts",
    async (emulator) => {
      await using endpoint = await startEndpoint(emulator)
      using client = connect(emulator, {
        channelAuthorization: { endpoint: endpoint.url, transport: "ajax" },
      })
      await client.connected()
      const library = createServerLibrary(emulator, undefined, { encryptionMasterKeyBase64: masterKey })
      const auth = expect.stringMatching(new RegExp(`^${emulator.app().key}:[0-9a-f]{64}$`))
      expect(library.authorizeChannel(client.socketId, "private-a")).toEqual({ auth })
      expect(library.authorizeChannel(client.socketId, "presence-a", { user_id: "ann" })).toEqual({
        auth,
        channel_data: '{"user_id":"ann"}',
      })
      expect(library.authorizeChannel(client.socketId, "private-encrypted-a")).toEqual({
        auth,
        shared_secret: expect.stringMatching(/^[\w+/]{43}=$/),
      })
      for (const name of ["private-a", "presence-a", "private-encrypted-a"]) await client.subscribe(name)
    },
  )

  it("§3.7g a handler may stand in for it, and its error is told without a status", async () => {
    await using emulator = await startPusherEmulator()
    const asked: unknown[] = []
    using client = connect(emulator, {
      channelAuthorization: {
        customHandler: (request, callback) => {
          asked.push(request)
          callback(new Error("not today"), null)
        },
      },
    })
    const received = record(client.pusher.subscribe("private-room"))
    await until(() => received.length > 0)
    expect(asked).toEqual([{ socketId: client.socketId, channelName: "private-room" }])
    expect(received[0]).toEqual({
      event: "pusher:subscription_error",
      data: { type: "AuthError", error: "not today" },
    })
  })

  it("§3.7h the deprecated options still work", async () => {
    await using emulator = await startPusherEmulator()
    await using endpoint = await startEndpoint(emulator)
    const auth = { params: { tenant: "one" }, headers: { "x-fixed": "fixed" } }
    const library = createServerLibrary(emulator)
    const authorizer: Options["authorizer"] = ({ name }) => ({
      authorize: (socketId, callback) => callback(null, library.authorizeChannel(socketId, name)),
    })
    for (const options of [{ authEndpoint: endpoint.url, auth }, { authorizer }]) {
      const client = new PusherJs("app-key", { ...emulator.clientOptions(), ...options })
      const channel = client.subscribe("private-room")
      await until(() => channel.subscribed)
      client.disconnect()
    }
    expect(endpoint.asked).toMatchObject([{ form: { tenant: "one" }, headers: { "x-fixed": "fixed" } }])
  })
})

describe("the authentication endpoint, as the official SDK asks it", () => {
  onEachService(
    "§7a §7b it gets the socket_id in a form, and the library's answer signs in",
    async (emulator) => {
      await using endpoint = await startEndpoint(emulator)
      using client = connect(emulator, { userAuthentication: { endpoint: endpoint.url, transport: "ajax" } })
      client.pusher.signin()
      await until(() => client.pusher.user.user_data)
      expect(client.pusher.user.user_data).toMatchObject({ id: "ann" })
      expect(endpoint.asked).toMatchObject([{ method: "POST", form: { socket_id: client.socketId } }])
      expect(Object.keys(endpoint.asked[0]?.form ?? {})).toEqual(["socket_id"])
    },
  )
})
