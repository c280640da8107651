import { describe, expect, it } from "vitest"
import { startPusherEmulator } from "./server.ts"
import { onEachService } from "./services.ts"
import { createSdkClient, createServerLibrary, type SdkClient, until } from "./test-clients.ts"

const app = { id: "1", key: "app-key", secret: "app-secret" }

const hearsTheServer = ({ pusher }: SdkClient) => pusher.user.serverToUserChannel?.subscribed

describe("users, by the official SDKs", () => {
  onEachService(
    "§7e §7j a signed-in user gets what the server sends to them, on every connection",
    async (emulator) => {
      const library = createServerLibrary(emulator)
      using first = createSdkClient(emulator, { user: { id: "ann" } })
      using second = createSdkClient(emulator, { user: { id: "ann" } })
      using stranger = createSdkClient(emulator, { user: { id: "bob" } })
      const received: string[] = []
      for (const [name, client] of Object.entries({ first, second, stranger })) {
        client.pusher.signin()
        client.pusher.user.bind("greeting", (data: string) => received.push(`${name} ${data}`))
      }
      await until(() => [first, second, stranger].every(hearsTheServer))
      await library.sendToUser("ann", "greeting", "hello")
      await library.sendToUser("bob", "greeting", "hi")
      await until(() => received.length === 3)
      expect(received.sort()).toEqual(["first hello", "second hello", "stranger hi"])
    },
  )

  it("§7i a sign-in is repeated after a reconnect", async () => {
    await using emulator = await startPusherEmulator()
    using client = createSdkClient(emulator, { user: { id: "ann" } })
    client.pusher.signin()
    await until(() => emulator.app().users.connectionsOf("ann").length === 1)
    const before = client.socketId
    emulator.dropConnections()
    await until(() => client.socketId !== before && emulator.app().users.connectionsOf("ann").length === 1)
  })

  it.each([
    ["a wrong signature", { auth: "app-key:00", user_data: '{"id":"ann"}' }, "Invalid signature"],
    [
      "another app's key",
      { auth: "other:00", user_data: '{"id":"ann"}' },
      "Invalid key in signin auth data: 'other'",
    ],
  ])("§7g §8s a sign-in with %s is told as 4009, then closed with 4009", async (_what, answer, message) => {
    await using emulator = await startPusherEmulator()
    using client = createSdkClient(emulator, {
      options: { userAuthentication: { customHandler: (_, callback) => callback(null, answer) } },
    })
    client.pusher.signin()
    await until(() => client.pusher.connection.state === "disconnected")
    expect(client.errors[0]).toMatchObject({ code: 4009, message: expect.stringContaining(message) })
    expect(client.errors[1]).toEqual({ code: 4009, message: "Connection is unauthorized" })
  })

  it("§7e the users' own channels are in no list", async () => {
    await using emulator = await startPusherEmulator()
    using client = createSdkClient(emulator, { user: { id: "ann" } })
    client.pusher.signin()
    await until(() => hearsTheServer(client))
    const response = await createServerLibrary(emulator).get({ path: "/channels" })
    expect(await response.json()).toEqual({ channels: {} })
  })

  onEachService(
    "§7q §7r §10.2o terminating a user closes all their connections, for good",
    async (emulator) => {
      const library = createServerLibrary(emulator)
      using first = createSdkClient(emulator, { user: { id: "ann" } })
      using second = createSdkClient(emulator, { user: { id: "ann" } })
      using other = createSdkClient(emulator, { user: { id: "bob" } })
      for (const client of [first, second, other]) client.pusher.signin()
      await until(() => [first, second, other].every(hearsTheServer))
      await expect(library.terminateUserConnections("ann")).resolves.toMatchObject({ status: 200 })
      await until(() => [first, second].every((client) => client.pusher.connection.state === "disconnected"))
      expect(first.errors[0]?.code).toBe(4009)
      expect(other.pusher.connection.state).toBe("connected")
      await expect(library.terminateUserConnections("nobody")).resolves.toMatchObject({ status: 200 })
    },
  )

  it("§7k §7l §7m a watchlist tells how it stands, then of first sign-ins and last departures", async () => {
    await using emulator = await startPusherEmulator()
    using bob = createSdkClient(emulator, { user: { id: "bob" } })
    bob.pusher.signin()
    await until(() => emulator.app().users.connectionsOf("bob").length === 1)

    using ann = createSdkClient(emulator, { user: { id: "ann", watchlist: ["bob", "cleo"] } })
    const seen: string[] = []
    for (const name of ["online", "offline"])
      ann.pusher.user.watchlist.bind(name, ({ user_ids }: { user_ids: string[] }) =>
        seen.push(`${name} ${user_ids}`),
      )
    ann.pusher.signin()
    await until(() => seen.length === 2)
    const cleo = [
      createSdkClient(emulator, { user: { id: "cleo" } }),
      createSdkClient(emulator, { user: { id: "cleo" } }),
    ]
    for (const tab of cleo) tab.pusher.signin()
    await until(() => emulator.app().users.connectionsOf("cleo").length === 2)
    for (const tab of cleo) tab[Symbol.dispose]()
    await until(() => seen.length === 4)
    expect(seen).toEqual(["online bob", "offline cleo", "online cleo", "offline cleo"])
  })

  it("§7n §8y of a watchlist of 101 the first 100 count, and 4302 is told", async () => {
    await using emulator = await startPusherEmulator()
    const watchlist = Array.from({ length: 101 }, (_, index) => `user-${index}`)
    using client = createSdkClient(emulator, { user: { id: "ann", watchlist } })
    let watched: string[] = []
    client.pusher.user.watchlist.bind("offline", ({ user_ids }: { user_ids: string[] }) => {
      watched = user_ids
    })
    client.pusher.signin()
    await until(() => client.errors.length === 1 && watched.length > 0)
    expect(client.errors[0]).toEqual({ code: 4302, message: "Watchlist limit exceeded" })
    expect(watched).toEqual(watchlist.slice(0, 100))
    expect(client.pusher.connection.state).toBe("connected")
  })

  it("without the app's toggle no watchlist is told", async () => {
    await using emulator = await startPusherEmulator({ apps: [{ ...app, watchlistEvents: false }] })
    using client = createSdkClient(emulator, { user: { id: "ann", watchlist: ["bob"] } })
    const events: string[] = []
    client.pusher.connection.bind("message", ({ event }: { event: string }) => events.push(event))
    client.pusher.signin()
    await client.subscribe("news")
    await until(() => emulator.app().channels.get("#server-to-user-ann"))
    expect(events).not.toContain("pusher_internal:watchlist_events")
  })

  it("§7f nobody subscribes to another user's channel", async () => {
    await using emulator = await startPusherEmulator()
    using client = createSdkClient(emulator, { user: { id: "ann" } })
    await client.connected()
    const refusals: unknown[] = []
    client.pusher.bind("pusher:subscription_error", (data: unknown) => refusals.push(data))
    client.pusher.send_event("pusher:subscribe", { channel: "#server-to-user-bob", auth: "" })
    await until(() => refusals.length === 1)
    const error = "Not signed in as the user of #server-to-user-bob"
    expect(refusals).toEqual([{ type: "AuthError", error, status: 401 }])
    expect(emulator.app().channels.get("#server-to-user-bob")).toBeUndefined()
  })
})
