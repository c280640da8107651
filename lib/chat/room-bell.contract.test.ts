import { expect, it, vi } from "vitest"
import { maxFollowed } from "./room-activity.ts"
import { withRoomBell } from "./room-bell.ts"
import { describeStores, type TestProcess, writerOf } from "./testing/stores.ts"

const ben = { id: "ben", name: "Ben" }
const people = ["aki", "cleo", "dai"]

/** A room of Ben and others, of whom each is in more rooms than a page follows; and whom what is said there rings for. */
async function openRoom({ database, log, rooms }: TestProcess) {
  const { id } = await rooms.create(ben, { name: "Harbour", isPrivate: false })
  const others = Array.from({ length: maxFollowed }, (_, number) => ({
    ...{ id: `room-${number}`, name: "x", is_private: 0, owner_id: null, created_at: 0, active_at: 0 },
  }))
  await database.insertInto("rooms").values(others).execute()
  const memberships = [id, ...others.map((other) => other.id)].flatMap((room_id) =>
    people.map((person) => ({ room_id, user_id: person, user_name: person, joined_at: 0 })),
  )
  await database.insertInto("members").values(memberships).execute()
  let rung: string[] = []
  const ringing: Promise<unknown>[] = []
  const bell = withRoomBell({
    ...{ log, database },
    tell: async (personId) => void rung.push(personId),
    waitUntil: (work) => ringing.push(work),
    onError: (error) => expect.unreachable(String(error)),
  })
  const { say } = writerOf({ log: bell }, id)
  return {
    async ringsFor(text: string, mentions: string[] = []): Promise<string[]> {
      rung = []
      await say(ben, text, { mentions })
      await Promise.all(ringing)
      return rung.sort()
    },
  }
}

describeStores("a room's bell", (use) => {
  it("rings for everybody once a second, and in between for the mentioned who are in the room", () =>
    use(async ({ main }) => {
      const { ringsFor } = await openRoom(main)
      // A second lasts as long as this test takes.
      vi.useFakeTimers({ toFake: ["Date", "setTimeout"] })
      try {
        expect(await ringsFor("the first", ["nobody-at-all"])).toEqual(people)
        expect(await ringsFor("the second", ["nobody-at-all"])).toEqual([])
        expect(await ringsFor("the third", ["nobody-at-all", "cleo", "ben"])).toEqual(["cleo"])
        expect(await ringsFor("the fourth")).toEqual([])
        vi.advanceTimersByTime(1_001)
        expect(await ringsFor("a second later")).toEqual(people)
      } finally {
        vi.useRealTimers()
      }
    }))
})
