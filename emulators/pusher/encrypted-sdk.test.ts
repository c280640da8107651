/** The build of pusher-js that opens encrypted channels in a browser, which needs a page to stand in. */
import { createHash } from "node:crypto"
import Pusher from "pusher"
import { describe, expect, it, vi } from "vitest"
import { startPusherEmulator } from "./server.ts"
import { onEachService, type PusherService } from "./services.ts"
import { createTestEmulator, join, openSocket, record, tapSockets, until } from "./test-clients.ts"

// Not jsdom's, under which NaCl of the server library doesn't know its own arrays.
vi.stubGlobal("window", globalThis)
vi.stubGlobal("self", globalThis)
vi.stubGlobal("document", {
  body: {},
  get location() {
    return { protocol: "http:" }
  },
})
vi.stubGlobal("addEventListener", () => {})
const { default: PusherJs } = await import("pusher-js/with-encryption")

const keyOf = (byte: number) => Buffer.alloc(32, byte).toString("base64")
const room = "private-encrypted-room"

function createLibrary(emulator: PusherService, byte = 1): Pusher {
  return new Pusher({ ...emulator.serverOptions(), encryptionMasterKeyBase64: keyOf(byte) })
}

function createClient(emulator: PusherService, library: () => Pusher) {
  let asked = 0
  const pusher = new PusherJs(emulator.app().key, {
    ...emulator.clientOptions(),
    channelAuthorization: {
      customHandler: ({ socketId, channelName }, callback) => {
        asked += 1
        callback(null, library().authorizeChannel(socketId, channelName))
      },
    },
  })
  return {
    pusher,
    get asked() {
      return asked
    },
    async subscribe(name: string) {
      const channel = pusher.subscribe(name)
      await until(() => channel.subscribed)
      return channel
    },
    [Symbol.dispose]: () => pusher.disconnect(),
  }
}

describe("encrypted channels, by the build with encryption", () => {
  onEachService(
    "§2c §6b §6c §6e what the library has encrypted arrives in the clear, and only the two can read it",
    async (emulator) => {
      using tap = tapSockets(PusherJs.Runtime)
      const library = createLibrary(emulator)
      using client = createClient(emulator, () => library)
      const received = record(await client.subscribe(room))
      await library.trigger(room, "greeting", { secret: "word" })
      await library.trigger(room, "text", "a secret word")
      await until(() => received.length === 2)
      expect(received).toEqual([
        { event: "greeting", data: { secret: "word" } },
        { event: "text", data: "a secret word" },
      ])
      expect(tap.received.map((text) => JSON.parse(String(text)))).toMatchObject([
        { event: "pusher:connection_established" },
        { event: "pusher_internal:subscription_succeeded", channel: room },
        { event: "greeting", channel: room },
        { event: "text", channel: room },
      ])
      expect(JSON.stringify(tap.received)).not.toContain("word")
    },
  )

  onEachService(
    "§3.6f §3.6g the shared secret is made of the channel's name and the master key, and stays with the client",
    async (emulator) => {
      using tap = tapSockets(PusherJs.Runtime)
      const library = createLibrary(emulator)
      using client = createClient(emulator, () => library)
      await client.subscribe(room)
      const { shared_secret } = library.authorizeChannel(client.pusher.connection.socket_id, room)
      const hash = createHash("sha256").update(room).update(Buffer.alloc(32, 1)).digest("base64")
      expect(shared_secret).toBe(hash)
      expect(tap.sent.map(({ data }) => Object.keys(data as object))).toEqual([["auth", "channel"]])
    },
  )

  it("§2c without a shared_secret the client doesn't subscribe", async () => {
    using tap = tapSockets(PusherJs.Runtime)
    await using emulator = await startPusherEmulator()
    const library = createLibrary(emulator)
    using client = createClient(
      emulator,
      () =>
        ({
          authorizeChannel: (id: string, name: string) => ({ auth: library.authorizeChannel(id, name).auth }),
        }) as Pusher,
    )
    const received = record(client.pusher.subscribe(room))
    await until(() => received.length === 1)
    expect(received[0]).toMatchObject({ event: "pusher:subscription_error" })
    await client.subscribe("private-marker")
    expect(tap.sent.map(({ data }) => (data as { channel: string }).channel)).toEqual(["private-marker"])
  })

  onEachService(
    "§6a §6c what the library sends is a nonce of 24 bytes and a ciphertext, which the service passes on as they are",
    async (emulator) => {
      using tap = tapSockets(PusherJs.Runtime)
      const library = createLibrary(emulator)
      using client = createClient(emulator, () => library)
      const received = record(await client.subscribe("private-encrypted-cache-room"))
      await library.trigger("private-encrypted-cache-room", "greeting", "hello")
      await until(() => received.some(({ event }) => event === "greeting"))
      const data = String(tap.receivedOf("greeting")[0]?.data)
      const { nonce, ciphertext, ...others } = JSON.parse(data)
      expect(Buffer.from(nonce, "base64")).toHaveLength(24)
      // NaCl adds sixteen bytes to the seven of "hello" as JSON.
      expect(Buffer.from(ciphertext, "base64")).toHaveLength(16 + 7)
      expect(others).toEqual({})
      // The next one begins with it, as it was.
      using later = createClient(emulator, () => library)
      await later.subscribe("private-encrypted-cache-room")
      await until(() => tap.receivedOf("greeting").length === 2)
      expect(tap.receivedOf("greeting")[1]?.data).toBe(data)
    },
  )

  onEachService(
    "§6d an event of another key makes the client ask once more, and then it can read it",
    async (emulator) => {
      let byte = 1
      using client = createClient(emulator, () => createLibrary(emulator, byte))
      const received = record(await client.subscribe(room))
      byte = 2
      await createLibrary(emulator, 2).trigger(room, "greeting", "of the new key")
      await until(() => received.length === 1)
      expect(received).toEqual([{ event: "greeting", data: "of the new key" }])
      expect(client.asked).toBe(2)
      // Of this one it isn't told, after one more attempt.
      await createLibrary(emulator, 3).trigger(room, "greeting", "of a key that nobody tells")
      await createLibrary(emulator, 2).trigger(room, "last", {})
      await until(() => received.length === 2)
      expect(received[1]?.event).toBe("last")
      expect(client.asked).toBe(3)
    },
  )

  it("§6f the library refuses to name an encrypted channel beside another", async () => {
    await using emulator = await startPusherEmulator()
    const library = createLibrary(emulator)
    expect(() => library.trigger([room, "news"], "event", {})).toThrow("cannot trigger to multiple channels")
    expect(emulator.app().messages).toBe(0)
  })

  it("§5c the client throws at a client event", async () => {
    await using emulator = await startPusherEmulator()
    const library = createLibrary(emulator)
    using client = createClient(emulator, () => library)
    const channel = await client.subscribe(room)
    expect(() => channel.trigger("client-typing", {})).toThrow(
      "not currently supported for encrypted channels",
    )
  })

  it("§1.1h on a page that came by https the client uses TLS, whatever it is told", async () => {
    using tap = tapSockets(PusherJs.Runtime)
    await using emulator = await startPusherEmulator()
    vi.spyOn(document, "location", "get").mockReturnValue({ protocol: "https:" } as Location)
    using client = createClient(emulator, () => createLibrary(emulator))
    await until(() => tap.urls.length > 0)
    expect([client.pusher.config.useTLS, emulator.clientOptions().forceTLS]).toEqual([true, false])
    expect(tap.urls[0]).toMatch(/^wss:/)
    vi.restoreAllMocks()
  })

  it("§5e the service refuses a client event that a client sends there all the same", () => {
    const emulator = createTestEmulator()
    const [sender, receiver] = [openSocket(emulator), openSocket(emulator)]
    for (const socket of [sender, receiver]) join(socket, "private-encrypted-room")
    sender.say({ event: "client-typing", channel: "private-encrypted-room", data: {} })
    expect(sender.frames.at(-1)).toMatchObject({ event: "pusher:error", data: { code: null } })
    expect(receiver.of("client-typing")).toEqual([])
  })
})
