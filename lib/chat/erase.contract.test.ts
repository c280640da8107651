import { createRealtime } from "throughline/server"
import { expect, it } from "vitest"
import { createAnnouncements } from "./announcements.ts"
import { chatChannels, room } from "./channels.ts"
import { createDeviceLinks } from "./device-links.ts"
import { erasePerson } from "./erase.ts"
import { createPresenceCounts } from "./presence-counts.ts"
import { describeStores, type TestProcess, writerOf } from "./testing/stores.ts"

const alice = { id: "alice", name: "Alice" }
const bob = { id: "the-id-of-bob", name: "ボブ、消されたい人" }

/** All that is kept in words: every text of every table, and the log of these rooms. */
async function keptOf({ database, log }: TestProcess, roomIds: readonly string[]): Promise<string> {
  const tables = await database.introspection.getTables()
  const rows = await Promise.all(
    tables.map(({ name, schema, columns }) => {
      const texts = columns.filter(({ dataType }) => /text|char/i.test(dataType))
      if (texts.length === 0) return []
      const within = schema ? database.withSchema(schema) : database
      return within
        .selectFrom(name as "rooms")
        .select(texts.map((column) => column.name as "name"))
        .execute()
    }),
  )
  const logs = await Promise.all(roomIds.map((id) => log.readAfter(room({ room: id }).name, 0, 500)))
  return JSON.stringify([rows, logs.map(({ messages }) => messages)])
}

const onError = (error: unknown) => expect.unreachable(String(error))

function announcementsOf({ database, log }: TestProcess) {
  const realtime = createRealtime({
    ...{ channels: chatChannels, log, publishers: [], onError },
    ...{ identify: () => null, authorize: () => false },
  })
  return createAnnouncements({ database, realtime, onError })
}

describeStores("a person who is erased", (use) => {
  it("has no name and no message left, whatever was done by them or to them, and an id in others' mentions alone", () =>
    use(async ({ main }) => {
      const { database, log, rooms, index, readPositions } = main
      const announcements = announcementsOf(main)
      const [own, other] = [
        await rooms.create(bob, { name: "his", isPrivate: true }),
        await rooms.create(alice, { name: "hers", isPrivate: true }),
      ]
      await rooms.rename(bob.id, own.id, "still his")
      await rooms.invite(bob.id, own.id)
      const enter = async () => rooms.accept(bob, (await rooms.invite(alice.id, other.id)) ?? "")
      await enter()
      await rooms.leave(bob.id, other.id)
      await enter()
      await rooms.remove(alice.id, other.id, bob.id)
      await announcements.say()
      // Of this the room isn't told yet.
      await enter()
      await rooms.remove(alice.id, other.id, bob.id)
      await enter()

      const [his, hers] = [writerOf(main, own.id), writerOf(main, other.id)]
      const said = await his.say(bob, "words")
      await his.edit(bob, said.id, "other words")
      const answered = await hers.say(alice, "a question")
      const mentioning = await hers.say(alice, "you there", { mentions: [bob.id] })
      await hers.edit(alice, mentioning.id, "are you there", { mentions: [bob.id] })
      await hers.say(bob, "an answer", { replyTo: { id: answered.id, seq: answered.seq } })
      await hers.write(bob, "reaction-set", { target: answered.id, emoji: "👍", isOn: true })
      const deleted = await his.say(alice, "taken away by the room's owner")
      await his.remove(bob, deleted.id)
      await index.catchUp([own.id, other.id])
      await readPositions.move(bob.id, other.id, answered)
      await createDeviceLinks(database).make(bob)
      await createPresenceCounts(database).record("ably", [
        {
          ...{ kind: "member-joined", channel: room({ room: own.id }).name, connection: "c" },
          ...{ userId: bob.id, at: Date.now() },
        },
      ])
      const traces = [bob.name, bob.id]
      const before = await keptOf(main, [own.id, other.id])
      for (const trace of traces) expect(before).toContain(trace)

      await erasePerson({ database, log, index, rooms }, bob.id)
      await announcements.say()
      await index.catchUp([own.id, other.id])
      const after = await keptOf(main, [own.id, other.id])
      for (const trace of [bob.name, "other words", "an answer"]) expect(after).not.toContain(trace)
      // Alice's messages are hers.
      const mention = new RegExp(`"mentions\\\\*":\\[\\\\*"${bob.id}\\\\*"`, "g")
      expect(after).toMatch(mention)
      expect(after.replace(mention, "")).not.toContain(bob.id)
      for (const kept of ["a question", "hers", "room-created", "Alice"]) expect(after).toContain(kept)
    }))

  it("isn't named by who puts them out, and says it, while they are being erased", () =>
    use(async ({ main }) => {
      const { database, log, rooms, index } = main
      const { id } = await rooms.create(alice, { name: "hers", isPrivate: true })
      await rooms.accept(bob, (await rooms.invite(alice.id, id)) ?? "")
      const announcements = announcementsOf(main)
      let isFirst = true
      const meanwhile: typeof log = {
        ...log,
        async erase(userId) {
          const erased = await log.erase(userId)
          if (!isFirst) return erased
          isFirst = false
          await rooms.remove(alice.id, id, bob.id)
          await announcements.say()
          await index.catchUp([id])
          return erased
        },
      }
      expect(await erasePerson({ database, log: meanwhile, index, rooms }, bob.id)).toBe(1)
      const after = await keptOf(main, [id])
      for (const trace of [bob.name, bob.id]) expect(after).not.toContain(trace)
    }))
})
