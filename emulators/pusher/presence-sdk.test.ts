import type { PresenceChannel } from "pusher-js"
import { describe, expect, it } from "vitest"
import { startPusherEmulator } from "./server.ts"
import { onEachService } from "./services.ts"
import { createSdkClient, createServerLibrary, record, until } from "./test-clients.ts"

const ann = { user_id: "ann", user_info: { name: "Ann" } }
const bob = { user_id: "bob", user_info: { name: "Bob" } }

describe("presence, by the official SDKs", () => {
  onEachService("§4d §4e who joins sees everyone, themselves included", async (emulator) => {
    using first = createSdkClient(emulator, { member: ann })
    using second = createSdkClient(emulator, { member: bob })
    await first.subscribe("presence-room")
    const channel = (await second.subscribe("presence-room")) as PresenceChannel
    expect(channel.members.count).toBe(2)
    expect(channel.members.members).toEqual({ ann: { name: "Ann" }, bob: { name: "Bob" } })
    expect(channel.members.me).toEqual({ id: "bob", info: { name: "Bob" } })
  })

  it("§4f §4g §4h §4i §4k member_added goes to the others on a user's first connection, member_removed after the last", async () => {
    await using emulator = await startPusherEmulator()
    using watcher = createSdkClient(emulator, { member: ann })
    const received = record(await watcher.subscribe("presence-room"))

    const tabs = [createSdkClient(emulator, { member: bob }), createSdkClient(emulator, { member: bob })]
    const ofTabs = []
    for (const tab of tabs) ofTabs.push(record(await tab.subscribe("presence-room")))
    await until(() => received.length === 1)
    expect(received).toEqual([{ event: "pusher:member_added", data: { id: "bob", info: { name: "Bob" } } }])

    tabs[0]?.[Symbol.dispose]()
    await until(() => emulator.app().connections.size === 2)
    tabs[1]?.pusher.unsubscribe("presence-room")
    await until(() => received.length === 2)
    expect(received[1]).toMatchObject({ event: "pusher:member_removed", data: { id: "bob" } })
    // Neither tab was told of its own user.
    expect(ofTabs.flat()).toEqual([])
    tabs[1]?.[Symbol.dispose]()
  })

  it("§4b without channel data the signed-in user joins", async () => {
    await using emulator = await startPusherEmulator()
    using client = createSdkClient(emulator, { user: { id: "ann", user_info: { name: "Ann" } } })
    client.pusher.signin()
    const channel = (await client.subscribe("presence-room")) as PresenceChannel
    expect(channel.members.me).toEqual({ id: "ann", info: { name: "Ann" } })
  })

  it("§10.2g §10.2k §10.2m §10.2r the HTTP API counts and lists distinct users", async () => {
    await using emulator = await startPusherEmulator()
    using one = createSdkClient(emulator, { member: ann })
    using two = createSdkClient(emulator, { member: ann })
    using three = createSdkClient(emulator, { member: bob })
    for (const client of [one, two, three]) await client.subscribe("presence-room")
    const library = createServerLibrary(emulator)
    const read = async (path: string, params?: object) =>
      (await library.get({ path, params: params as Record<string, string> })).json()
    expect(await read("/channels/presence-room", { info: "user_count" })).toEqual({
      occupied: true,
      user_count: 2,
    })
    expect(await read("/channels/presence-room/users")).toEqual({ users: [{ id: "ann" }, { id: "bob" }] })
    expect(await read("/channels", { filter_by_prefix: "presence-", info: "user_count" })).toEqual({
      channels: { "presence-room": { user_count: 2 } },
    })
  })

  it.each([
    ["a member more than the limit", { limits: { presenceMembers: 1 } }, bob, "over its limit of 1 members"],
    ["a user_id of 129 characters", {}, { user_id: "b".repeat(129) }, "user_id exceeds the allowed maximum"],
    [
      "a user_info over 1 KB",
      {},
      { user_id: "bob", user_info: { about: "b".repeat(1024) } },
      "user_info exceeds",
    ],
  ])("§4m §4n §4o %s is refused", async (_what, settings, member, message) => {
    const app = { id: "1", key: "app-key", secret: "app-secret", ...settings }
    await using emulator = await startPusherEmulator({ apps: [app] })
    using first = createSdkClient(emulator, { member: ann })
    await first.subscribe("presence-room")
    using second = createSdkClient(emulator, { member })
    const received = record(second.pusher.subscribe("presence-room"))
    await until(() => received.length === 1)
    expect(received[0]).toMatchObject({
      event: "pusher:subscription_error",
      data: { type: "LimitReached", status: 4100, error: expect.stringContaining(message) },
    })
    expect(emulator.app().channels.get("presence-room")?.presence?.ids()).toEqual(["ann"])
  })

  it("§4k in a full channel a member's second connection is welcome", async () => {
    const app = { id: "1", key: "app-key", secret: "app-secret", limits: { presenceMembers: 1 } }
    await using emulator = await startPusherEmulator({ apps: [app] })
    using first = createSdkClient(emulator, { member: ann })
    using second = createSdkClient(emulator, { member: ann })
    await first.subscribe("presence-room")
    await second.subscribe("presence-room")
  })
})
