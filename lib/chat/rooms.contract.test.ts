import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { sql } from "kysely"
import { waitFor } from "throughline/testing"
import { expect, it } from "vitest"
import { createFileRegister } from "../files/register.ts"
import { room } from "./channels.ts"
import { openDatabase } from "./database.ts"
import { createGuests } from "./guests.ts"
import { invitationDays } from "./invitation.ts"
import { createRooms, ensureLobby, listVersion } from "./rooms.ts"
import { describeStores, type TestProcess, writerOf } from "./testing/stores.ts"

const tablesOfRooms = [
  ...[
    "members",
    "invitations",
    "read_positions",
    "message_index",
    "message_mentions",
    "message_index_cursors",
  ],
  ...["files", "announcements", "deleted_rooms"],
]
const dayMs = 24 * 60 * 60 * 1000
const alice = { id: "alice", name: "Alice" }
const bob = { id: "bob", name: "ボブ" }

/** While a table is missing, whatever writes to it fails. */
async function without(table: string, { database }: TestProcess, run: () => Promise<void>): Promise<void> {
  const rename = (from: string, to: string) =>
    sql`ALTER TABLE ${sql.table(from)} RENAME TO ${sql.table(to)}`.execute(database)
  await rename(table, "away")
  await run()
  await rename("away", table)
}

describeStores("rooms", (use) => {
  /** Rooms by a clock that each look at moves on. */
  const withRooms = (run: (opened: TestProcess) => Promise<void>) =>
    use(async ({ main }) => {
      let clock = 0
      const now = () => ++clock
      await run({ ...main, rooms: createRooms(main.database, now, main.log) })
    })

  it("are listed with one's own first, then the most recently active, however many somebody makes", () =>
    withRooms(async ({ rooms, database, index, log }) => {
      const own = await rooms.create(alice, { name: "own", isPrivate: true })
      const quiet = await rooms.create(bob, { name: "quiet", isPrivate: false })
      const lively = await rooms.create(bob, { name: "lively", isPrivate: false })
      const flood = Array.from({ length: 10_000 }, (_, n) => ({
        ...{ id: `flood-${n}`, name: "x", is_private: 0, owner_id: "mallory" },
        ...{ created_at: 1_000 + n, active_at: 1_000 + n },
      }))
      for (let from = 0; from < flood.length; from += 2_000)
        await database
          .insertInto("rooms")
          .values(flood.slice(from, from + 2_000))
          .execute()
      const ownLater = { id: "own-later", name: "own, later", is_private: 0, owner_id: null }
      const newer = { id: "newer", name: "newer", is_private: 0, owner_id: null }
      const at = 100_000
      await database
        .insertInto("rooms")
        .values([ownLater, newer].map((row) => ({ ...row, created_at: at, active_at: at })))
        .execute()
      await rooms.join(alice, ownLater.id)
      await writerOf({ log }, lively.id).say(bob, "hello")
      await index.catchUp([lively.id])

      const listed = (await rooms.list(alice.id)).map(({ id, isMember }) => `${id} ${isMember}`)
      expect(listed.slice(0, 4)).toEqual([
        "own-later true",
        `${own.id} true`,
        `${lively.id} false`,
        "newer false",
      ])
      expect(listed.length).toBe(2 + 200)
      expect(listed[4]).toBe("flood-9999 false")
      expect(listed).not.toContain(`${quiet.id} false`)
    }))

  it("of which somebody is in very many are listed, and counted, by the most recent activity", () =>
    withRooms(async ({ rooms, database, readPositions, log }) => {
      const row = (n: number) => ({
        ...{ id: `room-${n}`, name: "x", is_private: 1, owner_id: null, created_at: n, active_at: n },
      })
      const many = Array.from({ length: 510 }, (_, n) => row(n))
      await database.insertInto("rooms").values(many).execute()
      const member = { user_id: alice.id, user_name: "Alice", joined_at: 0 }
      await database
        .insertInto("members")
        .values(many.map(({ id }) => ({ room_id: id, ...member })))
        .execute()
      // As if the index had read their empty logs, one by one.
      const [head] = await log.heads([""])
      const read = { epoch: head?.epoch ?? "", seq: 0, first: head?.first ?? 1, version: 1 }
      await database
        .insertInto("message_index_cursors")
        .values(many.map(({ id }) => ({ room_id: id, ...read })))
        .execute()
      const newest = many.slice(10).map(({ id }) => id)
      expect((await rooms.list(alice.id)).map(({ id }) => id)).toEqual(newest.toReversed())
      const counted = await readPositions.unread(alice.id)
      expect(counted.map(({ room }) => room).sort()).toEqual(newest.toSorted())
    }))

  it("are another list once one of them is made, renamed, joined or ended, and the same whatever is said where", () =>
    withRooms(async ({ rooms, log, index }) => {
      const versions: string[] = []
      const look = async () => versions.push(listVersion(await rooms.list("bob"), bob))
      await look()
      const [first, second] = [
        await rooms.create(alice, { name: "first", isPrivate: false }),
        await rooms.create(alice, { name: "second", isPrivate: false }),
      ]
      await look()
      const order = async () => (await rooms.list("bob")).map(({ name }) => name)
      const before = await order()
      await writerOf({ log }, first.id).say(alice, "hello")
      await index.catchUp([first.id])
      expect(await order()).toEqual(before.toReversed())
      expect(listVersion(await rooms.list("bob"), bob)).toBe(versions.at(-1))
      await rooms.rename(alice.id, first.id, "renamed")
      await look()
      await rooms.join(bob, second.id)
      await look()
      await rooms.delete(alice.id, second.id)
      await look()
      expect(new Set(versions).size).toBe(5)
      // What the reader is called stands with them.
      expect(listVersion(await rooms.list("bob"), { ...bob, name: "Rob" })).not.toBe(versions.at(-1))
    }))

  it("of which there are more than are listed are the same list, whichever of them are", () =>
    withRooms(async ({ rooms, database }) => {
      const make = (ids: readonly string[], at: number) =>
        database
          .insertInto("rooms")
          .values(
            ids.map((id) => ({ id, name: id, is_private: 0, owner_id: null, created_at: at, active_at: at })),
          )
          .execute()
      await make(
        Array.from({ length: 199 }, (_, number) => `room-${number}`),
        0,
      )
      const versionNow = async () => listVersion(await rooms.list("bob"), bob)
      const few = await versionNow()
      await make(["one-more"], 1)
      const many = await versionNow()
      expect(many).not.toBe(few)
      await make(["the-newest"], 2)
      expect(await versionNow()).toBe(many)
      await rooms.join(bob, "the-newest")
      expect(await versionNow()).not.toBe(many)
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

  it.each(["members", "read_positions"])("are made with their first member, or not at all: %s", (table) =>
    use(async ({ main }) => {
      await without(table, main, () =>
        expect(main.rooms.create(alice, { name: "half", isPrivate: true })).rejects.toThrow(),
      )
      const half = main.database.selectFrom("rooms").select("name").where("name", "=", "half")
      expect(await half.execute()).toEqual([])
      expect(await main.database.selectFrom("members").select("user_id").execute()).toEqual([])
    }),
  )

  it("are joined and left with the place up to where they are read, or not at all", () =>
    use(async ({ main }) => {
      const { rooms } = main
      const { id } = await rooms.create(alice, { name: "open", isPrivate: false })
      await without("read_positions", main, () => expect(rooms.join(bob, id)).rejects.toThrow())
      expect(await rooms.isMember(bob.id, id)).toBe(false)
      await rooms.join(bob, id)
      await without("read_positions", main, () => expect(rooms.leave(bob.id, id)).rejects.toThrow())
      expect(await rooms.isMember(bob.id, id)).toBe(true)
      expect(await rooms.leave(bob.id, id)).toBe(true)
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

  it("stay closed to an invitation that has expired, which is said for a month", () =>
    use(async ({ main }) => {
      let now = 1_000
      const rooms = createRooms(main.database, () => now, main.log)
      const secret = await rooms.create(alice, { name: "secret", isPrivate: true })
      const token = (await rooms.invite(alice.id, secret.id)) ?? ""
      now += invitationDays * dayMs - 1
      expect(await rooms.invitation(token)).toMatchObject({ room: secret })
      now += 1
      expect(await rooms.invitation(token)).toBe("expired")
      expect(await rooms.accept(bob, token)).toBeNull()
      expect(await rooms.isMember(bob.id, secret.id)).toBe(false)
      const tokens = () => main.database.selectFrom("invitations").select("token_hash").execute()
      now += 30 * dayMs - 1
      await rooms.invite(alice.id, secret.id)
      expect([await rooms.invitation(token), await tokens()]).toMatchObject(["expired", { length: 2 }])
      now += 1
      await rooms.invite(alice.id, secret.id)
      expect([await rooms.invitation(token), await tokens()]).toMatchObject([null, { length: 2 }])
    }))

  it("are closed to all their invitations by their owner, and by nobody else", () =>
    withRooms(async ({ rooms }) => {
      const secret = await rooms.create(alice, { name: "secret", isPrivate: true })
      const other = await rooms.create(alice, { name: "other", isPrivate: true })
      const invite = async (userId: string, roomId: string) => (await rooms.invite(userId, roomId)) ?? ""
      const [hers, elsewhere] = [await invite(alice.id, secret.id), await invite(alice.id, other.id)]
      await rooms.accept(bob, hers)
      const his = await invite(bob.id, secret.id)
      expect(await rooms.withdrawInvitations(bob.id, secret.id)).toBe(false)
      expect(await rooms.withdrawInvitations(alice.id, "no-such-room")).toBe(false)
      expect(await rooms.invitation(his)).not.toBeNull()
      expect(await rooms.withdrawInvitations(alice.id, secret.id)).toBe(true)
      const carol = { id: "carol", name: "Carol" }
      for (const token of [hers, his])
        expect([await rooms.invitation(token), await rooms.accept(carol, token)]).toEqual([null, null])
      expect(await rooms.invitation(elsewhere)).not.toBeNull()
      expect(await rooms.isMember(bob.id, secret.id)).toBe(true)
      expect(await rooms.invitation(await invite(bob.id, secret.id))).not.toBeNull()
    }))

  it("are renamed by their owner, and by nobody else", () =>
    withRooms(async ({ rooms }) => {
      const { id } = await rooms.create(alice, { name: "before", isPrivate: false })
      await rooms.join(bob, id)
      expect(await rooms.rename(bob.id, id, "bob's")).toBe(false)
      expect(await rooms.rename(alice.id, "no-such-room", "after")).toBe(false)
      expect([await rooms.rename(alice.id, id, "after"), await rooms.rename(alice.id, id, "after")]).toEqual([
        true,
        false,
      ])
      expect(await rooms.find(bob.id, id)).toMatchObject({ name: "after", ownerId: alice.id })
    }))

  it("lose a member to their owner, with every invitation, where they are private", () =>
    withRooms(async ({ rooms, database }) => {
      const [secret, open] = [
        await rooms.create(alice, { name: "secret", isPrivate: true }),
        await rooms.create(alice, { name: "open", isPrivate: false }),
      ]
      const token = (await rooms.invite(alice.id, secret.id)) ?? ""
      await rooms.accept(bob, token)
      await rooms.join(bob, open.id)
      const his = (await rooms.invite(bob.id, secret.id)) ?? ""
      for (const [owner, room, member] of [
        [bob.id, secret.id, alice.id],
        [alice.id, secret.id, alice.id],
        [alice.id, secret.id, "carol"],
        [bob.id, open.id, alice.id],
        [alice.id, open.id, alice.id],
        [alice.id, open.id, "carol"],
        [alice.id, "no-such-room", bob.id],
      ] as const)
        expect([owner, room, member, await rooms.remove(owner, room, member)]).toEqual([
          ...[owner, room, member, null],
        ])
      expect(await rooms.invitation(his)).not.toBeNull()

      expect(await rooms.remove(alice.id, secret.id, bob.id)).toEqual(bob)
      expect([await rooms.isMember(bob.id, secret.id), await rooms.find(bob.id, secret.id)]).toEqual([
        ...[false, null],
      ])
      for (const void_ of [token, his]) expect(await rooms.accept(bob, void_)).toBeNull()
      const positions = database.selectFrom("read_positions").selectAll()
      expect(
        await positions.where("room_id", "=", secret.id).where("user_id", "=", bob.id).execute(),
      ).toEqual([])
      expect(await rooms.remove(alice.id, secret.id, bob.id)).toBeNull()
      await rooms.accept(bob, (await rooms.invite(alice.id, secret.id)) ?? "")
      expect(await rooms.isMember(bob.id, secret.id)).toBe(true)
    }))

  it("keep out of a public one whom their owner put out, until they are let in again", () =>
    withRooms(async ({ rooms, database }) => {
      const { id } = await rooms.create(alice, { name: "open", isPrivate: false })
      const token = (await rooms.invite(alice.id, id)) ?? ""
      await rooms.join(bob, id)
      expect(await rooms.keptOut(bob.id, id)).toBeNull()
      expect(await rooms.remove(alice.id, id, bob.id)).toEqual(bob)
      const state = async () => [
        await rooms.isMember(bob.id, id),
        await rooms.isKeptOut(bob.id, id),
        await rooms.keptOut(alice.id, id),
      ]
      expect(await state()).toEqual([false, true, [bob]])
      // By neither way, though others come by them.
      expect([await rooms.join(bob, id), await rooms.accept(bob, token)]).toEqual([false, null])
      const carol = { id: "carol", name: "Carol" }
      expect(await rooms.accept(carol, token)).toMatchObject({ isNew: true })
      expect(await state()).toEqual([false, true, [bob]])
      expect((await rooms.list(bob.id)).find((room) => room.id === id)).toMatchObject({ isMember: false })

      // It is the owner's to say, who is in it.
      for (const other of [bob.id, carol.id])
        expect([await rooms.keptOut(other, id), await rooms.letIn(other, id, bob.id)]).toEqual([null, false])
      await rooms.leave(alice.id, id)
      expect([await rooms.keptOut(alice.id, id), await rooms.letIn(alice.id, id, bob.id)]).toEqual([
        null,
        false,
      ])
      await rooms.join(alice, id)

      await createGuests(database).rename(bob.id, "Rob")
      expect(await rooms.keptOut(alice.id, id)).toEqual([{ id: bob.id, name: "Rob" }])
      expect([await rooms.letIn(alice.id, id, bob.id), await rooms.letIn(alice.id, id, bob.id)]).toEqual([
        ...[true, false],
      ])
      expect(await state()).toEqual([false, false, []])
      expect(await rooms.join(bob, id)).toBe(true)
    }))

  it("let in all whom they keep out at once, where their owner says so", () =>
    withRooms(async ({ rooms }) => {
      const [open, other] = [
        await rooms.create(alice, { name: "open", isPrivate: false }),
        await rooms.create(alice, { name: "other", isPrivate: false }),
      ]
      const people = ["carol", "dan"].map((name) => ({ id: name, name }))
      for (const { id } of [open, other])
        for (const person of people) {
          await rooms.join(person, id)
          await rooms.remove(alice.id, id, person.id)
        }
      await rooms.join(bob, open.id)
      expect(await rooms.letEverybodyIn(bob.id, open.id)).toEqual([])
      expect(await rooms.keptOut(alice.id, open.id)).toHaveLength(2)
      expect((await rooms.letEverybodyIn(alice.id, open.id)).toSorted()).toEqual(["carol", "dan"])
      expect([await rooms.letEverybodyIn(alice.id, open.id), await rooms.keptOut(alice.id, open.id)]).toEqual(
        [[], []],
      )
      expect(await rooms.join({ id: "carol", name: "carol" }, open.id)).toBe(true)
      expect(await rooms.keptOut(alice.id, other.id)).toHaveLength(2)
      // Whoever has left rules it no more.
      await rooms.leave(alice.id, other.id)
      expect(await rooms.letEverybodyIn(alice.id, other.id)).toEqual([])
      expect(await rooms.isKeptOut("dan", other.id)).toBe(true)
    }))

  it("keep nobody out who has signed out for good, who is forgotten, or where nobody could let them in", () =>
    withRooms(async ({ rooms, database }) => {
      const { id } = await rooms.create(alice, { name: "open", isPrivate: false })
      const others = ["carol", "dan", "eve"].map((name) => ({ id: name, name }))
      for (const other of others) {
        await rooms.join(other, id)
        await rooms.remove(alice.id, id, other.id)
      }
      await createGuests(database).leave("carol")
      await rooms.forget("dan")
      expect((await rooms.keptOut(alice.id, id))?.map((person) => person.id)).toEqual(["eve"])
      await rooms.forget(alice.id)
      expect(await rooms.isKeptOut("eve", id)).toBe(false)
      expect(await rooms.join({ id: "eve", name: "eve" }, id)).toBe(true)
    }))

  it("let nobody in who is put out while they come", () =>
    use(async ({ main }) => {
      const { rooms, database, log } = main
      const { id } = await rooms.create(alice, { name: "open", isPrivate: false })
      const token = (await rooms.invite(alice.id, id)) ?? ""
      await rooms.join(bob, id)
      let isLate = true
      // What is asked for between the question and the membership.
      const coming = createRooms(database, Date.now, {
        ...log,
        async heads(channels) {
          if (isLate) await rooms.remove(alice.id, id, bob.id)
          isLate = false
          return log.heads(channels)
        },
      })
      expect([await coming.join(bob, id), await coming.accept(bob, token)]).toEqual([false, null])
      expect(await rooms.isMember(bob.id, id)).toBe(false)
    }))

  it("leave nothing of whom they keep out when they end", () =>
    withRooms(async ({ rooms, database }) => {
      const { id } = await rooms.create(alice, { name: "open", isPrivate: false })
      await rooms.join(bob, id)
      await rooms.remove(alice.id, id, bob.id)
      await rooms.delete(alice.id, id)
      expect(await database.selectFrom("kept_out").selectAll().execute()).toEqual([])
    }))

  it.each(["remove", "withdrawInvitations"] as const)(
    "let nobody in by an invitation that is made void while they come: %s",
    (change) =>
      use(async ({ main }) => {
        const { rooms, database, log } = main
        const { id } = await rooms.create(alice, { name: "secret", isPrivate: true })
        const token = (await rooms.invite(alice.id, id)) ?? ""
        await rooms.accept(bob, token)
        // What is asked for between the invitation and the membership.
        const coming = createRooms(database, Date.now, {
          async heads(channels) {
            await rooms[change](alice.id, id, bob.id)
            return log.heads(channels)
          },
        })
        const carol = { id: "carol", name: "Carol" }
        for (const person of [bob, carol]) expect(await coming.accept(person, token)).toBeNull()
        expect(await rooms.isMember(carol.id, id)).toBe(false)
        expect(await rooms.isMember(bob.id, id)).toBe(change === "withdrawInvitations")
      }),
  )

  it("let somebody in or put them out at the same moment, and never both", () =>
    use(async ({ main, open }) => {
      const other = await open()
      const { id } = await main.rooms.create(alice, { name: "secret", isPrivate: true })
      for (let time = 0; time < 20; time += 1) {
        const token = (await main.rooms.invite(alice.id, id)) ?? ""
        await main.rooms.accept(bob, token)
        await Promise.all([other.rooms.accept(bob, token), main.rooms.remove(alice.id, id, bob.id)])
        expect(await main.rooms.isMember(bob.id, id)).toBe(false)
      }
    }))

  it("put nobody out who is leaving by themselves at that moment, and say nothing of it", () =>
    use(async ({ main, open }) => {
      const { rooms, database, isPostgres } = main
      const other = await open()
      const { id } = await rooms.create(alice, { name: "secret", isPrivate: true })
      await rooms.accept(bob, (await rooms.invite(alice.id, id)) ?? "")
      const { removing } = await other.database.transaction().execute(async (transaction) => {
        await transaction.deleteFrom("members").where("user_id", "=", bob.id).execute()
        const removing = rooms.remove(alice.id, id, bob.id)
        const waiting = sql`SELECT 1 FROM pg_locks WHERE NOT granted`
        // SQLite doesn't let the removal begin before.
        if (isPostgres) await waitFor(async () => (await waiting.execute(transaction)).rows.length > 0)
        return { removing }
      })
      expect(await removing).toBeNull()
      const noted = await database.selectFrom("announcements").select("event").orderBy("id").execute()
      expect(noted.map(({ event }) => event)).toEqual(["room-created", "member-joined"])
    }))

  it("have no invitation of somebody who was put out while making it, and erase people who are put out meanwhile", () =>
    use(async ({ main, open }) => {
      const other = await open()
      for (let time = 0; time < 20; time += 1) {
        const { id } = await main.rooms.create(alice, { name: "secret", isPrivate: true })
        await main.rooms.accept(bob, (await main.rooms.invite(alice.id, id)) ?? "")
        const [his] = await Promise.all([
          other.rooms.invite(bob.id, id),
          main.rooms.remove(alice.id, id, bob.id),
        ])
        if (his) expect(await main.rooms.accept(bob, his)).toBeNull()
        await main.rooms.accept(bob, (await main.rooms.invite(alice.id, id)) ?? "")
        await main.rooms.invite(bob.id, id)
        await Promise.all([other.rooms.forget(bob.id), main.rooms.remove(alice.id, id, bob.id)])
        expect(await main.rooms.isMember(bob.id, id)).toBe(false)
      }
    }))

  it("are ruled no more by an owner who has left, until they are back", () =>
    withRooms(async ({ rooms }) => {
      const { id } = await rooms.create(alice, { name: "secret", isPrivate: true })
      const open = await rooms.create(alice, { name: "open", isPrivate: false })
      await rooms.accept(bob, (await rooms.invite(alice.id, id)) ?? "")
      const his = (await rooms.invite(bob.id, id)) ?? ""
      for (const room of [id, open.id]) {
        await rooms.leave(alice.id, room)
        expect(await rooms.rename(alice.id, room, "after")).toBe(false)
        expect(await rooms.withdrawInvitations(alice.id, room)).toBe(false)
      }
      expect(await rooms.remove(alice.id, id, bob.id)).toBeNull()
      expect(await rooms.isMember(bob.id, id)).toBe(true)
      await rooms.accept(alice, his)
      expect(await rooms.rename(alice.id, id, "after")).toBe(true)
      expect(await rooms.remove(alice.id, id, bob.id)).toEqual(bob)
    }))

  it("end by their owner's wish, for everybody, and nothing is left of them", () =>
    use(async ({ main }) => {
      let clock = Date.now()
      const { database, index, log, readPositions } = main
      const rooms = createRooms(database, () => clock, log)
      const register = createFileRegister(database)
      const announced = () => database.deleteFrom("announcements").execute()
      const made = [
        await rooms.create(alice, { name: "hers", isPrivate: true }),
        await rooms.create(alice, { name: "another", isPrivate: true }),
      ]
      const file = { name: "x.txt", size: 1, thumbnailSize: 0, uploaderId: bob.id }
      const said: string[] = []
      const files: string[] = []
      for (const { id } of made) {
        await rooms.accept(bob, (await rooms.invite(alice.id, id)) ?? "")
        said.push((await writerOf(main, id).say(alice, "look", { mentions: [bob.id] })).id)
        files.push(await register.declare({ ...file, roomId: id }))
      }
      await readPositions.unread(bob.id)
      await announced()
      const [{ id }, another] = made as [(typeof made)[0], (typeof made)[0]]
      const token = (await rooms.invite(bob.id, id)) ?? ""

      expect([await rooms.delete(bob.id, id), await rooms.delete(alice.id, "no-such-room")]).toEqual([
        false,
        false,
      ])
      await rooms.leave(alice.id, another.id)
      expect(await rooms.delete(alice.id, another.id)).toBe(false)
      expect(await rooms.find(bob.id, id)).not.toBeNull()

      expect([await rooms.delete(alice.id, id), await rooms.delete(alice.id, id)]).toEqual([true, false])
      for (const { id: userId } of [alice, bob]) {
        expect([await rooms.find(userId, id), await rooms.isMember(userId, id)]).toEqual([null, false])
        expect((await rooms.list(userId)).map(({ name }) => name)).not.toContain("hers")
      }
      expect([await rooms.invitation(token), await rooms.accept(bob, token)]).toEqual([null, null])
      expect((await readPositions.unread(bob.id)).map(({ room }) => room)).toEqual([another.id])
      expect([await index.quote(id, [said[0] ?? ""]), await register.find(files[0] ?? "")]).toEqual([
        [],
        null,
      ])
      expect(await register.doomed(10)).toEqual([files[0]])
      expect(await register.find(files[1] ?? "")).not.toBeNull()

      // Whoever has it open is told before the log is emptied.
      const channel = room({ room: id }).name
      const kept = async () => (await log.readAfter(channel, 0, 10)).messages.length
      expect([await rooms.clear(log), await kept()]).toEqual([0, 1])
      await announced()
      expect([await rooms.clear(log), await kept()]).toEqual([1, 0])
      // What somebody was let in with just before comes after.
      await writerOf(main, id).say(bob, "too late")
      expect([await rooms.clear(log), await kept()]).toEqual([1, 0])
      clock += dayMs
      await rooms.clear(log)
      expect(await log.readAfter(room({ room: another.id }).name, 0, 10)).toMatchObject({ messages: [{}] })
      for (const table of tablesOfRooms) {
        const left = await sql<{ room_id: string }>`SELECT room_id FROM ${sql.table(table)}`.execute(database)
        expect([table, left.rows.filter(({ room_id }) => room_id === id)]).toEqual([
          ...[table, table === "files" ? [{ room_id: id }] : []],
        ])
      }
    }))

  it("end whatever is done in them at the same moment", () =>
    use(async ({ main, open }) => {
      const other = await open()
      for (let time = 0; time < 6; time += 1) {
        const { id } = await main.rooms.create(alice, { name: "open", isPrivate: false })
        await main.rooms.join(bob, id)
        const token = (await main.rooms.invite(alice.id, id)) ?? ""
        await writerOf(main, id).say(bob, "hello")
        const carol = { id: "carol", name: "Carol" }
        const [deleted] = await Promise.all([
          main.rooms.delete(alice.id, id),
          other.index.catchUp([id]),
          other.rooms.join(carol, id),
          other.rooms.accept({ id: "dan", name: "Dan" }, token),
          other.rooms.leave(bob.id, id),
          other.rooms.forget("somebody"),
          other.readPositions.unread(bob.id),
        ])
        expect([
          deleted,
          await main.rooms.isMember(carol.id, id),
          await main.rooms.find(carol.id, id),
        ]).toEqual([...[true, false, null]])
      }
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
})

it("the chat's database may be opened by several processes at once", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "throughline-rooms-"))
  const opened = await Promise.all(Array.from({ length: 4 }, () => openDatabase({ dataDir })))
  await Promise.all(opened.map((database) => ensureLobby(database)))
  await Promise.all(opened.map((database) => database.destroy()))
  rmSync(dataDir, { recursive: true })
})
