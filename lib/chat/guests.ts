import { logError, type OnError, type User } from "throughline"
import type { Database } from "./database.ts"
import { sessionSeconds } from "./kept-cookie.ts"

/**
 * What is known of guests beyond their cookies, which can't be changed on their other devices: who has signed out, and who is called
 * otherwise by now. Nobody can be the same guest again, so that whatever still speaks in the name of one who has left is somebody else's.
 */
export interface Guests {
  /** From now on no session, ticket or open connection of this guest is good for anything. False if they had left before. */
  leave(userId: string): Promise<boolean>
  hasLeft(userId: string): Promise<boolean>
  /**
   * From now on this guest is called so, in every session of theirs, in the lists of all the rooms that they are in, and on the link to one
   * more device that they have made. What they have written keeps the name that it was sent under.
   */
  rename(userId: string, name: string): Promise<void>
  /** The guest of a session as they are called now; null for whoever has left. */
  present(user: User): Promise<User | null>
}

/** A row if this guest has signed out: a query of its own, or part of another one. */
export const departure = (database: Database, userId: string) =>
  database.selectFrom("departed_guests").select("user_id").where("user_id", "=", userId)

export interface GuestsOptions {
  now?: () => number
  onError?: OnError
}

export function createGuests(
  database: Database,
  { now = Date.now, onError = logError }: GuestsOptions = {},
): Guests {
  return {
    async leave(userId) {
      const noted = await database
        .insertInto("departed_guests")
        .values({ user_id: userId, left_at: now() })
        .onConflict((conflict) => conflict.column("user_id").doNothing())
        .executeTakeFirst()
      if (Number(noted.numInsertedOrUpdatedRows ?? 0) === 0) return false
      // By then no cookie of theirs is taken any more. Who leaves has left, whether the others can be forgotten or not.
      const forgotten = now() - 2 * sessionSeconds * 1000
      await database
        .deleteFrom("departed_guests")
        .where("left_at", "<", forgotten)
        .execute()
        .catch((error: unknown) => onError(error, { stage: "forget who left long ago" }))
      return true
    },
    async hasLeft(userId) {
      return (await departure(database, userId).executeTakeFirst()) !== undefined
    },
    async rename(userId, name) {
      await database.transaction().execute(async (transaction) => {
        await transaction
          .insertInto("guest_names")
          .values({ user_id: userId, name })
          .onConflict((conflict) => conflict.column("user_id").doUpdateSet({ name }))
          .execute()
        for (const table of ["members", "kept_out", "device_links"] as const)
          await transaction
            .updateTable(table)
            .set({ user_name: name })
            .where("user_id", "=", userId)
            .execute()
      })
    },
    async present(user) {
      const { has_left, name } = await database
        .selectNoFrom([
          departure(database, user.id).as("has_left"),
          database.selectFrom("guest_names").select("name").where("user_id", "=", user.id).as("name"),
        ])
        .executeTakeFirstOrThrow()
      if (has_left !== null) return null
      return name === null ? user : { ...user, name }
    },
  }
}
