import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { type AddressInfo, createServer, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest"
import { person, room } from "#lib/chat/channels.ts"
import { getSession } from "#lib/chat/current.ts"
import { keptCookieOf } from "#lib/chat/kept-cookie.ts"
import { lobbyId } from "#lib/chat/lobby.ts"
import { sessionCookie } from "#lib/chat/session.ts"
import { signedOutCookie } from "#lib/chat/signed-out-cookie.ts"
import { createLogger } from "#lib/operations/logger.ts"
import { shareLogger } from "#lib/operations/process-log.ts"
import type { ProcessChat } from "#lib/realtime/process-chat.ts"
import type { Budget } from "#lib/security/budgets.ts"
import {
  acceptInvitation,
  changeName,
  createRoom,
  deleteRoom,
  inviteToRoom,
  joinRoom,
  leaveRoom,
  letEverybodyIn,
  letMemberIn,
  removeMember,
  renameRoom,
  signIn,
  signOut,
  withdrawInvitations,
} from "./actions.ts"
import { expirePermissions } from "./lab/actions.ts"
import { arriveAt, formOf, outcomeOf, sessionSecret, startChat } from "./testing/act.ts"
import { request } from "./testing/request.ts"

vi.mock("next/headers", () => import("./testing/request.ts"))
vi.mock("next/cache", () => import("./testing/request.ts"))

let chat: ProcessChat
let dataDir: string

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "throughline-actions-"))
  chat = await startChat(dataDir)
})
afterEach(async () => {
  await chat.close()
  rmSync(dataDir, { recursive: true })
})

const arrive = (address: string) => arriveAt(chat, address)

describe("signing in", () => {
  const lobby = `/rooms/${lobbyId}`

  it.each([
    ["", lobby],
    ["/lab?a=b#c", "/lab?a=b#c"],
    ["/rooms/部屋", "/rooms/%E9%83%A8%E5%B1%8B"],
    ["/la\nb", "/lab"],
    ["/\t/evil.example", lobby],
    ["/\n/evil.example", lobby],
    ["/.//evil.example", lobby],
    ["/\\evil.example", lobby],
    ["https://evil.example", lobby],
    ["javascript:alert(1)", lobby],
  ])("with the next address %j leads to %s", async (next, location) => {
    arrive("192.0.2.1")
    expect(await outcomeOf(signIn(null, formOf({ name: "Aki", next })))).toBe(location)
    expect(await chat.rooms.members(lobbyId)).toMatchObject([{ name: "Aki" }])
  })
})

it.each([
  ["no cookie", ""],
  ["only a cookie that was set in another way", `${keptCookieOf({ hasSecureCookies: true })}=1`],
])("makes nobody for a browser that keeps %s, which would be nobody again at once", async (_, cookie) => {
  arrive("192.0.2.1")
  request.headers.set("cookie", cookie)
  expect(await outcomeOf(signIn(null, formOf({ name: "Aki" })))).toEqual({ error: "cookieLost" })
  expect([...request.cookies]).toEqual([])
  expect(await chat.rooms.members(lobbyId)).toEqual([])
})

it("says in the log once for each address, and not at the first try, that cookies are dropped there", async () => {
  const origins: unknown[] = []
  shareLogger(
    createLogger("app", { destination: { write: (line) => void origins.push(JSON.parse(line).origin) } }),
  )
  const signInAt = (origin: string, previous: unknown) => {
    arrive("192.0.2.1")
    request.headers.delete("cookie")
    request.headers.set("origin", origin)
    return signIn(previous, formOf({ name: "Aki" }))
  }
  const [here, there] = ["http://192.168.1.5:3000", "http://chat.lan"]
  const lost = await signInAt(here, null)
  expect(origins).toEqual([])
  for (const origin of [here, here, there]) await signInAt(origin, lost)
  expect(origins).toEqual([here, there])
  for (let port = 1; port <= 100; port += 1) await signInAt(`http://127.0.0.1:${port}`, lost)
  expect(origins).toHaveLength(20)
})

/** Somebody who has signed in from this address. */
async function enter(address: string): Promise<void> {
  arrive(address)
  await outcomeOf(signIn(null, formOf({ name: "Aki" })))
}

/** A form of the page of whoever is signed in. */
async function ownFormOf(fields: Record<string, string>): Promise<FormData> {
  return formOf({ ...fields, owner: await me() })
}

const me = async () => (await getSession()).user?.id ?? ""

/** Leaves nothing of a budget. */
const exhaust = (budget: Budget, whose: string) => chat.limits.take(budget, whose, 1_000_000).catch(() => {})

const refused = { error: "rate-limited", retryAfterMs: expect.any(Number) }
const [here, elsewhere] = ["192.0.2.1", "192.0.2.2"]

describe("signing out", () => {
  it("ends the session wherever its cookie is, and its open connections", async () => {
    await enter(here)
    const [owner, cookies] = [await me(), new Map(request.cookies)]
    const revoked = vi.spyOn(chat.realtime, "revoke")
    expect(await outcomeOf(signOut(owner))).toBe("/")
    expect(await me()).toBe("")
    expect(request.cookies.has(signedOutCookie)).toBe(false)
    // All of their channels, before the answer.
    expect(revoked.mock.calls).toEqual([[expect.objectContaining({ id: owner })]])
    // Stolen before.
    request.cookies = cookies
    expect(await me()).toBe("")
    expect(await outcomeOf(joinRoom(null, formOf({ owner, room: lobbyId })))).toMatch(/^\/\?next=/)
    expect(await outcomeOf(createRoom(null, formOf({ owner, name: "His" })))).toMatch(/^\/\?next=/)
  })

  it("asks the provider no more than there is a budget for, however often a kept cookie is brought", async () => {
    await enter(here)
    const [owner, cookies] = [await me(), new Map(request.cookies)]
    const revoked = vi.spyOn(chat.realtime, "revoke")
    const again = () => {
      request.cookies = new Map(cookies)
      return outcomeOf(signOut(owner))
    }
    await exhaust("revocations of a person", owner)
    // The first that is noted is told all the same.
    for (let time = 0; time < 3; time += 1) expect(await again()).toBe("/")
    expect(revoked).toHaveBeenCalledTimes(1)
    await enter(elsewhere)
    const [another, kept] = [await me(), new Map(request.cookies)]
    for (let time = 0; time < 3; time += 1) {
      request.cookies = new Map(kept)
      await outcomeOf(signOut(another))
    }
    // One that had been noted without being told.
    expect(revoked).toHaveBeenCalledTimes(4)
  })

  it("is done by the page of whoever is signed in, and by no other", async () => {
    await enter(here)
    const owner = await me()
    const isRefused = { error: "session-changed" }
    expect(await outcomeOf(signOut("somebody else"))).toEqual(isRefused)
    expect(await me()).toBe(owner)
    // Whose session has expired wasn't signed out: what they hadn't sent waits for them.
    request.cookies = new Map()
    expect(await outcomeOf(signOut(owner))).toEqual(isRefused)
  })

  it("begins with a session of one's own, whatever cookie was there before", async () => {
    await enter(elsewhere)
    const [planted, cookies] = [await me(), new Map(request.cookies)]
    arrive(here)
    request.cookies = new Map(cookies)
    await outcomeOf(signIn(null, formOf({ name: "Victim" })))
    expect(await me()).not.toBe(planted)
    // Whoever planted it is still who they were.
    request.cookies = cookies
    expect(await me()).toBe(planted)
  })
})

describe("changing one's name", () => {
  const change = async (name: string) => outcomeOf(changeName(null, await ownFormOf({ name })))

  it("leaves one the same person, called so by every cookie of theirs, and tells their pages", async () => {
    await enter(here)
    const owner = await me()
    const path = String(await outcomeOf(createRoom(null, await ownFormOf({ name: "Hers", isPrivate: "on" }))))
    const id = path.split("/").at(-1) ?? ""
    const signal = vi.spyOn(chat.realtime, "signal")
    expect(await change("  Ren ")).toEqual({ name: "Ren" })
    expect(signal.mock.calls).toEqual([
      [person({ person: owner }), "list-changed", {}, { from: { id: owner, name: "Ren" } }],
    ])
    // The browser's cookie is the one of before, as on another device.
    expect((await getSession()).user).toEqual({ id: owner, name: "Ren" })
    const cookie = `${sessionCookie}=${encodeURIComponent(request.cookies.get(sessionCookie) ?? "")}`
    const asked = new Request("http://chat.test/api/realtime/publish", { headers: { cookie } })
    expect(await chat.identify(asked)).toEqual({ id: owner, name: "Ren" })
    for (const where of [lobbyId, id])
      expect(await chat.rooms.members(where)).toContainEqual({ id: owner, name: "Ren" })
    // Still hers.
    expect(await chat.rooms.rename(owner, id, "Also hers")).toBe(true)
    await chat.announcements.say(id)
    const { messages } = await chat.realtime.history(room({ room: id }))
    expect(messages.map(({ event, from }) => [event, from?.name])).toEqual([
      ["room-created", "Aki"],
      ["room-renamed", "Ren"],
    ])
  })

  it.each([
    ["\u3164", "invisible"],
    ["x".repeat(41), "tooLong"],
    ["Aki\u202e", "disturbing"],
  ])("to %j is refused with the reason: %s", async (name, reason) => {
    await enter(here)
    const renamed = vi.spyOn(chat.guests, "rename")
    expect(await change(name)).toEqual({ error: "badName", reason })
    expect(renamed).not.toHaveBeenCalled()
  })

  it("is done also where the pages can't be told, which is logged, and to the same name costs nothing", async () => {
    await enter(here)
    const lines = readLog()
    const signal = vi.spyOn(chat.realtime, "signal").mockRejectedValue(new Error("the provider is away"))
    expect(await change("Ren")).toEqual({ name: "Ren" })
    expect((await getSession()).user?.name).toBe("Ren")
    expect(lines).toEqual([expect.objectContaining({ stage: "tell a person's pages" })])
    await exhaust("names of a person", await me())
    expect(await change("Ren")).toEqual({ name: "Ren" })
    expect(await change("Aki")).toMatchObject(refused)
    expect(signal).toHaveBeenCalledTimes(1)
  })
})

/** As on a full disk: what is there can be read, and this table takes nothing. */
function fill(file: "chat.db" | "realtime.db", table: string): void {
  using database = new DatabaseSync(join(dataDir, file))
  database.exec(
    `CREATE TRIGGER full BEFORE INSERT ON ${table} BEGIN SELECT RAISE(FAIL, 'the disk is full'); END`,
  )
}

/** From now on, what is logged. */
function readLog(): { err: { message: string; code?: string }; stage: string }[] {
  const lines: ReturnType<typeof readLog> = []
  shareLogger(createLogger("app", { destination: { write: (line) => void lines.push(JSON.parse(line)) } }))
  return lines
}

/** In place of the chat, until the test is over: a function with this database. */
async function becomeFunction(databaseUrl: string): Promise<AsyncDisposable> {
  await chat.close()
  for (const [name, value] of Object.entries({
    ...{ SESSION_SECRET: sessionSecret, DATABASE_URL: databaseUrl },
    ...{ REALTIME_PROVIDER: "pusher", PUSHER_APP_ID: "1", PUSHER_KEY: "key", PUSHER_SECRET: "secret" },
    PUSHER_CLUSTER: "eu",
  }))
    vi.stubEnv(name, value)
  return {
    async [Symbol.asyncDispose]() {
      vi.unstubAllEnvs()
      chat = await startChat(dataDir)
    },
  }
}

/** As `vercel.json` says. */
const maxDurationMs = 15_000

describe("signing out where it can't be noted", () => {
  /** Out in this browser, told so, and the operator told of the rest. */
  async function expectOutHere(owner: string): Promise<void> {
    const lines = readLog()
    expect(await outcomeOf(signOut(owner))).toBe("/")
    expect(request.cookies.get(signedOutCookie)).toBe("here")
    // As the door asks, which has to open without the database, too.
    expect(await me()).toBe("")
    expect(request.cookies.get(sessionCookie)).toBe("")
    expect(lines).toEqual([expect.objectContaining({ stage: "sign out" })])
    expect(lines[0]?.err.message).toContain(`npm run data -- sign-out ${owner}`)
  }

  it("ends the session in this browser all the same, and the connections", async () => {
    await enter(here)
    const owner = await me()
    fill("chat.db", "departed_guests")
    const revoked = vi.spyOn(chat.realtime, "revoke")
    await expectOutHere(owner)
    expect(revoked.mock.calls).toEqual([[expect.objectContaining({ id: owner })]])
    expect(await me()).toBe("")
  })

  it("asks the provider within the budget and says so once, however often a kept cookie is brought", async () => {
    await enter(here)
    const [owner, cookies] = [await me(), new Map(request.cookies)]
    fill("chat.db", "departed_guests")
    const lines = readLog()
    const revoked = vi.spyOn(chat.realtime, "revoke")
    const again = async () => {
      request.cookies = new Map(cookies)
      await outcomeOf(signOut(owner))
      expect(request.cookies.get(sessionCookie)).toBe("")
    }
    for (let time = 0; time < 3; time += 1) await again()
    expect(revoked).toHaveBeenCalledTimes(3)
    await exhaust("revocations of a person", owner)
    for (let time = 0; time < 3; time += 1) await again()
    expect(revoked).toHaveBeenCalledTimes(3)
    expect(lines).toHaveLength(1)
  })

  it("as well where nothing can be read", async () => {
    await enter(here)
    const owner = await me()
    using database = new DatabaseSync(join(dataDir, "chat.db"))
    database.exec("ALTER TABLE departed_guests RENAME TO away")
    await expectOutHere(owner)
  })

  it("as well in a function that can't start for want of a database", async () => {
    await enter(here)
    const owner = await me()
    await using _ = await becomeFunction("postgres://chat@127.0.0.1:1/chat")
    await expectOutHere(owner)
  })

  it("as well, before a function's time is up, where the database lets nobody in and says nothing", async () => {
    await enter(here)
    const owner = await me()
    const sockets: Socket[] = []
    const silent = createServer((socket) => void sockets.push(socket)).listen(0, "127.0.0.1")
    onTestFinished(() => {
      silent.close()
      for (const socket of sockets) socket.destroy()
    })
    await once(silent, "listening")
    const { port } = silent.address() as AddressInfo
    await using _ = await becomeFunction(`postgres://chat@127.0.0.1:${port}/chat`)
    const begun = performance.now()
    await expectOutHere(owner)
    expect(performance.now() - begun).toBeLessThan(maxDurationMs)
  })

  it("is noted even where those who left long ago can't be forgotten", async () => {
    await enter(here)
    const owner = await me()
    using database = new DatabaseSync(join(dataDir, "chat.db"))
    database.exec(`
      INSERT INTO departed_guests (user_id, left_at) VALUES ('long ago', 0);
      CREATE TRIGGER kept BEFORE DELETE ON departed_guests BEGIN SELECT RAISE(FAIL, 'not now'); END`)
    expect(await outcomeOf(signOut(owner))).toBe("/")
    expect(await chat.guests.hasLeft(owner)).toBe(true)
  })
})

describe("what is done where the room can't be told of it", () => {
  let lines: ReturnType<typeof readLog>
  beforeEach(async () => {
    await chat.close()
    lines = readLog()
    chat = await startChat(dataDir)
  })

  /** Another's public room. */
  async function makeRoom(): Promise<{ id: string; token: string }> {
    await enter(elsewhere)
    const owner = await me()
    const { id } = await chat.rooms.create({ id: owner, name: "Aki" }, { name: "Hers", isPrivate: false })
    await chat.announcements.say(id)
    return { id, token: (await chat.rooms.invite(owner, id)) ?? "" }
  }

  const announced = (event: string) => [
    expect.objectContaining({
      stage: "announce",
      err: expect.objectContaining({
        message: expect.stringMatching(new RegExp(`${event} in .*; it is done all the same`)),
      }),
    }),
  ]
  const linesOfAnnouncing = () => lines.filter(({ stage }) => stage === "announce")

  it("signing in", async () => {
    // The log's file is made with its first message.
    await enter(elsewhere)
    await chat.rooms.leave(await me(), lobbyId)
    await chat.announcements.say(lobbyId)
    fill("realtime.db", "log_messages")
    arrive(here)
    expect(await outcomeOf(signIn(null, formOf({ name: "Aki" })))).toBe(`/rooms/${lobbyId}`)
    expect(await chat.rooms.members(lobbyId)).toMatchObject([{ id: await me() }])
    expect(linesOfAnnouncing()).toEqual(announced("member-joined"))
  })

  it("making a room, once", async () => {
    await enter(here)
    fill("realtime.db", "log_messages")
    expect(await outcomeOf(createRoom(null, await ownFormOf({ name: "Room" })))).toMatch(/^\/rooms\/.+/)
    expect(linesOfAnnouncing()).toEqual(announced("room-created"))
  })

  it("coming in, by the list or by an invitation", async () => {
    const { id, token } = await makeRoom()
    fill("realtime.db", "log_messages")
    for (const come of [
      async () => joinRoom(null, await ownFormOf({ room: id })),
      async () => acceptInvitation(null, await ownFormOf({ token })),
    ]) {
      arrive(here)
      await outcomeOf(signIn(null, formOf({ name: "Ben" })))
      lines.length = 0
      expect([null, `/rooms/${id}`]).toContain(await outcomeOf(come()))
      expect(await chat.rooms.isMember(await me(), id)).toBe(true)
      expect(linesOfAnnouncing()).toEqual(announced("member-joined"))
    }
  })

  it("leaving, which ends what they have open there", async () => {
    await enter(here)
    const owner = await me()
    fill("realtime.db", "log_messages")
    const revoked = vi.spyOn(chat.realtime, "revoke")
    expect(await outcomeOf(leaveRoom(owner, lobbyId))).toBe("/")
    expect(await chat.rooms.isMember(owner, lobbyId)).toBe(false)
    expect(revoked.mock.calls).toEqual([
      [expect.objectContaining({ id: owner }), expect.objectContaining({ name: `room:${lobbyId}` })],
    ])
    expect(linesOfAnnouncing()).toEqual(announced("member-left"))
  })
})

it("signs in nobody whom the database lets into no room, so that they can try again", async () => {
  fill("chat.db", "members")
  arrive(here)
  await expect(signIn(null, formOf({ name: "Aki" }))).rejects.toThrow("the disk is full")
  expect(request.cookies.has(sessionCookie)).toBe(false)
})

it("asks the provider to end what one has open in a room once, and of no room that one isn't in", async () => {
  await enter(here)
  const owner = await me()
  const revoked = vi.spyOn(chat.realtime, "revoke")
  for (let time = 0; time < 3; time += 1) await outcomeOf(leaveRoom(owner, lobbyId))
  await outcomeOf(leaveRoom(owner, "another"))
  expect(revoked.mock.calls).toEqual([[expect.objectContaining({ id: owner }), room({ room: lobbyId })]])
})

describe("what people make has limits", () => {
  it.each(["guests from an address", "guests of a day from an address"] as const)("%s", async (budget) => {
    await exhaust(budget, here)
    arrive(here)
    expect(await outcomeOf(signIn(null, formOf({ name: "Mallory" })))).toMatchObject(refused)
    expect([...request.cookies]).toEqual([])
    await enter(elsewhere)
    expect(await chat.rooms.members(lobbyId)).toMatchObject([{ name: "Aki" }])
  })

  it("lets a whole office in at once", async () => {
    for (let person = 0; person < 300; person += 1) await chat.limits.take("guests from an address", here)
    await enter(here)
    expect(await chat.rooms.members(lobbyId)).toHaveLength(1)
  })

  let names = 0
  const acts = {
    async names() {
      names += 1
      return outcomeOf(changeName(null, await ownFormOf({ name: `Ren ${names}` })))
    },
    rooms: async () => outcomeOf(createRoom(null, await ownFormOf({ name: "Room" }))),
    joins: async () => outcomeOf(joinRoom(null, await ownFormOf({ room: lobbyId }))),
    invitations: async () => inviteToRoom(await me(), lobbyId),
    revocations: async () => expirePermissions("018f0000-0000-7000-8000-000000000000"),
  }
  it.each([
    ["names", 20],
    ["rooms", 20],
    ["joins", 100],
    ["invitations", 60],
    ["revocations", 100],
  ] as const)("%s: %i in a time for a person, more for an address", async (made, limit) => {
    const act = acts[made]
    await enter(here)
    for (let n = 0; n < limit; n += 1) expect(await act()).not.toMatchObject(refused)
    expect(await act()).toMatchObject(refused)
    await enter(here)
    expect(await act()).not.toMatchObject(refused)
    await exhaust(`${made} from an address`, here)
    await enter(here)
    expect(await act()).toMatchObject(refused)
    await enter(elsewhere)
    expect(await act()).not.toMatchObject(refused)
  })

  it("joins by an invitation, too, and invitations that are tried", async () => {
    await enter(elsewhere)
    const invitation = await inviteToRoom(await me(), lobbyId)
    const token = invitation && "path" in invitation ? invitation.path.split("/").at(-1) : ""
    const accept = async () => outcomeOf(acceptInvitation(null, await ownFormOf({ token: token ?? "" })))
    expect(await accept()).toBe(`/rooms/${lobbyId}`)
    await exhaust("joins from an address", elsewhere)
    expect(await accept()).toMatchObject(refused)
    await enter(here)
    await exhaust("invitations tried from an address", here)
    expect(await accept()).toMatchObject(refused)
  })
})

it("does nothing in another's name than the page's", async () => {
  await enter(elsewhere)
  const invitation = await inviteToRoom(await me(), lobbyId)
  const token = (invitation && "path" in invitation && invitation.path.split("/").at(-1)) || ""
  const stale = await me()
  const room = String(await outcomeOf(createRoom(null, await ownFormOf({ name: "Hers" }))))
    .split("/")
    .at(-1)
  await enter(here)
  const before = await chat.rooms.list(await me())
  const isRefused = { error: "session-changed" }
  const formOfStale = (fields: Record<string, string>) => formOf({ ...fields, owner: stale })
  expect(await outcomeOf(createRoom(null, formOfStale({ name: "Room" })))).toEqual(isRefused)
  expect(await outcomeOf(changeName(null, formOfStale({ name: "Hers" })))).toEqual(isRefused)
  expect(await outcomeOf(joinRoom(null, formOfStale({ room: room ?? "" })))).toEqual(isRefused)
  expect(await outcomeOf(acceptInvitation(null, formOfStale({ token })))).toEqual(isRefused)
  expect(await inviteToRoom(stale, lobbyId)).toEqual(isRefused)
  expect(await withdrawInvitations(stale, lobbyId)).toEqual(isRefused)
  expect(await removeMember(stale, lobbyId, "somebody")).toEqual(isRefused)
  expect(await letMemberIn(stale, lobbyId, "somebody")).toEqual(isRefused)
  expect(await letEverybodyIn(stale, lobbyId)).toEqual(isRefused)
  expect(await outcomeOf(renameRoom(null, formOfStale({ room: lobbyId, name: "Mine" })))).toEqual(isRefused)
  expect(await outcomeOf(leaveRoom(stale, lobbyId))).toEqual(isRefused)
  expect(await chat.rooms.list(await me())).toEqual(before)
})

it("a room's invitations are withdrawn by its owner alone", async () => {
  await enter(here)
  const room = String(await outcomeOf(createRoom(null, await ownFormOf({ name: "Secret", isPrivate: "on" }))))
  const id = room.split("/").at(-1) ?? ""
  const invitation = await inviteToRoom(await me(), id)
  const token = (invitation && "path" in invitation && invitation.path.split("/").at(-1)) || ""
  const owner = request.cookies
  await enter(elsewhere)
  expect(await outcomeOf(acceptInvitation(null, await ownFormOf({ token })))).toBe(room)
  expect(await withdrawInvitations(await me(), id)).toBe(false)
  request.cookies = owner
  expect(await withdrawInvitations(await me(), id)).toBe(true)
  await enter(elsewhere)
  expect(await outcomeOf(acceptInvitation(null, await ownFormOf({ token })))).toBe(`/invitations/${token}`)
})

it("a room is renamed, and a private one loses a member, by its owner alone, and its log says so", async () => {
  await enter(here)
  const path = String(await outcomeOf(createRoom(null, await ownFormOf({ name: "Secret", isPrivate: "on" }))))
  const id = path.split("/").at(-1) ?? ""
  const invitation = await inviteToRoom(await me(), id)
  const token = (invitation && "path" in invitation && invitation.path.split("/").at(-1)) || ""
  const [owner, ownerId] = [request.cookies, await me()]
  await enter(elsewhere)
  await outcomeOf(acceptInvitation(null, await ownFormOf({ token })))
  const member = await me()
  const rename = async (name: string) => renameRoom(null, await ownFormOf({ room: id, name }))
  expect(await rename("Mine")).toEqual({ isDone: false })
  expect(await removeMember(member, id, ownerId)).toBe(false)

  request.cookies = owner
  expect(await rename("\u200b")).toEqual({ error: "badName", reason: "invisible" })
  expect(await rename("x".repeat(61))).toEqual({ error: "badName", reason: "tooLong" })
  expect(await rename("Renamed")).toEqual({ isDone: true })
  expect([await removeMember(ownerId, id, member), await removeMember(ownerId, id, member)]).toEqual([
    ...[true, false],
  ])
  expect(await chat.rooms.find(ownerId, id)).toMatchObject({ name: "Renamed" })
  expect(await chat.rooms.isMember(member, id)).toBe(false)
  const { messages } = await chat.realtime.history(room({ room: id }))
  expect(messages.slice(-2)).toMatchObject([
    { event: "room-renamed", from: { id: ownerId }, payload: { name: "Renamed" } },
    { event: "member-put-out", from: { id: member }, payload: {} },
  ])
})

it("a public room's owner keeps somebody out, and lets them in again, whose pages are told", async () => {
  await enter(here)
  const path = String(await outcomeOf(createRoom(null, await ownFormOf({ name: "Open" }))))
  const id = path.split("/").at(-1) ?? ""
  const invitation = await inviteToRoom(await me(), id)
  const token = (invitation && "path" in invitation && invitation.path.split("/").at(-1)) || ""
  const [owner, ownerId] = [request.cookies, await me()]
  await enter(elsewhere)
  const [other, otherId] = [request.cookies, await me()]
  const join = async () => outcomeOf(joinRoom(null, await ownFormOf({ room: id })))
  expect(await join()).toBeNull()
  expect(await removeMember(otherId, id, ownerId)).toBe(false)

  request.cookies = owner
  const revoked = vi.spyOn(chat.realtime, "revoke")
  const signal = vi.spyOn(chat.realtime, "signal")
  expect(await removeMember(ownerId, id, otherId)).toBe(true)
  expect(revoked.mock.calls).toEqual([[{ id: otherId }, room({ room: id })]])
  request.cookies = other
  expect(await join()).toEqual({ error: "channel-denied" })
  expect(await outcomeOf(acceptInvitation(null, await ownFormOf({ token })))).toBe(`/invitations/${token}`)
  expect(await chat.rooms.isMember(otherId, id)).toBe(false)
  expect(await letMemberIn(otherId, id, otherId)).toBe(false)

  request.cookies = owner
  expect(await letMemberIn(ownerId, id, otherId)).toBe(true)
  expect(signal.mock.calls).toEqual([
    [person({ person: otherId }), "list-changed", {}, { from: { id: otherId } }],
  ])
  expect(await letMemberIn(ownerId, id, otherId)).toBe(false)
  request.cookies = other
  expect(await join()).toBeNull()

  // The same for all at once, as of an owner who leaves.
  request.cookies = owner
  await removeMember(ownerId, id, otherId)
  expect(await letEverybodyIn(ownerId, id)).toBe(true)
  expect(await letEverybodyIn(ownerId, id)).toBe(false)
  expect(signal).toHaveBeenCalledTimes(2)
  expect(signal.mock.lastCall).toEqual(signal.mock.calls[0])
  await exhaust("room changes of a person", ownerId)
  expect(await letMemberIn(ownerId, id, otherId)).toMatchObject(refused)
  expect(await letEverybodyIn(ownerId, id)).toMatchObject(refused)
  request.cookies = other
  expect(await letEverybodyIn(otherId, id)).toBe(false)
  expect(await join()).toBeNull()
  expect(await chat.rooms.isMember(otherId, id)).toBe(true)
  const { messages } = await chat.realtime.history(room({ room: id }))
  expect(messages.map(({ event, from }) => [event, from?.id])).toEqual([
    ["room-created", ownerId],
    ["member-joined", otherId],
    ["member-put-out", otherId],
    ["member-joined", otherId],
    ["member-put-out", otherId],
    ["member-joined", otherId],
  ])
})

it("what the room wasn't told the first time it is told at the next try", async () => {
  await enter(here)
  const path = String(await outcomeOf(createRoom(null, await ownFormOf({ name: "Secret", isPrivate: "on" }))))
  const id = path.split("/").at(-1) ?? ""
  const [owner, ownerId] = [request.cookies, await me()]
  await enter(elsewhere)
  const otherId = await me()
  await outcomeOf(
    acceptInvitation(null, await ownFormOf({ token: (await chat.rooms.invite(ownerId, id)) ?? "" })),
  )
  request.cookies = owner
  fill("realtime.db", "log_messages")
  expect(await removeMember(ownerId, id, otherId)).toBe(true)
  using database = new DatabaseSync(join(dataDir, "realtime.db"))
  database.exec("DROP TRIGGER full")
  expect(await removeMember(ownerId, id, otherId)).toBe(false)
  const { messages } = await chat.realtime.history(room({ room: id }))
  expect(messages.map(({ event }) => event)).toEqual(["room-created", "member-joined", "member-put-out"])
})

it("a room is deleted by its owner alone, who is led to the lobby, and its log is emptied once those in it are told", async () => {
  await enter(here)
  const path = String(await outcomeOf(createRoom(null, await ownFormOf({ name: "Open" }))))
  const id = path.split("/").at(-1) ?? ""
  const [owner, ownerId] = [request.cookies, await me()]
  await enter(elsewhere)
  await outcomeOf(joinRoom(null, await ownFormOf({ room: id })))
  expect(await outcomeOf(deleteRoom(await me(), id))).toBeNull()
  expect(await chat.rooms.isMember(await me(), id)).toBe(true)

  const told: string[] = []
  const { publishBatch } = chat.realtime
  vi.spyOn(chat.realtime, "publishBatch").mockImplementation((entries) => {
    told.push(...entries.map(({ event, from }) => `${event} ${from?.id === ownerId}`))
    return publishBatch(entries)
  })
  request.cookies = owner
  expect(await outcomeOf(deleteRoom(ownerId, id))).toBe(`/rooms/${lobbyId}`)
  expect(told).toEqual(["room-deleted true"])
  expect(await outcomeOf(deleteRoom(ownerId, id))).toBeNull()
  await chat.applyRetention()
  expect((await chat.realtime.history(room({ room: id }))).messages).toEqual([])
})

it("whoever is put out loses what they have open before the room is told, and again when it is asked for again", async () => {
  await enter(here)
  const path = String(await outcomeOf(createRoom(null, await ownFormOf({ name: "Secret", isPrivate: "on" }))))
  const id = path.split("/").at(-1) ?? ""
  const [owner, ownerId] = [request.cookies, await me()]
  await enter(elsewhere)
  const [other, otherId] = [request.cookies, await me()]
  const token = (await chat.rooms.invite(ownerId, id)) ?? ""
  await outcomeOf(acceptInvitation(null, await ownFormOf({ token })))

  const calls: string[] = []
  const { publishBatch } = chat.realtime
  vi.spyOn(chat.realtime, "publishBatch").mockImplementation((entries) => {
    calls.push(...entries.map(({ event }) => event))
    return publishBatch(entries)
  })
  vi.spyOn(chat.realtime, "revoke").mockImplementation(async (user, channel) => {
    calls.push(`revoke ${user.id === otherId} ${channel?.name === `room:${id}`}`)
  })
  request.cookies = owner
  expect(await removeMember(ownerId, id, otherId)).toBe(true)
  expect(calls.splice(0)).toEqual(["revoke true true", "member-put-out"])
  expect(await removeMember(ownerId, id, otherId)).toBe(false)
  expect(calls.splice(0)).toEqual(["revoke true true"])

  expect(await removeMember(ownerId, id, ownerId)).toBe(false)
  expect(await removeMember(ownerId, lobbyId, otherId)).toBe(false)
  request.cookies = other
  expect(await removeMember(otherId, id, ownerId)).toBe(false)
  expect(calls).toEqual([])
})

it("whoever leaves loses what they have open before the room is told, which is told also where that fails", async () => {
  await enter(here)
  const owner = await me()
  const calls: string[] = []
  const { publishBatch } = chat.realtime
  vi.spyOn(chat.realtime, "publishBatch").mockImplementation((entries) => {
    calls.push(...entries.map(({ event }) => event))
    return publishBatch(entries)
  })
  vi.spyOn(chat.realtime, "revoke").mockImplementation(async () => {
    calls.push("revoke")
    throw new Error("the provider is away")
  })
  await expect(outcomeOf(leaveRoom(owner, lobbyId))).rejects.toThrow("the provider is away")
  expect(calls).toEqual(["revoke", "member-left"])
})
