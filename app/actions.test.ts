import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { getSession } from "#lib/chat/current.ts"
import { keptCookieOf } from "#lib/chat/kept-cookie.ts"
import { lobbyId } from "#lib/chat/lobby.ts"
import { parseEnv } from "#lib/env/schema.ts"
import { createLogger } from "#lib/operations/logger.ts"
import { shareLogger } from "#lib/operations/process-log.ts"
import { createChat } from "#lib/realtime/create.ts"
import { hostChat, type ProcessChat } from "#lib/realtime/process-chat.ts"
import type { Budget } from "#lib/security/budgets.ts"
import {
  acceptInvitation,
  createRoom,
  inviteToRoom,
  joinRoom,
  leaveRoom,
  signIn,
  signOut,
  withdrawInvitations,
} from "./actions.ts"

/** The request under way: what Next.js would take from it. */
const request = { cookies: new Map<string, string>(), headers: new Headers() }

vi.mock("next/headers", () => ({
  headers: async () => request.headers,
  cookies: async () => ({
    get: (name: string) => {
      const value = request.cookies.get(name)
      return value === undefined ? undefined : { name, value }
    },
    set: (name: string, value: string) => void request.cookies.set(name, value),
  }),
}))
vi.mock("next/cache", () => ({ revalidatePath() {} }))

let chat: ProcessChat
let dataDir: string

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "throughline-actions-"))
  const env = parseEnv({
    ...{ SESSION_SECRET: "a session secret of this test, long enough", DATA_DIR: dataDir },
    ...{ REALTIME_PROVIDER: "socketio", LOG_LEVEL: "silent" },
  })
  chat = hostChat({ env, ...(await createChat({ env, publishers: [] })) })
})

afterEach(async () => {
  await chat.close()
  rmSync(dataDir, { recursive: true })
})

/** Somebody with a browser of their own, in which the page has been opened. */
function arrive(address: string): void {
  request.cookies = new Map()
  request.headers = new Headers({ "x-forwarded-for": address, cookie: `${keptCookieOf(chat.env)}=1` })
}

function formOf(fields: Record<string, string>): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.set(name, value)
  return form
}

/** Where an action sends the browser: the `Location` of Next.js's own redirect; else what it answered. */
async function outcomeOf(action: Promise<unknown>): Promise<unknown> {
  return action.catch((error: { digest?: string }) => {
    const [kind, , location] = error.digest?.split(";") ?? []
    if (kind !== "NEXT_REDIRECT") throw error
    // As a header, where a line feed would fail.
    return new Headers({ location: location ?? "" }).get("location")
  })
}

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
    // All of their channels, before the answer.
    expect(revoked.mock.calls).toEqual([[expect.objectContaining({ id: owner })]])
    // Stolen before.
    request.cookies = cookies
    expect(await me()).toBe("")
    expect(await outcomeOf(joinRoom(null, formOf({ owner, room: lobbyId })))).toMatch(/^\/\?next=/)
    expect(await outcomeOf(createRoom(null, formOf({ owner, name: "His" })))).toMatch(/^\/\?next=/)
  })

  it("is done by the page of whoever is signed in, and by no other", async () => {
    await enter(here)
    const owner = await me()
    await outcomeOf(signOut("somebody else"))
    expect(await me()).toBe(owner)
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

  const acts = {
    rooms: async () => outcomeOf(createRoom(null, await ownFormOf({ name: "Room" }))),
    joins: async () => outcomeOf(joinRoom(null, await ownFormOf({ room: lobbyId }))),
    invitations: async () => inviteToRoom(await me(), lobbyId),
  }
  it.each([
    ["rooms", 20],
    ["joins", 100],
    ["invitations", 60],
  ] as const)("%s: %i an hour for a person, more for an address", async (made, limit) => {
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
  expect(await outcomeOf(joinRoom(null, formOfStale({ room: room ?? "" })))).toEqual(isRefused)
  expect(await outcomeOf(acceptInvitation(null, formOfStale({ token })))).toEqual(isRefused)
  expect(await inviteToRoom(stale, lobbyId)).toEqual(isRefused)
  expect(await withdrawInvitations(stale, lobbyId)).toEqual(isRefused)
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
