import type { User } from "throughline"
import { createRealtime } from "throughline/server"
import { v7 as uuidv7 } from "uuid"
import { expect, it } from "vitest"
import { resolveChannel } from "../../realtime/channel.ts"
import type { Budgets } from "../security/budgets.ts"
import { createLimits } from "../security/limits.ts"
import { type AccessOptions, createAuthorize } from "./access.ts"
import { chatChannels, lab, person, room } from "./channels.ts"
import { createGuests } from "./guests.ts"
import { describeStores, type TestProcess, writerOf } from "./testing/stores.ts"

const [alice, bob, carol] = ["alice", "bob", "carol"].map((id) => ({ id, name: id })) as [User, User, User]
const noFiles: AccessOptions["files"] = { claim: async () => false }
const anId = "018f0000-0000-7000-8000-000000000000"

const channelOf = (roomId: string) => resolveChannel(chatChannels, room({ room: roomId }).name)

/** Alice's room, which Bob has joined; Carol hasn't. `may` resolves with true, false, or the code of the refusal. */
async function stage({ database, rooms, index, log }: TestProcess, files = noFiles, own: Budgets = {}) {
  const { id: roomId } = await rooms.create(alice, { name: "x", isPrivate: false })
  await rooms.join(bob, roomId)
  const guests = createGuests(database)
  const limits = await createLimits({ own })
  const authorize = createAuthorize({ rooms, guests, index, log, limits, files })
  const may = (
    user: User,
    event: string,
    payload?: unknown,
    earlier: { id: string; event: string; payload: null }[] = [],
  ) =>
    authorize({
      ...{ user, event, payload, earlier, id: `${user.id}'s` },
      ...{ channel: channelOf(roomId), action: "publish" },
    }).catch(({ code }: { code: string }) => code)
  return { roomId, authorize, guests, may, ...writerOf({ log }, roomId) }
}

describeStores("access", (use) => {
  it("is for members only, and what the server says no browser may say", () =>
    use(async ({ main }) => {
      const { authorize, roomId, may } = await stage(main)
      for (const action of ["subscribe", "publish", "signal", "presence"] as const) {
        const channel = channelOf(roomId)
        expect(await authorize({ user: alice, channel, action })).toBe(true)
        expect(await authorize({ user: carol, channel, action })).toBe(false)
      }
      expect(await may(bob, "text-sent", { text: "hi" })).toBe(true)
      expect(await may(carol, "text-sent", { text: "hi" })).toBe(false)
      for (const event of ["room-created", "member-joined", "member-left", "erased"])
        expect(await may(alice, event, {})).toBe(false)
    }))

  it("is for nobody who has signed out, whatever they were in", () =>
    use(async ({ main }) => {
      const { authorize, guests, roomId } = await stage(main)
      const own = [person({ person: bob.id }), lab({ owner: bob.id, visit: anId })]
      const channels = [channelOf(roomId), ...own.map(({ name }) => resolveChannel(chatChannels, name))]
      const mayOf = (user: User) =>
        Promise.all(channels.map((channel) => authorize({ user, channel, action: "subscribe" })))
      expect(await mayOf(bob)).toEqual([true, true, true])
      await guests.leave(bob.id)
      await guests.leave(bob.id)
      expect(await mayOf(bob)).toEqual([false, false, false])
      expect(await authorize({ user: alice, channel: channelOf(roomId), action: "subscribe" })).toBe(true)
    }))

  it("lets one begin so many visits to the laboratory, each by an id, and go on in those that there are", () =>
    use(async ({ main }) => {
      const budget = { "laboratories of a person": { points: 2, seconds: 600 } }
      const { authorize } = await stage(main, noFiles, budget)
      const may = (visit: string, earlier: { id: string; event: string; payload: null }[] = []) =>
        authorize({
          ...{
            user: bob,
            action: "publish",
            event: "numbered",
            payload: { side: "left" },
            id: uuidv7(),
            earlier,
          },
          channel: resolveChannel(chatChannels, lab({ owner: bob.id, visit }).name),
        }).catch(({ code }: { code: string }) => code)
      for (const visit of ["1", "x".repeat(450), `${anId}x`]) expect(await may(visit)).toBe(false)
      const visits = [uuidv7(), uuidv7(), uuidv7()] as const
      const begin = async (visit: string) => {
        const outcome = await may(visit)
        const entry = { event: "numbered", payload: { side: "left" }, from: bob, id: uuidv7() }
        if (outcome === true)
          await main.log.append([{ ...entry, channel: lab({ owner: bob.id, visit }).name }])
        return outcome
      }
      expect(await begin(visits[0])).toBe(true)
      // The second of one request.
      expect(await may(visits[1], [{ id: uuidv7(), event: "numbered", payload: null }])).toBe(true)
      expect(await begin(visits[1])).toBe(true)
      expect(await begin(visits[2])).toBe("rate-limited")
      for (let time = 0; time < 5; time += 1) expect(await begin(visits[0])).toBe(true)
      // Emptied, it is known all the same.
      await main.log.trim({ maxAgeMs: 0 })
      expect(await begin(visits[0])).toBe(true)
    }))

  it("counts a visit once for all that a request begins it with, whatever of that is refused", () =>
    use(async ({ main }) => {
      const budget = { "laboratories of a person": { points: 2, seconds: 600 } }
      const { authorize } = await stage(main, noFiles, budget)
      const { core } = createRealtime({
        ...{ channels: chatChannels, log: main.log, publishers: [], identify: () => null, authorize },
      })
      const numbered = (id: string) => ({ id, event: "numbered", payload: { side: "left" } })
      const publish = async (ids: string[]) => {
        const { name } = lab({ owner: bob.id, visit: uuidv7() })
        const results = await core.accept(bob, name, ids.map(numbered))
        return results.map((result) => ("error" in result ? result.error.code : true))
      }
      expect(await publish([uuidv7(), uuidv7(), uuidv7()])).toEqual([true, true, true])
      expect(await publish(["x", uuidv7()])).toEqual(["invalid-request", true])
      expect(await publish(["x", uuidv7()])).toEqual(["invalid-request", "rate-limited"])
      expect(await publish([uuidv7(), uuidv7()])).toEqual(["rate-limited", "rate-limited"])
    }))

  it("lets nobody edit what is another's, deleted, elsewhere or nowhere", () =>
    use(async ({ main }) => {
      const { may, say, remove } = await stage(main)
      const other = await stage(main)
      const said = await say(bob, "bob's")
      const edit = (target: string) => ({ target, text: "edited" })
      expect(await may(bob, "message-edited", edit(said.id))).toBe(true)
      // Also not the room's owner.
      expect(await may(alice, "message-edited", edit(said.id))).toBe(false)
      expect(await other.may(bob, "message-edited", edit(said.id))).toBe("conflict")
      expect(await may(bob, "message-edited", edit(uuidv7()))).toBe("conflict")
      const joined = await main.log.append([
        {
          id: uuidv7(),
          channel: channelOf(said.roomId).name,
          event: "member-joined",
          payload: {},
          from: bob,
        },
      ])
      expect(await may(bob, "message-edited", edit(joined[0]?.id ?? ""))).toBe("conflict")
      await remove(bob, said.id)
      expect(await may(bob, "message-edited", edit(said.id))).toBe("conflict")
    }))

  it("lets one delete one's own messages, and a room's owner all of it", () =>
    use(async ({ main }) => {
      const { may, say, remove } = await stage(main)
      const [byAlice, byBob] = [await say(alice, "a"), await say(bob, "b")]
      expect(await may(bob, "message-deleted", { target: byAlice.id })).toBe(false)
      expect(await may(bob, "message-deleted", { target: byBob.id })).toBe(true)
      expect(await may(alice, "message-deleted", { target: byBob.id })).toBe(true)
      expect(await may(alice, "message-deleted", { target: uuidv7() })).toBe("conflict")
      // The repeat of what was answered and never heard.
      await remove(bob, byBob.id)
      expect(await may(bob, "message-deleted", { target: byBob.id })).toBe(true)
      // Who owns one room owns no other.
      const other = await stage(main)
      await main.rooms.leave(alice.id, byAlice.roomId)
      expect(await may(alice, "message-deleted", { target: byBob.id })).toBe(false)
      expect(await other.may(alice, "message-deleted", { target: byBob.id })).toBe("conflict")
    }))

  it("lets members react to what is there", () =>
    use(async ({ main }) => {
      const { may, say, remove } = await stage(main)
      const said = await say(bob, "b")
      const reaction = { target: said.id, emoji: "👍", isOn: true }
      expect(await may(alice, "reaction-set", reaction)).toBe(true)
      expect(await may(carol, "reaction-set", reaction)).toBe(false)
      expect(await may(alice, "reaction-set", { ...reaction, target: uuidv7() })).toBe("conflict")
      await remove(alice, said.id)
      expect(await may(alice, "reaction-set", reaction)).toBe("conflict")
    }))

  it("lets one answer what was said here, also when it is gone by now", () =>
    use(async ({ main }) => {
      const { may, say, edit, remove } = await stage(main)
      const { say: sayElsewhere } = await stage(main)
      const said = await say(alice, "a")
      const answer = (replyTo: { id: string; seq: number }) => may(bob, "text-sent", { text: "b", replyTo })
      const place = { id: said.id, seq: said.seq }
      expect(await answer(place)).toBe(true)
      expect(await answer({ ...place, seq: said.seq + 1 })).toBe("conflict")
      expect(await answer({ ...place, id: uuidv7() })).toBe("conflict")
      const edited = await edit(alice, said.id, "c")
      expect(await answer({ id: edited.id, seq: edited.seq })).toBe("conflict")
      const elsewhere = await sayElsewhere(alice, "x")
      expect(await answer({ id: elsewhere.id, seq: elsewhere.seq })).toBe("conflict")
      await remove(alice, said.id)
      expect(await answer(place)).toBe(true)
      await main.log.erase("alice")
      expect(await answer(place)).toBe(true)
      await main.log.trim({ maxMessagesPerChannel: 0 })
      expect(await answer(place)).toBe(true)
    }))

  it("takes what changes a message of the same request for what it is", () =>
    use(async ({ main }) => {
      const { may, say } = await stage(main)
      const id = uuidv7()
      const earlier = [{ id, event: "text-sent", payload: null }]
      expect(await may(bob, "message-edited", { target: id, text: "x" }, earlier)).toBe(true)
      expect(await may(bob, "message-deleted", { target: id }, earlier)).toBe(true)
      expect(await may(bob, "reaction-set", { target: id, emoji: "👍", isOn: true }, earlier)).toBe(true)
      expect(await may(carol, "message-deleted", { target: id }, earlier)).toBe(false)
      // The log will refuse this one, since its id is somebody else's.
      const another = (await say(alice, "a")).id
      const claimed = [{ id: another, event: "text-sent", payload: null }]
      expect(await may(bob, "message-deleted", { target: another }, claimed)).toBe(false)
    }))

  it("asks the register about files", () =>
    use(async ({ main }) => {
      const file = { id: uuidv7(), name: "a.png", type: "image/png", size: 1 }
      const asked: unknown[] = []
      const { may, roomId } = await stage(main, {
        async claim(question) {
          asked.push(question)
          return question.userId === "alice"
        },
      })
      expect(await may(alice, "text-sent", { text: "", files: [file] })).toBe(true)
      expect(await may(bob, "text-sent", { text: "", files: [file] })).toBe("invalid-payload")
      expect(asked).toEqual([
        { userId: "alice", roomId, messageId: "alice's", files: [file] },
        { userId: "bob", roomId, messageId: "bob's", files: [file] },
      ])
    }))

  it("costs a plain text nothing but the question who is in the room", () =>
    use(async ({ main }) => {
      const { roomId } = await stage(main)
      const unasked = async () => expect.unreachable("it was asked")
      const authorize = createAuthorize({
        rooms: { isMember: main.rooms.isMember, find: unasked },
        index: { catchUp: unasked, find: unasked },
        ...{ log: { readAfter: unasked, heads: unasked }, files: { claim: unasked } },
        ...{ guests: { hasLeft: unasked }, limits: { takeOf: unasked } },
      })
      const question = { channel: channelOf(roomId), action: "publish", event: "text-sent" } as const
      const payload = { text: "hi", mentions: ["alice"] }
      expect(await authorize({ ...question, user: bob, payload })).toBe(true)
    }))

  it("asks again later where the room is still being indexed", () =>
    use(async ({ main, open }) => {
      const { say, roomId } = await stage(main)
      const said: { id: string }[] = []
      for (let n = 0; n < 5; n += 1) said.push(await say(bob, `${n}`))
      const slow = await open({ maxEntries: 1 })
      const { database, rooms, index, log } = slow
      const guests = createGuests(database)
      const limits = await createLimits({})
      const authorize = createAuthorize({ rooms, guests, index, log, limits, files: noFiles })
      const question = { channel: channelOf(roomId), action: "publish", event: "message-deleted" } as const
      const ask = () => authorize({ ...question, user: bob, payload: { target: said.at(-1)?.id } })
      await expect(ask()).rejects.toMatchObject({ code: "log-unavailable", retryable: true })
      let answer: unknown
      while (answer === undefined) answer = await ask().catch(() => undefined)
      expect(answer).toBe(true)
    }))
})
