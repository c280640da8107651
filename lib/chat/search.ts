import { sql } from "kysely"
import type { Database } from "./database.ts"
import type { MessageIndex } from "./message-index.ts"
import { type Phrase, phrasesOf } from "./search-tokens.ts"
import { roomToken } from "./search-words.ts"

export interface SearchResult {
  id: string
  seq: number
  at: number
  from: { id: string; name: string }
  text: string
}

export interface SearchPage {
  /** Newest first. */
  results: SearchResult[]
  /** What to ask for as `before` to go on; null at the end. */
  next: number | null
  /** Old messages are still being read: there may be more to find soon. */
  isIndexing: boolean
}

export interface Search {
  /** What was said in a room, as it stands now. Whether the reader may read there was asked before. */
  find(roomId: string, query: string, before?: number): Promise<SearchPage>
}

const pageSize = 30

const toTsquery = (roomId: string, phrases: readonly Phrase[]): string =>
  [
    `'${roomToken(roomId)}'`,
    ...phrases.map(({ tokens, isPrefix }) => {
      const quoted = tokens.map((token) => `'${token}'`)
      return `(${quoted.join(" <-> ")}${isPrefix ? ":*" : ""})`
    }),
  ].join(" & ")

const toFts5 = (roomId: string, phrases: readonly Phrase[]): string =>
  [
    `"${roomToken(roomId)}"`,
    ...phrases.map(({ tokens, isPrefix }) => `"${tokens.join(" ")}"${isPrefix ? " *" : ""}`),
  ].join(" AND ")

export interface SearchOptions {
  database: Database
  isPostgres: boolean
  index: Pick<MessageIndex, "catchUp">
}

/** Search in a room by the database's own full-text index. */
export function createSearch({ database, isPostgres, index }: SearchOptions): Search {
  return {
    async find(roomId, query, before = Number.MAX_SAFE_INTEGER) {
      const phrases = phrasesOf(query)
      if (phrases.length === 0) return { results: [], next: null, isIndexing: false }
      const { isIndexing } = await index.catchUp([roomId])
      const rows = await database
        .selectFrom("message_index")
        .select(["id", "seq", "at", "author_id", "author_name", "text"])
        .where("room_id", "=", roomId)
        .where("seq", "<", before)
        .where(
          isPostgres
            ? sql<boolean>`words @@ ${toTsquery(roomId, phrases)}::tsquery`
            : sql<boolean>`number IN (SELECT rowid FROM message_words WHERE message_words MATCH ${toFts5(roomId, phrases)})`,
        )
        .orderBy("seq", "desc")
        .limit(pageSize + 1)
        .execute()
      const results = rows.slice(0, pageSize).map(({ id, seq, at, author_id, author_name, text }) => ({
        ...{ id, seq: Number(seq), at: Number(at), text },
        from: { id: author_id, name: author_name },
      }))
      return { results, next: rows.length > pageSize ? (results.at(-1)?.seq ?? null) : null, isIndexing }
    },
  }
}
