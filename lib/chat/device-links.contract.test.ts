import { expect, it } from "vitest"
import { deviceLinkMinutes } from "./device-link.ts"
import { createDeviceLinks } from "./device-links.ts"
import { createGuests } from "./guests.ts"
import { createRooms } from "./rooms.ts"
import { describeStores } from "./testing/stores.ts"

const alice = { id: "alice", name: "アリス" }
const bob = { id: "bob", name: "Bob" }

describeStores("links to one more device", (use) => {
  it("bring in whoever made them, once", () =>
    use(async ({ main, open }) => {
      const links = createDeviceLinks(main.database)
      const token = await links.make(alice)
      const other = await links.make(bob)
      // Looking at it, as a preview of the link does, uses nothing up.
      expect([await links.find(token), await links.find(token)]).toEqual([alice, alice])
      const elsewhere = createDeviceLinks((await open()).database)
      const comers = await Promise.all([links, elsewhere, links].map(({ take }) => take(token)))
      expect(comers.filter((user) => user !== null)).toEqual([alice])
      expect([await links.find(token), await links.take(token)]).toEqual([null, null])
      expect(await links.take(other)).toEqual(bob)
    }))

  it("are void once there is a newer one, after their time, and when their owner has signed out or is forgotten", () =>
    use(async ({ main: { database } }) => {
      let clock = 0
      const links = createDeviceLinks(database, () => clock)
      const first = await links.make(alice)
      const second = await links.make(alice)
      expect([await links.find(first), await links.find(second)]).toEqual([null, alice])
      clock += deviceLinkMinutes * 60_000 - 1
      expect(await links.find(second)).toEqual(alice)
      clock += 1
      expect([await links.find(second), await links.take(second)]).toEqual([null, null])

      const third = await links.make(alice)
      await createGuests(database).leave(alice.id)
      expect([await links.find(third), await links.take(third)]).toEqual([null, null])

      const last = await links.make(bob)
      await createRooms(database).forget(bob.id)
      expect(await links.find(last)).toBeNull()
    }))

  it("can't be guessed, nor read from the database", () =>
    use(async ({ main: { database } }) => {
      const links = createDeviceLinks(database)
      const token = await links.make(alice)
      expect(token).toMatch(/^[\w-]{32}$/)
      const rows = await database.selectFrom("device_links").selectAll().execute()
      expect(JSON.stringify(rows)).not.toContain(token)
      for (const guess of ["", "x", rows[0]?.token_hash ?? "", token.slice(0, -1), `${token} `])
        expect([guess, await links.take(guess)]).toEqual([guess, null])
    }))
})
