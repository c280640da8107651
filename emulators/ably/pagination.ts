import { ablyError } from "./errors.ts"

export interface Page<T> {
  items: T[]
  links: Record<string, string>
}

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1000

/**
 * ably/README.md §2.1: one page of `items`, which stand in the order asked for. The `next` link names the last item of this
 * page by its key, so what is published meanwhile shifts nothing.
 */
export function paginate<T>(
  items: T[],
  path: string,
  query: URLSearchParams,
  key: (item: T) => string,
): Page<T> {
  const limit = readLimit(query)
  const cursor = query.get("cursor")
  const start = cursor === null ? 0 : items.findIndex((item) => key(item) === cursor) + 1
  // A cursor whose item has expired meanwhile leaves nothing to go on from.
  const isLost = cursor !== null && start === 0
  const page = isLost ? [] : items.slice(start, start + limit)
  const word = path.split("/").at(-1) ?? ""
  const last = page.at(-1)
  const hasMore = !isLost && start + limit < items.length && last !== undefined
  return {
    items: page,
    links: {
      first: link(word, query, undefined),
      current: link(word, query, cursor ?? undefined),
      ...(hasMore ? { next: link(word, query, key(last)) } : {}),
    },
  }
}

/** The SDK takes only targets of the form `./{word}?{query}`. */
function link(word: string, query: URLSearchParams, cursor: string | undefined): string {
  const own = new URLSearchParams(query)
  own.delete("cursor")
  own.delete("key")
  own.delete("access_token")
  if (!own.has("limit")) own.set("limit", String(DEFAULT_LIMIT))
  if (cursor !== undefined) own.set("cursor", cursor)
  return `./${word}?${own}`
}

function readLimit(query: URLSearchParams): number {
  const text = query.get("limit")
  if (text === null) return DEFAULT_LIMIT
  const limit = Number(text)
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) throw ablyError(40003, "limit is 1 to 1000")
  return limit
}
