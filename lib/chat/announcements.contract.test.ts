import { createRealtime } from "throughline/server"
import { waitFor } from "throughline/testing"
import { v7 as uuidv7 } from "uuid"
import { expect, it } from "vitest"
import { createAnnouncements } from "./announcements.ts"
import { chatChannels, room } from "./channels.ts"
import { eraseMessages } from "./erase.ts"
import { describeStores, type TestProcess } from "./testing/stores.ts"

const alice = { id: "alice", name: "Alice" }
const bob = { id: "bob", name: "ボブ" }

/** Announcements of a process, what they couldn't do, and what a room was told. */
function announcingOf({ database, log }: TestProcess) {
  const realtime = createRealtime({
    ...{ channels: chatChannels, log, publishers: [], onError: () => {} },
    ...{ identify: () => null, authorize: () => false },
  })
  const failures: string[] = []
  const onError = (error: unknown) => void failures.push((error as Error).message)
  return {
    ...createAnnouncements({ database, realtime, onError }),
    failures,
    async told(roomId: string) {
      const { messages } = await realtime.history(room({ room: roomId }), { limit: 500 })
      return messages.map(({ event, from }) => `${event} by ${from?.name}`)
    },
  }
}

describeStores("what was done in a room", (use) => {
  it("is said in it once, in the order in which it was done, whoever comes to say it", () =>
    use(async ({ main, open }) => {
      const [one, other] = [announcingOf(main), announcingOf(await open())]
      const { rooms, database } = main
      const { id } = await rooms.create(alice, { name: "x", isPrivate: false })
      await rooms.join(bob, id)
      await rooms.join(bob, id)
      await rooms.rename(alice.id, id, "y")
      await rooms.rename(alice.id, id, "y")
      await rooms.leave(bob.id, id)
      await Promise.all([one.say(id), one.say(id), other.say(), other.say(id)])
      expect(await one.told(id)).toEqual([
        ...["room-created by Alice", "member-joined by ボブ", "room-renamed by Alice", "member-left by ボブ"],
      ])
      expect(await database.selectFrom("announcements").select("id").execute()).toEqual([])
    }))

  it("is said by the next one who comes where the log couldn't be reached, and counts meanwhile", () =>
    use(async ({ open }) => {
      let isAway = true
      const main = await open({
        log: (log) => ({
          ...log,
          append: async (entries) => {
            if (isAway) throw new Error("the log is away")
            return log.append(entries)
          },
        }),
      })
      const announcing = announcingOf(main)
      const { rooms } = main
      const { id } = await rooms.create(alice, { name: "x", isPrivate: true })
      await rooms.accept(bob, (await rooms.invite(alice.id, id)) ?? "")
      expect(await rooms.remove(alice.id, id, bob.id)).toEqual(bob)
      await announcing.say(id)
      expect(await announcing.told(id)).toEqual([])
      expect(announcing.failures).toEqual([expect.stringMatching(/member-put-out.*it is done all the same/)])
      expect(await rooms.isMember(bob.id, id)).toBe(false)

      isAway = false
      await announcing.say()
      expect(await announcing.told(id)).toEqual([
        ...["room-created by Alice", "member-joined by ボブ", "member-put-out by ボブ"],
      ])
    }))

  it("keeps nobody waiting for more than two turns of a log that fails slowly, however many come", () =>
    use(async ({ open }) => {
      let tries = 0
      const { promise: answer, resolve } = Promise.withResolvers<"fail">()
      let isAway = true
      const main = await open({
        log: (log) => ({
          ...log,
          async append(entries) {
            if (!isAway) return log.append(entries)
            tries += 1
            throw new Error(`the log is away, and says so late: ${await answer}`)
          },
        }),
      })
      const announcing = announcingOf(main)
      const { id } = await main.rooms.create(alice, { name: "x", isPrivate: false })
      const first = announcing.say(id)
      await waitFor(() => tries === 1)
      await main.rooms.join(bob, id)
      const others = Array.from({ length: 9 }, () => announcing.say(id))
      resolve("fail")
      await Promise.all([first, ...others])
      expect(tries).toBe(2)
      expect(announcing.failures).toEqual([
        expect.stringMatching(/unable to say room-created in/),
        expect.stringMatching(/unable to say room-created, member-joined in/),
      ])

      isAway = false
      await announcing.say(id)
      expect(await announcing.told(id)).toEqual(["room-created by Alice", "member-joined by ボブ"])
    }))

  it("is said however many came at once", () =>
    use(async ({ main }) => {
      const announcing = announcingOf(main)
      const { id } = await main.rooms.create(alice, { name: "x", isPrivate: false })
      const noted = Array.from({ length: 130 }, (_, index) => ({
        ...{ id: uuidv7(), room_id: id, user_id: `p${index}`, user_name: `P${index}` },
        ...{ event: "member-joined", payload: "{}" },
      }))
      await main.database.insertInto("announcements").values(noted).execute()
      await announcing.say(id)
      expect(await announcing.told(id)).toHaveLength(131)
    }))

  it("is said of somebody without a name without one", () =>
    use(async ({ main }) => {
      const announcing = announcingOf(main)
      const { id } = await main.rooms.create({ id: "nameless" }, { name: "x", isPrivate: false })
      await announcing.say(id)
      expect(await announcing.told(id)).toEqual(["room-created by undefined"])
    }))

  it("isn't said where it wasn't done", () =>
    use(async ({ main }) => {
      const announcing = announcingOf(main)
      const { id } = await main.rooms.create(alice, { name: "x", isPrivate: true })
      await announcing.say()
      for (const refused of [
        () => main.rooms.rename(bob.id, id, "y"),
        () => main.rooms.leave(bob.id, id),
        () => main.rooms.join(bob, id),
        () => main.rooms.remove(alice.id, id, bob.id),
        () => main.rooms.delete(bob.id, id),
      ])
        expect([false, null]).toContain(await refused())
      await announcing.say()
      expect(await announcing.told(id)).toEqual(["room-created by Alice"])
    }))

  it("isn't said any more of somebody who is erased, whoever says it while that goes on", () =>
    use(async ({ main, open }) => {
      const { rooms, database, log, index } = main
      const other = announcingOf(await open())
      const { id } = await rooms.create(alice, { name: "x", isPrivate: true })
      const comeAndGo = async () => {
        await rooms.accept(bob, (await rooms.invite(alice.id, id)) ?? "")
        await rooms.remove(alice.id, id, bob.id)
      }
      await comeAndGo()
      const sayingAfterwards: typeof log = {
        ...log,
        async erase(userId) {
          const erased = await log.erase(userId)
          await other.say()
          return erased
        },
      }
      // Of a release before.
      const person = (user: typeof bob) => ({
        ...{ id: uuidv7(), room_id: id, user_id: alice.id, user_name: alice.name },
        ...{ event: "member-removed", payload: JSON.stringify({ person: user }) },
      })
      const noted = [person(bob), person({ id: "carol", name: "Carol" })]
      await database.insertInto("announcements").values(noted).execute()
      await eraseMessages({ database, log: sayingAfterwards, index }, bob.id)
      const kept = ["room-created by Alice", "member-removed by Alice"]
      expect(await other.told(id)).toEqual(kept)

      await comeAndGo()
      await rooms.rename(alice.id, id, "y")
      await rooms.forget(bob.id)
      await other.say()
      expect(await other.told(id)).toEqual([...kept, "room-renamed by Alice"])
      expect(other.failures).toEqual([])
    }))
})
