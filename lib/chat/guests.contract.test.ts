import { expect, it } from "vitest"
import { createDeviceLinks } from "./device-links.ts"
import { createGuests } from "./guests.ts"
import { describeStores } from "./testing/stores.ts"

const alice = { id: "alice", name: "Alice" }
const bob = { id: "bob", name: "Bob" }

describeStores("a guest's name", (use) => {
  it("is the newest one wherever they are, on the same person's other devices and in every room", () =>
    use(async ({ main, open }) => {
      const guests = createGuests(main.database)
      const elsewhere = createGuests((await open()).database)
      const { rooms } = main
      const links = createDeviceLinks(main.database)
      const { id } = await rooms.create(alice, { name: "x", isPrivate: false })
      await rooms.join(bob, id)
      const token = (await rooms.invite(alice.id, id)) ?? ""
      const link = await links.make(alice)
      expect(await elsewhere.present(alice)).toEqual(alice)

      await guests.rename(alice.id, "アリス")
      await guests.rename(alice.id, "Ren")
      const ren = { id: "alice", name: "Ren" }
      // By a cookie that was given under any name of theirs.
      expect([await guests.present(alice), await elsewhere.present({ ...alice, name: "アリス" })]).toEqual([
        ...[ren, ren],
      ])
      expect(await rooms.members(id)).toEqual([ren, bob])
      expect(await rooms.invitation(token)).toMatchObject({ invitedBy: "Ren" })
      expect(await links.take(link)).toEqual(ren)
      expect(await elsewhere.present(bob)).toEqual(bob)
    }))

  it("brings nobody back who has left, and is forgotten with them", () =>
    use(async ({ main: { database, rooms } }) => {
      const guests = createGuests(database)
      await guests.rename(alice.id, "Ren")
      await guests.leave(alice.id)
      expect(await guests.present(alice)).toBeNull()
      await rooms.forget(alice.id)
      expect(await database.selectFrom("guest_names").selectAll().execute()).toEqual([])
    }))
})
