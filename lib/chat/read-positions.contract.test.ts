import type { User } from "throughline"
import { expect, it } from "vitest"
import { describeStores, type TestProcess, writerOf } from "./testing/stores.ts"

const [alice, bob, carol] = ["alice", "bob", "carol"].map((id) => ({ id, name: id })) as [User, User, User]

/** A room of Alice's that Bob is in too. */
async function openRoom({ rooms, log }: TestProcess) {
  const { id: roomId } = await rooms.create(alice, { name: "x", isPrivate: true })
  const token = await rooms.invite(alice.id, roomId)
  await rooms.accept(bob, token ?? "")
  return { roomId, token: token ?? "", ...writerOf({ log }, roomId) }
}

/** `unread/mentions` of a person in a room. */
async function countsOf({ readPositions }: TestProcess, user: User, roomId: string) {
  const found = (await readPositions.unread(user.id)).find(({ room }) => room === roomId)
  return found && `${found.unread}/${found.mentions}`
}

describeStores("read positions", (use) => {
  it("count what others said since, and not what was deleted", () =>
    use(async ({ main }) => {
      const { roomId, say, edit, remove } = await openRoom(main)
      const first = await say(alice, "1")
      await say(alice, "2")
      await say(bob, "own")
      await edit(alice, first.id, "edited")
      expect(await countsOf(main, bob, roomId)).toBe("2/0")
      expect(await countsOf(main, alice, roomId)).toBe("1/0")
      await remove(alice, first.id)
      expect(await countsOf(main, bob, roomId)).toBe("1/0")
    }))

  it("count mentions and answers to one's own messages", () =>
    use(async ({ main }) => {
      const { roomId, say, edit, remove } = await openRoom(main)
      const own = await say(bob, "own")
      const answer = await say(alice, "an answer", { replyTo: { id: own.id, seq: own.seq } })
      const mention = await say(alice, "@bob", { mentions: ["bob", "bob", "alice"] })
      expect(await countsOf(main, bob, roomId)).toBe("2/2")
      expect(await countsOf(main, alice, roomId)).toBe("1/0")
      await edit(alice, mention.id, "nobody any more")
      expect(await countsOf(main, bob, roomId)).toBe("2/1")
      await edit(alice, answer.id, "still an answer")
      expect(await countsOf(main, bob, roomId)).toBe("2/1")
      await edit(alice, mention.id, "@bob again", { mentions: ["bob"] })
      expect(await countsOf(main, bob, roomId)).toBe("2/2")
      await remove(alice, answer.id)
      expect(await countsOf(main, bob, roomId)).toBe("1/1")
      await say(bob, "to myself", { mentions: ["bob"], replyTo: { id: own.id, seq: own.seq } })
      expect(await countsOf(main, bob, roomId)).toBe("1/1")
    }))

  it("stop counting at a hundred", () =>
    use(async ({ main }) => {
      const { roomId, say } = await openRoom(main)
      for (let n = 0; n < 103; n += 1) await say(alice, `${n}`, { mentions: ["bob"] })
      expect(await countsOf(main, bob, roomId)).toBe("100/100")
    }))

  it("move on and never back, for all of a person's devices, and no further than the log", () =>
    use(async ({ main, open }) => {
      const { roomId, say } = await openRoom(main)
      const said = [await say(alice, "1"), await say(alice, "2"), await say(alice, "3")]
      const { epoch } = said[0] as { epoch: string }
      const other = await open()
      const move = (process: TestProcess, seq: number) =>
        process.readPositions.move(bob.id, roomId, { epoch, seq })
      expect(await move(main, 2)).toEqual({ epoch, seq: 2 })
      expect(await move(other, 1)).toEqual({ epoch, seq: 2 })
      expect(await countsOf(other, bob, roomId)).toBe("1/0")
      await Promise.all([move(main, 3), move(other, 1), move(other, 2)])
      expect(await move(main, 0)).toEqual({ epoch, seq: 3 })
      expect(await move(main, 1_000)).toEqual({ epoch, seq: 3 })
      await say(alice, "4")
      expect(await countsOf(main, bob, roomId)).toBe("1/0")
      expect(await countsOf(main, alice, roomId)).toBe("0/0")
    }))

  it("tell where one is and where the log is, room by room", () =>
    use(async ({ main }) => {
      const one = await openRoom(main)
      const two = await openRoom(main)
      const said = await one.say(alice, "1")
      const { epoch } = said
      const unread = await main.readPositions.unread(bob.id)
      const rooms = [
        {
          ...{ room: one.roomId, unread: 1, mentions: 0, at: said.at },
          ...{ read: { epoch, seq: 0 }, head: { epoch, seq: 1 } },
        },
        {
          ...{ room: two.roomId, unread: 0, mentions: 0 },
          ...{ read: { epoch, seq: 0 }, head: { epoch, seq: 0 } },
        },
      ]
      expect(unread).toHaveLength(2)
      expect(unread).toEqual(expect.arrayContaining(rooms))
      expect(await main.readPositions.unread(carol.id)).toEqual([])
    }))

  it("begin where one comes in, each time, and say nothing of what was before", () =>
    use(async ({ main }) => {
      const { roomId, token, say } = await openRoom(main)
      await say(alice, "before", { mentions: ["carol"] })
      await main.rooms.accept(carol, token)
      expect(await countsOf(main, carol, roomId)).toBe("0/0")
      await say(alice, "after", { mentions: ["carol"] })
      expect(await countsOf(main, carol, roomId)).toBe("1/1")
      await main.rooms.leave(carol.id, roomId)
      expect(await countsOf(main, carol, roomId)).toBeUndefined()
      await say(alice, "meanwhile")
      await main.rooms.accept(carol, token)
      expect(await countsOf(main, carol, roomId)).toBe("0/0")
    }))

  it("begin at the first question for whoever was there before there were positions", () =>
    use(async ({ main }) => {
      const { roomId, say } = await openRoom(main)
      await main.database.deleteFrom("read_positions").execute()
      await say(alice, "long ago")
      expect(await countsOf(main, bob, roomId)).toBe("0/0")
      await say(alice, "since then")
      expect(await countsOf(main, bob, roomId)).toBe("1/0")
      await main.database.deleteFrom("read_positions").execute()
      const place = { epoch: "another life", seq: 1 }
      expect(await main.readPositions.move(bob.id, roomId, place)).toMatchObject({ seq: 2 })
    }))

  it("go no further than the log's new life, and take no place of its former one", () =>
    use(async ({ main, open }) => {
      const { roomId, say } = await openRoom(main)
      for (const text of ["1", "2", "3"]) await say(alice, text)
      const [head] = (await main.index.catchUp([roomId])).heads
      const old = head?.epoch ?? ""
      await main.readPositions.move(bob.id, roomId, { epoch: old, seq: 3 })
      await main.log.renew()
      expect(await countsOf(main, bob, roomId)).toBe("0/0")
      await say(alice, "4")
      expect(await main.readPositions.move(bob.id, roomId, { epoch: old, seq: 4 })).toMatchObject({ seq: 3 })
      expect(await countsOf(main, bob, roomId)).toBe("1/0")
      // An older backup, where only two were said.
      const shorter = await open({
        log: (log) => ({
          ...log,
          heads: async (channels) =>
            (await log.heads(channels)).map((head) => ({ ...head, seq: 2, epoch: "restored" })),
          async readAfter(...question) {
            const { head, messages } = await log.readAfter(...question)
            return {
              head: { ...head, seq: 2, epoch: "restored" },
              messages: messages.filter(({ seq }) => seq <= 2),
            }
          },
        }),
      })
      const [counted] = await shorter.readPositions.unread(bob.id)
      expect(counted).toMatchObject({ unread: 0, read: { epoch: "restored", seq: 2 } })
    }))

  it("are forgotten with their person", () =>
    use(async ({ main }) => {
      const { roomId, say } = await openRoom(main)
      await say(alice, "1")
      await main.rooms.forget(bob.id)
      const left = await main.database.selectFrom("read_positions").select("user_id").execute()
      expect(left).toEqual([{ user_id: "alice" }])
      expect(await countsOf(main, bob, roomId)).toBeUndefined()
    }))
})
