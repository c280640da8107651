import type { JsonValue, LogHead } from "throughline"
import { createMemoryLog, createMemoryLogStore, type MessageLog } from "throughline/server"
import { expect, it } from "vitest"
import { room } from "./channels.ts"
import { eraseMessages } from "./erase.ts"
import { describeStores, type TestProcess, writerOf } from "./testing/stores.ts"

const alice = { id: "alice", name: "Alice" }
const bob = { id: "bob", name: "ボブ" }

/** What the index holds of a room, oldest first. */
async function rowsOf({ database, index }: TestProcess, roomId: string) {
  const { isIndexing } = await index.catchUp([roomId])
  expect(isIndexing).toBe(false)
  return database
    .selectFrom("message_index")
    .select(["id", "author_id", "author_name", "text"])
    .where("room_id", "=", roomId)
    .orderBy("seq")
    .execute()
}

const textsOf = async (main: TestProcess, roomId: string) =>
  (await rowsOf(main, roomId)).map(({ text }) => text)

const find = async ({ search }: TestProcess, roomId: string, query: string) =>
  (await search.find(roomId, query)).results.map(({ text }) => text)

describeStores("the index of messages", (use) => {
  it("holds what was said, as it stands now, room by room", () =>
    use(async ({ main }) => {
      const [one, two] = [writerOf(main, "one"), writerOf(main, "two")]
      const first = await one.say(alice, "first")
      const second = await one.say(bob, "second")
      const third = await one.say(alice, "third")
      await two.say(bob, "elsewhere")
      await one.edit(alice, first.id, "first, edited")
      await one.remove(bob, second.id)
      await one.edit(bob, second.id, "too late")
      // The server lets nobody do these; the index takes no word for it.
      await one.edit(bob, third.id, "somebody else's")
      await two.edit(alice, third.id, "in another room")
      expect(await rowsOf(main, "one")).toEqual([
        { id: first.id, author_id: "alice", author_name: "Alice", text: "first, edited" },
        { id: second.id, author_id: "bob", author_name: "ボブ", text: "" },
        { id: third.id, author_id: "alice", author_name: "Alice", text: "third" },
      ])
      expect(await textsOf(main, "two")).toEqual(["elsewhere"])
      expect(await main.index.find("one", second.id)).toEqual({ seq: 2, authorId: "bob", isDeleted: true })
      expect(await main.index.find("one", third.id)).toEqual({ seq: 3, authorId: "alice", isDeleted: false })
      expect(await main.index.find("two", third.id)).toBeNull()
    }))

  it("goes on from where it was, with changes of what it read before", () =>
    use(async ({ main }) => {
      const { say, edit, remove } = writerOf(main, "one")
      const said = await say(alice, "before")
      const other = await say(alice, "also before")
      expect(await textsOf(main, "one")).toEqual(["before", "also before"])
      await edit(alice, said.id, "after")
      await remove(alice, other.id)
      expect(await textsOf(main, "one")).toEqual(["after", ""])
      expect(await textsOf(main, "one")).toEqual(["after", ""])
    }))

  it("takes whatever a log may hold, and stops at nothing", () =>
    use(async ({ main }) => {
      const { say, write } = writerOf(main, "one")
      await say(alice, "nul \0 and half a pair \ud800.", { mentions: ["bob\0", 7, "\udfff"] as never })
      await write(alice, "text-sent", null)
      await write(alice, "text-sent", { text: 7, mentions: "x", replyTo: "y" })
      await write(alice, "message-edited", "z")
      await write({ id: "\0", name: "\ud800" }, "text-sent", { text: "x".repeat(30_000) })
      await write(null, "member-joined", {})
      await write(null, "of a later release", { target: [] })
      await say(bob, "after all that")
      const texts = await textsOf(main, "one")
      expect(texts[0]).toBe("nul \ufffd and half a pair \ufffd.")
      expect(texts.at(-1)).toBe("after all that")
      expect(await find(main, "one", "after all that")).toEqual(["after all that"])
    }))

  it("begins anew when the log does, and when the log went back under its old name", () =>
    use(async ({ main, open }) => {
      const { say } = writerOf(main, "one")
      for (const text of ["a", "b", "c"]) await say(alice, text)
      expect(await textsOf(main, "one")).toEqual(["a", "b", "c"])
      await main.log.renew()
      await say(alice, "d")
      expect(await textsOf(main, "one")).toEqual(["a", "b", "c", "d"])
      const shorter = await open({ log: (log) => cutAfter(log, 2) })
      expect(await textsOf(shorter, "one")).toEqual(["a", "b"])
      expect(await find(shorter, "one", "c")).toEqual([])
      expect(await textsOf(main, "one")).toEqual(["a", "b", "c", "d"])
    }))

  it.each([
    ["further than before", ["a", "b", "restored one", "restored two", "restored three"]],
    ["exactly as far as before", ["a", "b", "restored one", "restored two"]],
  ])("begins anew when the log was put back to an earlier state and went on %s", (_, texts) =>
    use(async ({ main, open }) => {
      const { say } = writerOf(main, "one")
      for (const text of ["a", "b", "c", "d"]) await say(alice, text)
      expect(await textsOf(main, "one")).toEqual(["a", "b", "c", "d"])
      const restored = await putBack(main.log, "one", 2)
      const later = await open({ log: () => restored })
      for (const text of texts.slice(2)) await writerOf(later, "one").say(alice, text)
      expect(await textsOf(later, "one")).toEqual(texts)
      expect(await find(later, "one", "c")).toEqual([])
      expect(await find(later, "one", "restored two")).toEqual(["restored two"])
    }),
  )

  it("counts as unread what was said after the log alone was put back", () =>
    use(async ({ main, open }) => {
      const { id: roomId } = await main.rooms.create(alice, { name: "x", isPrivate: false })
      await main.rooms.join(bob, roomId)
      for (const text of ["a", "b", "c", "d", "e"]) await writerOf(main, roomId).say(alice, text)
      const { heads } = await main.index.catchUp([roomId])
      await main.readPositions.move(bob.id, roomId, heads[0] as LogHead)
      const restored = await putBack(main.log, roomId, 2)
      const later = await open({ log: () => restored })
      for (const text of ["new one", "new two", "new three", "new four"])
        await writerOf(later, roomId).say(alice, text)
      expect(await later.readPositions.unread(bob.id)).toMatchObject([{ unread: 4, read: { seq: 2 } }])
    }))

  it("forgets what retention no longer keeps", () =>
    use(async ({ main }) => {
      const { say } = writerOf(main, "one")
      for (const text of ["gone one", "gone two", "kept"]) await say(alice, text, { mentions: ["bob"] })
      expect(await textsOf(main, "one")).toHaveLength(3)
      await main.log.trim({ maxMessagesPerChannel: 1 })
      expect(await find(main, "one", "gone")).toEqual([])
      expect(await textsOf(main, "one")).toEqual(["kept"])
      expect(await main.database.selectFrom("message_mentions").selectAll().execute()).toHaveLength(1)
      await say(alice, "new")
      await main.log.trim({ maxMessagesPerChannel: 0 })
      expect(await textsOf(main, "one")).toEqual([])
      await say(alice, "newer")
      expect(await textsOf(main, "one")).toEqual(["newer"])
    }))

  it("reads so much for one request, says that there is more, and goes on with the next", () =>
    use(async ({ main, open }) => {
      const big = writerOf(main, "one")
      const small = writerOf(main, "two")
      await main.log.append(
        Array.from({ length: 25 }, (_, n) => ({
          ...{ id: `m${n}`, channel: room({ room: "one" }).name, event: "text-sent" },
          ...{ payload: { text: `number ${n}` }, from: alice },
        })),
      )
      await small.say(bob, "not kept waiting")
      const slow = await open({ maxEntries: 10 })
      expect((await slow.index.catchUp(["one", "two"])).isIndexing).toBe(true)
      expect(await slow.index.find("one", "m24")).toBeNull()
      expect(await textsOf(slow, "two")).toEqual(["not kept waiting"])
      const answers: boolean[] = []
      while ((await slow.search.find("one", "number")).isIndexing) answers.push(true)
      expect(answers.length).toBeGreaterThan(0)
      expect((await slow.index.find("one", "m24"))?.seq).toBe(25)
      await big.edit(alice, "m0", "number zero")
      expect((await textsOf(slow, "one"))[0]).toBe("number zero")
    }))

  it("is brought up by several processes at once, each entry once", () =>
    use(async ({ main, open }) => {
      const processes = [main, await open(), await open()]
      const rooms = ["one", "two"]
      const total = 40
      const talk = rooms.map(async (roomId) => {
        const { say, edit, remove } = writerOf(main, roomId)
        for (let n = 0; n < total; n += 1) {
          const { id } = await say(n % 2 ? alice : bob, `said ${n}`, { mentions: ["carol"] })
          if (n % 5 === 0) await edit(bob, id, `edited ${n}`)
          if (n % 7 === 0) await remove(null, id)
        }
      })
      let isTalking = true
      const ask = async () => {
        while (isTalking) {
          await Promise.all(processes.map(({ index }) => index.catchUp(rooms)))
          await new Promise((resolve) => setImmediate(resolve))
        }
      }
      const asked = ask()
      await Promise.all(talk).finally(() => {
        isTalking = false
      })
      await asked
      const expected = Array.from({ length: total }, (_, n) =>
        n % 7 === 0 ? "" : n % 5 === 0 && n % 2 === 0 ? `edited ${n}` : `said ${n}`,
      )
      for (const roomId of rooms) {
        for (const one of processes) expect(await textsOf(one, roomId)).toEqual(expected)
        const mentions = main.database.selectFrom("message_mentions").where("room_id", "=", roomId)
        expect(await mentions.selectAll().execute()).toHaveLength(
          // An edit says anew who is mentioned: here nobody.
          expected.filter((text) => text.startsWith("said")).length,
        )
      }
    }))

  it("keeps nothing of a person who was erased, and what others said", () =>
    use(async ({ main }) => {
      const { say, edit } = writerOf(main, "one")
      const first = await say(alice, "alices secret")
      await edit(alice, first.id, "alices newer secret")
      await say(bob, "bobs answer", { replyTo: { id: first.id, seq: first.seq }, mentions: ["alice"] })
      expect(await find(main, "one", "secret")).toEqual(["alices newer secret"])
      await main.log.erase("alice")
      await main.rooms.forget("alice")
      expect(await find(main, "one", "secret")).toEqual([])
      expect(await textsOf(main, "one")).toEqual(["bobs answer"])
      for (const table of ["message_index", "message_mentions", "read_positions"] as const)
        expect(JSON.stringify(await main.database.selectFrom(table).selectAll().execute())).not.toContain(
          "alice",
        )
      await main.log.renew()
      expect(await textsOf(main, "one")).toEqual(["bobs answer"])
    }))

  it("keeps deleted what somebody deleted who was erased", () =>
    use(async ({ main, open }) => {
      const { id: roomId } = await main.rooms.create(alice, { name: "x", isPrivate: false })
      const { say, remove } = writerOf(main, roomId)
      const bad = await say(bob, "deleted by the owner")
      await say(bob, "kept")
      await remove(alice, bad.id)
      for (let n = 0; n < 3; n += 1) {
        // The second time nothing is left to say again.
        expect(await eraseMessages(await open({ maxEntries: 2 }), alice.id)).toBe(n === 0 ? 1 : 0)
        await main.rooms.forget(alice.id)
        await main.log.renew()
        expect(await textsOf(main, roomId)).toEqual(["", "kept"])
      }
      const { messages } = await main.log.readAfter(room({ room: roomId }).name, 0, 100)
      expect(messages.map(({ event }) => event)).toEqual([
        ...["text-sent", "text-sent", "erased", "message-deleted"],
      ])
    }))

  it("isn't given what was read of the log before somebody was erased from it", () =>
    use(async ({ main, open }) => {
      const { say } = writerOf(main, "one")
      for (const isKnown of [false, true]) {
        if (isKnown) await main.index.catchUp(["one"])
        await say(alice, "a secret")
        const read = Promise.withResolvers<void>()
        const goOn = Promise.withResolvers<void>()
        const late = await open({
          log: (log) => ({
            ...log,
            async readAfter(...question) {
              const page = await log.readAfter(...question)
              if (page.messages.length === 0) return page
              read.resolve()
              await goOn.promise
              return page
            },
          }),
        })
        const caughtUp = late.index.catchUp(["one"])
        await read.promise
        await main.log.erase("alice")
        await main.rooms.forget("alice")
        goOn.resolve()
        await caughtUp
        expect(await find(main, "one", "secret")).toEqual([])
        expect(await textsOf(main, "one")).toEqual([])
      }
    }))
})

/** The same log, as an older backup of it would be. */
/** A log of the same life that holds a room's first messages, as a restored backup does. */
async function putBack(log: MessageLog, roomId: string, seq: number): Promise<MessageLog> {
  const { head, messages } = await log.readAfter(room({ room: roomId }).name, 0, seq)
  const store = { ...createMemoryLogStore(), epoch: head.epoch }
  let now = 0
  const restored = createMemoryLog({ store, now: () => now })
  for (const { seq: _, epoch: __, at, payload, ...entry } of messages) {
    now = at
    await restored.append([{ ...entry, payload: payload as JsonValue }])
  }
  now += 60_000
  return restored
}

function cutAfter(log: MessageLog, seq: number): MessageLog {
  return {
    ...log,
    heads: async (channels) =>
      (await log.heads(channels)).map(({ epoch, first, ...head }) => ({
        ...{ epoch, first },
        seq: Math.min(head.seq, seq),
      })),
    async readAfter(...question) {
      const { head, messages } = await log.readAfter(...question)
      return {
        head: { epoch: head.epoch, first: head.first, seq: Math.min(head.seq, seq) },
        messages: messages.filter((message) => message.seq <= seq),
      }
    },
  }
}
