import { createHash } from "node:crypto"
import { type RawBuilder, sql } from "kysely"
import { tokensOf } from "./search-tokens.ts"

/**
 * Each message's first token: both databases find a room's words without a look at those of other rooms. No word of a text can be
 * one, since it begins with a colon.
 */
export const roomToken = (roomId: string): string =>
  `:${createHash("sha256").update(roomId).digest("hex").slice(0, 16)}`

/** What the column `words` holds of a message: its tokens in their places. */
export function wordsOf(roomId: string, text: string, isPostgres: boolean): RawBuilder<string> {
  const tokens = [roomToken(roomId), ...tokensOf(text)]
  // A token holds neither quotes nor backslashes, so the literal needs no escaping and no parser of the database's sees the text.
  return isPostgres
    ? sql`${tokens.map((token, index) => `'${token}':${index + 1}`).join(" ")}::tsvector`
    : sql`${tokens.join(" ")}`
}
