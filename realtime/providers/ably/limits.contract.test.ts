import { contractChannels } from "throughline/testing"
import { type AblyEmulatorOptions, startAblyEmulator } from "throughline-emulators/ably"
import { describe, expect, it } from "vitest"
import { RealtimeError } from "../../errors.ts"
import type { JsonValue } from "../../json.ts"
import type { WireMessage } from "../../message.ts"
import { createFaultStage } from "../../testing/fault-stage.ts"
import { waitFor } from "../../testing/wait-for.ts"
import { createAblyTransport } from "./client.ts"
import { createAblyPublisher } from "./server.ts"

async function startAbly(options: AblyEmulatorOptions = {}) {
  const emulator = await startAblyEmulator({ apps: [{ keys: [{ revocableTokens: true }] }], ...options })
  const { endpoint, port, tls } = emulator.clientOptions
  const publisher = createAblyPublisher({ apiKey: emulator.key, endpoint, port, tls })
  const stage = createFaultStage({
    publisher,
    createTransport: (options) => createAblyTransport({ ...options, retryMs: 20 }),
  })
  return {
    ...stage,
    emulator,
    publisher,
    async [Symbol.asyncDispose]() {
      await stage[Symbol.asyncDispose]()
      await emulator.close()
    },
  }
}

const room = (index: number) => contractChannels.room({ room: `${"日本語の部屋".repeat(10)}${index}` })

describe("a batch on Ably", () => {
  it.each([
    ["of more than 2 MiB", 100, 30_000],
    ["to more than a hundred channels", 130, 10],
  ])("%s goes in several requests, and arrives whole", async (_, count, size) => {
    await using ably = await startAbly()
    const watched = [0, count - 1].map((index) => ably.openPage().join(room(index)))
    await Promise.all(watched.map(({ subscription }) => subscription.ready))
    const text = "x".repeat(size)
    const entries = Array.from({ length: count }, (_, index) => ({
      channel: room(index),
      event: "said",
      payload: { text },
    }))
    await ably.realtime.publishBatch(entries)
    await waitFor(() => watched.every(({ texts }) => texts.length === 1))
    expect(watched.map(({ texts }) => texts[0]?.length)).toEqual([size, size])
    expect(ably.told).toEqual([])
  })

  it("of which one part is refused for good and another in passing is worth another try", async () => {
    await using ably = await startAbly({
      limits: { maxMessageSize: 500, maxChannelRate: 1, rateWindow: 1000 },
    })
    const message = (channel: string, text: string): WireMessage => ({
      ...{ id: crypto.randomUUID(), channel, seq: 1, epoch: "e", event: "said", payload: { text } },
      ...{ from: null, at: 1 },
    })
    await ably.publisher.publish([message("busy", "")])
    await expect(
      ably.publisher.publish([message("large", "x".repeat(500)), message("busy", "")]),
    ).rejects.toMatchObject({ code: "rate-limited", retryable: true })
  })
})

describe("a channel that holds no more members", () => {
  it("shows whoever comes too late the number alone, lets their messages through, and takes them in later", async () => {
    await using ably = await startAbly({ limits: { maxPresenceMembers: 1 } })
    const people = ["alice", "bob"].map((id) => {
      const page = ably.openPage({ id })
      const { texts, subscription } = page.join(room(0))
      const { presence } = page.client.channel(room(0))
      presence.subscribe(() => {})
      return { page, texts, subscription, presence }
    })
    const [alice, bob] = people as [(typeof people)[0], (typeof people)[0]]
    await Promise.all(people.map(({ subscription }) => subscription.ready))
    const entered = alice.presence.enter({ mood: "here" })
    await waitFor(() => bob.presence.snapshot?.count === 1)
    const late = bob.presence.enter({ mood: "late" })
    await waitFor(() => bob.presence.snapshot?.members === null)
    expect(bob.presence.snapshot?.count).toBeGreaterThanOrEqual(200)
    expect(alice.presence.snapshot?.members?.map(({ user }) => user.id)).toEqual(["alice"])
    await ably.realtime.publish(room(0), "said", { text: "a" })
    await waitFor(() => people.every(({ texts }) => texts.length === 1))
    late.update({ mood: "still late" })
    entered.leave()
    await waitFor(async () => (await ably.realtime.members(room(0))).count === 0)
    late.update({ mood: "in time" })
    await waitFor(() => bob.presence.snapshot?.members?.[0]?.user.id === "bob")
    late.leave()
    await waitFor(async () => (await ably.realtime.members(room(0))).count === 0)
    expect(people.flatMap(({ page }) => page.errors)).toEqual([])
  })
})

describe("a page in so many rooms that no JWT holds them", () => {
  const rooms = Array.from({ length: 60 }, (_, index) => room(index))

  it("is in all of them, over a short token of Ably's own, and again after an interruption", async () => {
    await using ably = await startAbly()
    const page = ably.openPage()
    const joined = rooms.map((one) => page.join(one))
    await Promise.all(joined.map(({ subscription }) => subscription.ready))
    ably.emulator.dropConnections()
    await waitFor(() => joined.every(({ wasDetached }) => wasDetached()))
    await waitFor(() => rooms.every((one) => page.client.channel(one).status.state === "attached"))
    await ably.realtime.publish(rooms[59] as (typeof rooms)[0], "said", { text: "a" })
    await waitFor(() => joined[59]?.texts.length === 1)
    expect(page.errors).toEqual([])
  })

  it("may do there what a JWT would have let it, and nothing else", async () => {
    await using ably = await startAbly()
    const capabilityFor = async (count: number) => {
      const channels = rooms.slice(0, count).map(({ name }) => name)
      const { token } = (await ably.publisher.credentials({
        user: { id: "alice" },
        body: { channels },
        authorize: async () => {},
        acceptPresence: async () => null,
      })) as { token: string | { capability: string; clientId: string } }
      const claims = (text: string) =>
        JSON.parse(Buffer.from(text.split(".")[1] ?? "", "base64url").toString()) as Record<string, JsonValue>
      return typeof token === "string"
        ? { capability: claims(token)["x-ably-capability"], clientId: claims(token)["x-ably-clientId"] }
        : { capability: token.capability, clientId: token.clientId }
    }
    const [few, many] = [await capabilityFor(1), await capabilityFor(60)]
    expect(many.clientId).toBe(few.clientId)
    const [ofFew, ofMany] = [few, many].map(({ capability }) => JSON.parse(String(capability)) as object)
    expect(Object.keys(ofMany ?? {}).length).toBe(120)
    expect(ofMany).toMatchObject(ofFew ?? {})
  })
})

it("a channel that can't be judged in passing holds up no other, where the page can ask again for it alone", async () => {
  await using ably = await startAbly()
  const passing = new RealtimeError("log-unavailable", { message: "the database is away" })
  const ask = (body: Record<string, unknown>) =>
    ably.publisher.credentials({
      user: { id: "alice" },
      body,
      authorize: (channel) => (channel === "room:2" ? Promise.reject(passing) : Promise.resolve()),
      acceptPresence: async () => null,
    })
  const channels = ["room:1", "room:2"]
  expect(await ask({ channels, mayBePartial: true })).toMatchObject({
    token: expect.any(String),
    denied: { "room:2": { code: "log-unavailable" } },
  })
  // A page of an older release would take that for a refusal; and where nothing is decided there is no token.
  await expect(ask({ channels })).rejects.toBe(passing)
  await expect(ask({ channels: ["room:2"], mayBePartial: true })).rejects.toBe(passing)
})
