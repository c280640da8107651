import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Cursor, parseUser, RealtimeError, type User } from "throughline"
import { createClient } from "throughline/client"
import { createMemoryLog, createRealtime, type Realtime } from "throughline/server"
import { createContractHttp, waitFor } from "throughline/testing"
import { afterEach, describe, expect, it, vi } from "vitest"
import { memoryCapabilities } from "../../realtime/providers/memory/capabilities.ts"
import { createMemoryTransport } from "../../realtime/providers/memory/client.ts"
import { createMemoryHub } from "../../realtime/providers/memory/hub.ts"
import { createMemoryPublisher } from "../../realtime/providers/memory/server.ts"
import { chatChannels, person, room as roomChannel } from "./channels.ts"
import { openDatabase } from "./database.ts"
import { createMessageIndex } from "./message-index.ts"
import { createReadPositions } from "./read-positions.ts"
import { countOf, maxFollowed } from "./room-activity.ts"
import { type Arrival, createRoomActivity, type RoomActivityStore } from "./room-activity-store.ts"
import { withRoomBell } from "./room-bell.ts"
import { createRooms, listVersion } from "./rooms.ts"

const aki = { id: "aki", name: "Aki" }
const ben = { id: "ben", name: "Ben" }

/** The chat's own stores and a provider, with pages of Aki's. */
async function startChat() {
  const dataDir = mkdtempSync(join(tmpdir(), "throughline-activity-"))
  const database = await openDatabase({ dataDir })
  const log = createMemoryLog()
  const rooms = createRooms(database, Date.now, log)
  const index = createMessageIndex({ database, isPostgres: false, log })
  const readPositions = createReadPositions({ database, index })
  const hub = createMemoryHub({
    authorize: (user, channel, action) => realtime.core.authorize(user, channel, action),
    maxPresenceMembers: memoryCapabilities.maxPresenceMembers,
  })
  const bells: string[] = []
  const failures: unknown[] = []
  const shut = new Set<string>()
  const realtime: Realtime<typeof chatChannels> = createRealtime({
    channels: chatChannels,
    identify: (request) =>
      parseUser(JSON.parse(decodeURIComponent(request.headers.get("x-contract-user") ?? "null"))),
    authorize: async ({ channel }) => channel.kind !== "room" || !shut.has(channel.params.room),
    log: withRoomBell({
      ...{ log, database, onError: (error) => failures.push(error) },
      tell(personId, room, from) {
        bells.push(personId)
        return realtime.signal(person({ person: personId }), "room-stirred", { room }, { from })
      },
    }),
    publishers: [createMemoryPublisher(hub)],
  })
  const closing: (() => unknown)[] = []

  async function openPage(user: User = aki) {
    const onError = () => {}
    const client = createClient({
      transport: createMemoryTransport({ hub, user, capabilities: memoryCapabilities, retryMs: 10, onError }),
      http: createContractHttp(realtime as never, user),
      onError,
    })
    const moves: Cursor[] = []
    let asks = 0
    let before = async () => {}
    let after = async () => {}
    const store = createRoomActivity({
      client,
      me: user.id,
      initial: await readPositions.unread(user.id),
      async ask() {
        asks += 1
        await before()
        const answer = { rooms: await readPositions.unread(user.id), list: await listOf(user) }
        await after()
        return answer
      },
      async move(room, place) {
        moves.push(place)
        await readPositions.move(user.id, room, place)
      },
      onError,
    })
    client.open()
    const stop = store.start()
    closing.push(stop, () => client.close())
    return {
      ...{ client, store, moves },
      asks: () => asks,
      /** What happens before the server looks, and before its answer is here. */
      delay(change: { before?: () => Promise<void>; after?: () => Promise<void> }) {
        before = change.before ?? (async () => {})
        after = change.after ?? (async () => {})
      },
    }
  }

  const listOf = async (user: User) => listVersion(await rooms.list(user.id), user)

  return {
    hub,
    openPage,
    bells,
    rooms,
    failures,
    realtime,
    shut,
    listOf,
    newRoom: async (name: string) => (await rooms.create(aki, { name, isPrivate: false })).id,
    say: (room: string, text: string, more: { mentions?: string[] } = {}, from = ben) =>
      realtime.publish(roomChannel({ room }), "text-sent", { text, ...more }, { from }),
    readUpTo: async (room: string) =>
      (await readPositions.unread(aki.id)).find((counted) => counted.room === room)?.read.seq,
    async [Symbol.asyncDispose]() {
      for (const close of closing) await close()
      await realtime.close()
      await database.destroy()
      rmSync(dataDir, { recursive: true })
    },
  }
}

const badge = ({ state }: RoomActivityStore, room: string) => {
  const activity = state.get(room)
  return activity && countOf(activity)
}

const hadFocus = document.hasFocus
afterEach(() => {
  document.hasFocus = hadFocus
})
const look = (isLooking: boolean) => {
  document.hasFocus = () => isLooking
  window.dispatchEvent(new Event("focus"))
}

describe("what goes on in the rooms", () => {
  it("goes on from where the server counted, with nothing missed and nothing counted twice", async () => {
    await using chat = await startChat()
    const room = await chat.newRoom("Harbour")
    await chat.say(room, "before")
    const initial = chat.openPage()
    // Between the server's count and the page's subscription, and after it.
    await chat.say(room, "meanwhile")
    const { store } = await initial
    await chat.say(room, "after", { mentions: [aki.id] })
    await waitFor(() => badge(store, room)?.unread === 3)
    expect(badge(store, room)).toEqual({ unread: 3, mentions: 1 })
  })

  it("tells of others' messages once, and whether they are for one", async () => {
    await using chat = await startChat()
    const room = await chat.newRoom("Harbour")
    const { store } = await chat.openPage()
    const arrivals: Arrival[] = []
    store.onArrival((arrival) => arrivals.push(arrival))
    await chat.say(room, "to nobody")
    await chat.say(room, "to Aki", { mentions: [aki.id] })
    await chat.say(room, "by Aki", {}, aki)
    await chat.say(room, "the last")
    await waitFor(() => arrivals.length === 3)
    expect(arrivals.map(({ message, isMention }) => [message.payload.text, isMention])).toEqual([
      ["to nobody", false],
      ["to Aki", true],
      ["the last", false],
    ])
  })

  it("counts what is shown as read once somebody looks, on every device, and tells the server now and then", async () => {
    await using chat = await startChat()
    const room = await chat.newRoom("Harbour")
    const here = await chat.openPage()
    const there = await chat.openPage()
    look(false)
    here.store.open(room)
    await chat.say(room, "one")
    for (const { store } of [here, there]) await waitFor(() => badge(store, room)?.unread === 1)
    here.store.show(room, 1)
    expect(badge(here.store, room)?.unread).toBe(1)
    expect(here.moves).toEqual([])

    look(true)
    expect(badge(here.store, room)?.unread).toBe(0)
    await waitFor(() => badge(there.store, room)?.unread === 0)

    // The first one at once, the others of the same second together.
    for (let seq = 2; seq <= 20; seq += 1) await chat.say(room, `number ${seq}`)
    for (let seq = 2; seq <= 20; seq += 1) here.store.show(room, seq)
    await waitFor(async () => (await chat.readUpTo(room)) === 20)
    expect(here.moves.length).toBeLessThanOrEqual(3)
    expect(here.moves.at(-1)?.seq).toBe(20)
  })

  it("asks when it comes back after an interruption, for what was said by signals alone", async () => {
    await using chat = await startChat()
    const room = await chat.newRoom("Harbour")
    await chat.say(room, "one")
    const away = await chat.openPage()
    await waitFor(() => away.client.connection.status.state === "connected")
    chat.hub.refuseConnections(new Error("no network") as never)
    chat.hub.dropConnections()
    await waitFor(() => away.client.connection.status.state !== "connected")
    const here = await chat.openPage()
    look(true)
    here.store.open(room)
    here.store.show(room, 1)
    await waitFor(async () => (await chat.readUpTo(room)) === 1)
    expect(badge(away.store, room)?.unread).toBe(1)
    chat.hub.refuseConnections(null)
    await waitFor(() => badge(away.store, room)?.unread === 0)
  })

  it("says who types, for as long as a signal counts", async () => {
    await using chat = await startChat()
    const room = await chat.newRoom("Harbour")
    const { store, client } = await chat.openPage()
    const other = await chat.openPage(ben)
    const ref = roomChannel({ room })
    const typists = () => store.state.get(room)?.typists.map(({ name }) => name)
    await waitFor(() => client.channel(ref).status.state === "attached")
    other.client.channel(ref).onSignal("typing", () => {})
    await waitFor(() => other.client.channel(ref).status.state === "attached")
    await other.client.channel(ref).signal("typing", { isTyping: true })
    await waitFor(() => typists()?.includes("Ben"))
    await chat.say(room, "here it is")
    await waitFor(() => typists()?.length === 0)
  })

  it(`follows ${maxFollowed} rooms: the most recently active ones, and the open one whatever it is`, async () => {
    await using chat = await startChat()
    const quiet = await chat.newRoom("Quiet")
    const rooms: string[] = []
    for (let number = 0; number < maxFollowed; number += 1) rooms.push(await chat.newRoom(`Room ${number}`))
    for (const room of rooms) await chat.say(room, "hello")
    const { client, store } = await chat.openPage()
    const followed = () =>
      [quiet, ...rooms].filter((room) => client.channel(roomChannel({ room })).status.state !== "idle")
    await waitFor(() => followed().length === maxFollowed)
    expect(followed()).not.toContain(quiet)
    store.open(quiet)
    await waitFor(() => followed().includes(quiet) && followed().length === maxFollowed)
  })

  it("moves within a second or two in rooms that it doesn't follow, of whose people no more than need be are told", async () => {
    await using chat = await startChat()
    const [quiet, crowded] = [await chat.newRoom("Quiet"), await chat.newRoom("Crowded")]
    await chat.rooms.join(ben, quiet)
    for (let number = 0; number < 60; number += 1)
      await chat.rooms.join({ id: `p${number}`, name: `P${number}` }, crowded)
    await chat.rooms.join(ben, crowded)
    for (let number = 0; number < maxFollowed; number += 1)
      await chat.say(await chat.newRoom(`Room ${number}`), "hello", {}, aki)
    const { client, store } = await chat.openPage()
    const stateOf = (room: string) => client.channel(roomChannel({ room })).status.state
    await waitFor(() => client.channel(person({ person: aki.id })).status.state === "attached")
    expect([stateOf(quiet), stateOf(crowded)]).toEqual(["idle", "idle"])
    chat.bells.length = 0

    await chat.say(quiet, "to all of few")
    await waitFor(() => badge(store, quiet)?.unread === 1)
    // From here on it is followed.
    await waitFor(() => stateOf(quiet) === "attached")
    await chat.say(crowded, "to nobody of many")
    await chat.say(crowded, "to one of many", { mentions: [aki.id, "a stranger", "p1"] })
    await waitFor(() => badge(store, crowded)?.mentions === 1)
    expect(badge(store, crowded)).toEqual({ unread: 2, mentions: 1 })
    expect([...new Set(chat.bells)]).toEqual([aki.id])
    expect(chat.bells.length).toBeLessThanOrEqual(2)
    expect(chat.failures).toEqual([])
  })

  it("asks seldom where it is hidden, and at once when it is shown, what is unread in rooms that it doesn't follow", async () => {
    await using chat = await startChat()
    const quiet = [await chat.newRoom("Quiet"), await chat.newRoom("Quieter")]
    for (const room of quiet) await chat.rooms.join(ben, room)
    for (let number = 0; number < maxFollowed; number += 1)
      await chat.say(await chat.newRoom(`Room ${number}`), "hello", {}, aki)
    const { client, store, asks } = await chat.openPage()
    await waitFor(() => client.channel(person({ person: aki.id })).status.state === "attached")
    await waitFor(() => asks() > 0)
    const before = asks()
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    const visibility = vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden")
    using stack = new DisposableStack()
    stack.defer(() => void vi.useRealTimers())
    stack.defer(() => visibility.mockRestore())
    chat.bells.length = 0

    await chat.say(quiet[0] ?? "", "one")
    await chat.say(quiet[1] ?? "", "two")
    await vi.advanceTimersByTimeAsync(14_000)
    expect([chat.bells, asks()]).toEqual([[aki.id, aki.id], before])
    await vi.advanceTimersByTimeAsync(2_000)
    expect(asks()).toBe(before + 1)
    await vi.waitFor(() => expect(quiet.map((room) => badge(store, room)?.unread)).toEqual([1, 1]), 10_000)

    visibility.mockReturnValue("visible")
    document.dispatchEvent(new Event("visibilitychange"))
    await vi.waitFor(() => expect(asks()).toBe(before + 2), 10_000)
  })

  it("asks once more where something rings while an answer is on its way, which may know nothing of it", async () => {
    await using chat = await startChat()
    const [quiet, quieter] = [await chat.newRoom("Quiet"), await chat.newRoom("Quieter")]
    for (let number = 0; number < maxFollowed; number += 1)
      await chat.say(await chat.newRoom(`Room ${number}`), "hello", {}, aki)
    const { store, client, asks, delay } = await chat.openPage()
    for (const room of [quiet, quieter]) await chat.rooms.join(ben, room)
    await waitFor(() => client.channel(person({ person: aki.id })).status.state === "attached")
    await waitFor(() => asks() > 0)
    const [looked, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    delay({
      after() {
        looked.resolve()
        return held.promise
      },
    })
    await chat.say(quiet, "one")
    await looked.promise
    chat.bells.length = 0
    await chat.say(quieter, "two")
    await waitFor(() => chat.bells.length === 1)
    delay({})
    held.resolve()
    await waitFor(() => badge(store, quiet)?.unread === 1 && badge(store, quieter)?.unread === 1)
  })

  it("asks once more where two answers differ in which rooms there are: the older one may come last", async () => {
    await using chat = await startChat()
    const room = await chat.newRoom("Harbour")
    const { store, client, asks } = await chat.openPage()
    await waitFor(() => client.channel(person({ person: aki.id })).status.state === "attached")
    await waitFor(() => asks() > 0)
    // A page that was rendered before the room was made.
    store.accept([])
    expect(store.state.has(room)).toBe(false)
    await waitFor(() => store.state.has(room))
  })

  it("asks again by itself what couldn't be answered", async () => {
    await using chat = await startChat()
    const room = await chat.newRoom("Harbour")
    const { store, client, asks, delay } = await chat.openPage()
    await waitFor(() => client.channel(person({ person: aki.id })).status.state === "attached")
    await waitFor(() => asks() > 0)
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    using stack = new DisposableStack()
    stack.defer(() => void vi.useRealTimers())
    const before = asks()
    delay({ before: () => Promise.reject(new RealtimeError("provider-unavailable", { message: "away" })) })
    store.accept([])
    await vi.advanceTimersByTimeAsync(2_000)
    expect([asks(), store.state.has(room)]).toEqual([before + 1, false])
    delay({})
    await vi.advanceTimersByTimeAsync(15_000)
    await vi.waitFor(() => expect(store.state.has(room)).toBe(true), 10_000)
  })
})

describe("one's list of rooms", () => {
  /** A page that shows the list as it is, and how often it is told to ask for another one. */
  async function openPage(chat: Awaited<ReturnType<typeof startChat>>) {
    const page = await chat.openPage()
    let told = 0
    page.store.onListChanged(() => {
      told += 1
    })
    page.store.showList(await chat.listOf(aki))
    await waitFor(() => page.client.channel(person({ person: aki.id })).status.state === "attached")
    await waitFor(() => page.asks() > 0)
    return { ...page, told: () => told }
  }

  async function endRoom(chat: Awaited<ReturnType<typeof startChat>>, room: string): Promise<void> {
    await chat.rooms.delete(aki.id, room)
    await chat.realtime.publish(roomChannel({ room }), "room-deleted", {}, { from: aki })
  }

  it("is asked for when a room is ended, again while it doesn't come, and no more once it is shown", async () => {
    await using chat = await startChat()
    const room = await chat.newRoom("Harbour")
    const { client, store, told } = await openPage(chat)
    await waitFor(() => client.channel(roomChannel({ room })).status.state === "attached")
    expect(told()).toBe(0)
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    using stack = new DisposableStack()
    stack.defer(() => void vi.useRealTimers())
    await endRoom(chat, room)
    await vi.waitFor(() => expect(told()).toBe(1), 10_000)
    for (const [again, waitMs] of [5_000, 10_000, 20_000, 40_000, 60_000, 60_000].entries()) {
      await vi.advanceTimersByTimeAsync(waitMs / 2)
      expect(told()).toBe(again + 1)
      // What is asked may have to wait for a second.
      await vi.advanceTimersByTimeAsync(waitMs / 2 + 1_500)
      await vi.waitFor(() => expect(told()).toBe(again + 2), 10_000)
    }
    const last = told()
    store.showList(await chat.listOf(aki))
    await vi.advanceTimersByTimeAsync(200_000)
    expect(told()).toBe(last)
  })

  it("is asked for again also where an answer of before comes after a room was ended", async () => {
    await using chat = await startChat()
    const room = await chat.newRoom("Harbour")
    const { client, delay, told } = await openPage(chat)
    await waitFor(() => client.channel(roomChannel({ room })).status.state === "attached")
    const [looked, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    delay({
      after() {
        looked.resolve()
        return held.promise
      },
    })
    window.dispatchEvent(new Event("online"))
    await looked.promise
    await endRoom(chat, room)
    await waitFor(() => told() === 1)
    delay({})
    held.resolve()
    await waitFor(() => told() === 2)
  })

  it("is asked for where a room was ended unheard, once the page is back", async () => {
    await using chat = await startChat()
    const room = await chat.newRoom("Harbour")
    const page = await openPage(chat)
    chat.hub.refuseConnections(new Error("no network") as never)
    chat.hub.dropConnections()
    await waitFor(() => page.client.connection.status.state !== "connected")
    // It lets nobody in any more who could hear of it.
    chat.shut.add(room)
    await endRoom(chat, room)
    expect(page.told()).toBe(0)
    chat.hub.refuseConnections(null)
    await waitFor(() => page.told() > 0)
  })

  it("is asked for when a room lets one out", async () => {
    await using chat = await startChat()
    const room = await chat.newRoom("Harbour")
    const page = await openPage(chat)
    await waitFor(() => page.client.channel(roomChannel({ room })).status.state === "attached")
    await chat.rooms.leave(aki.id, room)
    chat.shut.add(room)
    await chat.realtime.revoke(aki, roomChannel({ room }))
    await waitFor(() => page.told() > 0 && !page.store.state.has(room))
  })

  it("is asked for when one is called otherwise, on whichever page that was said", async () => {
    await using chat = await startChat()
    const pages = [await openPage(chat), await openPage(chat)]
    const own = person({ person: aki.id })
    await waitFor(() => pages.every(({ client }) => client.channel(own).status.state === "attached"))
    await chat.realtime.signal(own, "list-changed", {}, { from: { ...aki, name: "Ren" } })
    await waitFor(() => pages.every(({ told }) => told() === 1))
  })

  it("is told of a room's end by the room also where the count knew of it before", async () => {
    await using chat = await startChat()
    const room = await chat.newRoom("Harbour")
    const { client, store } = await openPage(chat)
    const channel = client.channel(roomChannel({ room }))
    await waitFor(() => channel.status.state === "attached")
    const heard: string[] = []
    store.onMessages((_, messages) => void heard.push(...messages.map(({ event }) => event)))
    await chat.rooms.delete(aki.id, room)
    window.dispatchEvent(new Event("online"))
    await waitFor(() => !store.state.has(room))
    await chat.realtime.publish(roomChannel({ room }), "room-deleted", {}, { from: aki })
    await waitFor(() => heard.includes("room-deleted"))
    await waitFor(() => channel.status.state === "idle")
  })
})
