import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { beforeEach, describe, expect, it } from "vitest"
import { findPostgres, startPostgres } from "../../realtime/testing/postgres.ts"
import { type Database, openDatabase, openPool } from "./database.ts"
import { lobbyId } from "./lobby.ts"
import { createRooms, ensureLobby, type Rooms } from "./rooms.ts"

const alice = { id: "alice", name: "Alice" }
const bob = { id: "bob", name: "ボブ" }

interface Opened extends AsyncDisposable {
  rooms: Rooms
  database: Database
}

const open = async (options: Parameters<typeof openDatabase>[0]): Promise<Opened> => {
  const database = await openDatabase(options)
  let clock = 0
  const now = () => {
    clock += 1
    return clock
  }
  return { rooms: createRooms(database, now), database, [Symbol.asyncDispose]: () => database.destroy() }
}

const emptyDir = () => mkdtempSync(join(tmpdir(), "throughline-rooms-"))

const stores: [string, (run: (opened: Opened) => Promise<void>) => Promise<void>][] = [
  [
    "sqlite",
    async (run) => {
      await using opened = await open({ dataDir: emptyDir() })
      await run(opened)
    },
  ],
  [
    "postgres",
    async (run) => {
      await using server = await startPostgres()
      await using opened = await open({ pool: openPool(server.connectionString), dataDir: "" })
      await run(opened)
    },
  ],
]

describe.each(stores)("rooms in %s", (store, withRooms) => {
  beforeEach(({ skip }) => skip(store === "postgres" && findPostgres() === null, "PostgreSQL was not found"))

  it("are listed with one's own first, however many others there are", () =>
    withRooms(async ({ rooms }) => {
      for (let n = 0; n < 500; n += 1) await rooms.create(bob, { name: `Room ${n}`, isPrivate: false })
      const mine = await rooms.create(alice, { name: "Mine", isPrivate: true })
      const listed = await rooms.list("alice")
      expect([listed.length, listed[0]?.id]).toEqual([500, mine.id])
    }))

  it("are found by everyone when public, and joined and left once", () =>
    withRooms(async ({ rooms }) => {
      const created = await rooms.create(alice, { name: "日本語の部屋 / 🎉", isPrivate: false })
      expect(await rooms.find("bob", created.id)).toEqual(created)
      expect(await rooms.isMember("bob", created.id)).toBe(false)
      expect([await rooms.join(bob, created.id), await rooms.join(bob, created.id)]).toEqual([true, false])
      expect(await rooms.members(created.id)).toEqual([alice, bob])
      expect([await rooms.leave("bob", created.id), await rooms.leave("bob", created.id)]).toEqual([
        true,
        false,
      ])
    }))

  it("don't exist for strangers when private", () =>
    withRooms(async ({ rooms }) => {
      const secret = await rooms.create(alice, { name: "secret", isPrivate: true })
      expect(await rooms.find("bob", secret.id)).toBeNull()
      expect(await rooms.join(bob, secret.id)).toBe(false)
      expect(await rooms.invite("bob", secret.id)).toBeNull()
      expect((await rooms.list("bob")).map(({ id }) => id)).toEqual([])
      expect((await rooms.list("alice")).map(({ id }) => id)).toEqual([secret.id])
      expect(await rooms.find("bob", "no-such-room")).toBeNull()
    }))

  it("open to whoever has an invitation, which can't be guessed from the database", () =>
    withRooms(async ({ rooms, database }) => {
      const secret = await rooms.create(alice, { name: "secret", isPrivate: true })
      const token = await rooms.invite("alice", secret.id)
      const kept = await database.selectFrom("invitations").select("token_hash").execute()
      expect(kept.map(({ token_hash }) => token_hash)).not.toContain(token)
      expect(await rooms.invitation("x".repeat(32))).toBeNull()
      expect(await rooms.invitation(token ?? "")).toEqual({ room: secret, invitedBy: "Alice" })
      expect(await rooms.accept(bob, "x".repeat(32))).toBeNull()
      expect(await rooms.accept(bob, token ?? "")).toEqual({ room: secret, isNew: true })
      expect(await rooms.accept(bob, token ?? "")).toMatchObject({ isNew: false })
      expect(await rooms.find("bob", secret.id)).toEqual(secret)
    }))

  it("forget a person: memberships, invitations, what they own", () =>
    withRooms(async ({ rooms }) => {
      const created = await rooms.create(alice, { name: "x", isPrivate: true })
      const token = (await rooms.invite(alice.id, created.id)) ?? ""
      await rooms.accept(bob, token)
      await rooms.forget(alice.id)
      expect(await rooms.members(created.id)).toEqual([bob])
      expect(await rooms.find(bob.id, created.id)).toMatchObject({ ownerId: null })
      expect(await rooms.accept({ id: "carol", name: "Carol" }, token)).toBeNull()
    }))

  it("are listed with the user's own first", () =>
    withRooms(async ({ rooms, database }) => {
      await ensureLobby(database)
      await ensureLobby(database)
      const other = await rooms.create(bob, { name: "other", isPrivate: false })
      const own = await rooms.create(alice, { name: "own", isPrivate: false })
      const listed = (await rooms.list("alice")).map(({ id, isMember }) => [id, isMember])
      expect(listed[0]).toEqual([own.id, true])
      expect(listed).toContainEqual([lobbyId, false])
      expect(listed).toContainEqual([other.id, false])
    }))
})

describe("the chat's database", () => {
  it("may be opened by several processes at once", async () => {
    const dataDir = emptyDir()
    const opened = await Promise.all(Array.from({ length: 4 }, () => openDatabase({ dataDir })))
    await Promise.all(opened.map((database) => ensureLobby(database)))
    await Promise.all(opened.map((database) => database.destroy()))
  })
})
