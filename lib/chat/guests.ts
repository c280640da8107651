import { logError, type OnError } from "throughline"
import type { Database } from "./database.ts"
import { sessionSeconds } from "./kept-cookie.ts"

/** Guests who have signed out. Nobody can be the same guest again, so that whatever still speaks in their name is somebody else's. */
export interface Guests {
  /** From now on no session, ticket or open connection of this guest is good for anything. False if they had left before. */
  leave(userId: string): Promise<boolean>
  hasLeft(userId: string): Promise<boolean>
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
  }
}
