import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it } from "vitest"
import { openDatabase } from "./database.ts"

it("lets the process go on while another connection of its own holds the lock", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "throughline-sqlite-"))
  const [one, two] = await Promise.all([openDatabase({ dataDir }), openDatabase({ dataDir })])
  const room = (id: string) => ({ id, name: id, is_private: 0, owner_id: null, created_at: 0, active_at: 0 })
  const isBegun = Promise.withResolvers<void>()
  const mayEnd = Promise.withResolvers<void>()
  const long = one.transaction().execute(async (transaction) => {
    await transaction.insertInto("rooms").values(room("first")).execute()
    isBegun.resolve()
    await mayEnd.promise
  })
  await isBegun.promise
  const short = two.insertInto("rooms").values(room("second")).execute()
  const other = two.transaction().execute(async (transaction) => {
    await transaction.insertInto("rooms").values(room("third")).execute()
  })
  // It would never come to this if the second connection waited in the process's stead.
  setImmediate(mayEnd.resolve)
  await Promise.all([long, short, other])
  const rooms = await two.selectFrom("rooms").select("id").orderBy("id").execute()
  expect(rooms.map(({ id }) => id)).toEqual(["first", "second", "third"])
  await Promise.all([one.destroy(), two.destroy()])
})
