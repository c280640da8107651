import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { lobbyId } from "#lib/chat/lobby.ts"
import { parseEnv } from "#lib/env/schema.ts"
import { createChat } from "#lib/realtime/create.ts"
import { hostChat, type ProcessChat } from "#lib/realtime/process-chat.ts"
import type { Budget } from "#lib/security/limits.ts"
import {
  acceptInvitation,
  createRoom,
  inviteToRoom,
  joinRoom,
  signIn,
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

/** Somebody with a browser of their own. */
function arrive(address: string): void {
  request.cookies = new Map()
  request.headers = new Headers({ "x-forwarded-for": address })
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

/** Somebody who has signed in from this address. */
async function enter(address: string): Promise<void> {
  arrive(address)
  await outcomeOf(signIn(null, formOf({ name: "Aki" })))
}

/** Leaves nothing of a budget. */
const exhaust = (budget: Budget, whose: string) => chat.limits.take(budget, whose, 1_000_000).catch(() => {})

const refused = { error: "rate-limited", retryAfterMs: expect.any(Number) }
const [here, elsewhere] = ["192.0.2.1", "192.0.2.2"]

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
    rooms: () => outcomeOf(createRoom(null, formOf({ name: "Room" }))),
    joins: () => outcomeOf(joinRoom(null, formOf({ room: lobbyId }))),
    invitations: () => inviteToRoom(lobbyId),
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
    const invitation = await inviteToRoom(lobbyId)
    const token = invitation && "path" in invitation ? invitation.path.split("/").at(-1) : ""
    const accept = () => outcomeOf(acceptInvitation(null, formOf({ token: token ?? "" })))
    expect(await accept()).toBe(`/rooms/${lobbyId}`)
    await exhaust("joins from an address", elsewhere)
    expect(await accept()).toMatchObject(refused)
    await enter(here)
    await exhaust("invitations tried from an address", here)
    expect(await accept()).toMatchObject(refused)
  })
})

it("a room's invitations are withdrawn by its owner alone", async () => {
  await enter(here)
  const room = String(await outcomeOf(createRoom(null, formOf({ name: "Secret", isPrivate: "on" }))))
  const id = room.split("/").at(-1) ?? ""
  const invitation = await inviteToRoom(id)
  const token = (invitation && "path" in invitation && invitation.path.split("/").at(-1)) || ""
  const owner = request.cookies
  await enter(elsewhere)
  expect(await outcomeOf(acceptInvitation(null, formOf({ token })))).toBe(room)
  expect(await withdrawInvitations(id)).toBe(false)
  request.cookies = owner
  expect(await withdrawInvitations(id)).toBe(true)
  await enter(elsewhere)
  expect(await outcomeOf(acceptInvitation(null, formOf({ token })))).toBe(`/invitations/${token}`)
})
