import { createHash, randomBytes } from "node:crypto"
import type { User } from "throughline"
import type { Database } from "./database.ts"
import { deviceLinkMinutes } from "./device-link.ts"
import { departure } from "./guests.ts"

/** A guest has no password: what brings them in on one more device as the same person is a link that they make for themselves. */
export interface DeviceLinks {
  /** A token that brings this person in, once, within `deviceLinkMinutes`. One that they made before is void. */
  make(user: User): Promise<string>
  /** Whom a token brings in; null when it is good for nothing, or not any more. */
  find(token: string): Promise<User | null>
  /** The same, and the token is used up: of several who come with it at once one is let in. */
  take(token: string): Promise<User | null>
}

const lastsMs = deviceLinkMinutes * 60_000

const hashOf = (token: string) => createHash("sha256").update(token).digest("base64url")

export function createDeviceLinks(database: Database, now: () => number = Date.now): DeviceLinks {
  /** Nobody comes in as a guest who has signed out. */
  async function present(row: { user_id: string; user_name: string } | undefined): Promise<User | null> {
    if (!row || (await departure(database, row.user_id).executeTakeFirst())) return null
    return { id: row.user_id, name: row.user_name }
  }

  return {
    async make({ id, name = "" }) {
      const token = randomBytes(24).toString("base64url")
      const made = { user_name: name, token_hash: hashOf(token), made_at: now() }
      await database
        .deleteFrom("device_links")
        .where("made_at", "<=", now() - lastsMs)
        .execute()
      await database
        .insertInto("device_links")
        .values({ user_id: id, ...made })
        .onConflict((conflict) => conflict.column("user_id").doUpdateSet(made))
        .execute()
      return token
    },
    async find(token) {
      const row = await database
        .selectFrom("device_links")
        .select(["user_id", "user_name"])
        .where("token_hash", "=", hashOf(token))
        .where("made_at", ">", now() - lastsMs)
        .executeTakeFirst()
      return present(row)
    },
    async take(token) {
      const row = await database
        .deleteFrom("device_links")
        .where("token_hash", "=", hashOf(token))
        .where("made_at", ">", now() - lastsMs)
        .returning(["user_id", "user_name"])
        .executeTakeFirst()
      return present(row)
    },
  }
}
