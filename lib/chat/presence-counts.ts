import { type PresenceCounts, presenceLifetimeMs, webhookWindowMs } from "throughline/server"
import type { Database } from "./database.ts"

/** How many people are where, kept in the chat's database: functions have no memory that they share. */
export function createPresenceCounts(database: Database, now: () => number = Date.now): PresenceCounts {
  return {
    async record(provider, events) {
      await database.transaction().execute(async (transaction) => {
        for (const event of events) {
          const { channel, at } = event
          if (event.kind === "channel-vacated") {
            await transaction
              .updateTable("presence")
              .set({ is_present: 0, at })
              .where("provider", "=", provider)
              .where("channel", "=", channel)
              .where("at", "<=", at)
              .execute()
          } else if ("connection" in event) {
            const told = { user_id: event.userId, is_present: event.kind === "member-joined" ? 1 : 0, at }
            await transaction
              .insertInto("presence")
              .values({ provider, channel, connection: event.connection, ...told })
              .onConflict((conflict) =>
                conflict
                  .columns(["channel", "provider", "connection"])
                  .doUpdateSet(told)
                  .where("presence.at", "<=", at),
              )
              .execute()
          }
        }
        // What left is remembered for as long as a repeated webhook could say that it came.
        await transaction
          .deleteFrom("presence")
          .where((where) =>
            where.or([
              where("at", "<", now() - presenceLifetimeMs),
              where.and([where("is_present", "=", 0), where("at", "<", now() - webhookWindowMs)]),
            ]),
          )
          .execute()
      })
    },
    async count(channels) {
      if (channels.length === 0) return []
      const rows = await database
        .selectFrom("presence")
        .select((select) => ["channel", select.fn.count<string>("user_id").distinct().as("people")])
        .where("channel", "in", channels)
        .where("is_present", "=", 1)
        .where("at", ">=", now() - presenceLifetimeMs)
        .groupBy("channel")
        .execute()
      const people = new Map(rows.map((row) => [row.channel, Number(row.people)]))
      return channels.map((channel) => people.get(channel) ?? 0)
    },
  }
}
