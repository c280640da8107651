import { type Cursor, ownerHeaders, RealtimeError, type RealtimeErrorCode } from "throughline"
import { requestWithin } from "throughline/client"
import type { QuotedMessage } from "./message-index.ts"
import type { UnreadAnswer } from "./room-activity.ts"

/** What one finds in a room, newest first. */
export interface SearchPage {
  results: SearchResult[]
  /** Ask again with it as `before` for older ones; null at the end. */
  next: number | null
  /** The server is still reading old messages: there may be more to find soon. */
  isIndexing: boolean
}

export interface SearchResult {
  id: string
  seq: number
  at: number
  from: { id: string; name: string }
  text: string
}

const codeByStatus: Record<number, RealtimeErrorCode> = {
  401: "unauthorized",
  403: "channel-denied",
  404: "channel-denied",
  409: "session-changed",
  413: "message-too-large",
  429: "rate-limited",
}

/** Longer than the server lets its database take. */
const timeoutMs = 20_000

type Init = Pick<RequestInit, "method" | "body" | "keepalive" | "signal">

/** Browser: one request to the chat's own routes, in the name of whose page it is. Every failure is a `RealtimeError`. */
async function call<T>(owner: string, path: string, init: Init = {}): Promise<T> {
  const doing = `reach /api/chat/${path.split("?")[0]}`
  async function ask(signal: AbortSignal) {
    const response = await fetch(`/api/chat/${path}`, {
      ...{ ...init, signal },
      headers: { ...(init.body && { "Content-Type": "application/json" }), ...ownerHeaders(owner) },
      cache: "no-store",
      credentials: "same-origin",
    })
    return { status: response.status, body: response.ok ? ((await response.json()) as T) : null }
  }
  const { status, body } = await requestWithin(timeoutMs, doing, ask, init.signal)
  if (body !== null) return body
  const code = codeByStatus[status] ?? (status >= 500 ? "provider-unavailable" : "invalid-request")
  throw new RealtimeError(code, { message: `unable to ${doing}; it answered ${status}` })
}

/** Browser: what is unread in all rooms that one is in, and which rooms there are. */
export const askUnread = (owner: string) => call<UnreadAnswer>(owner, "unread")

/** Browser: tells how far one has read; `isLast` lets the request outlive the page. */
export async function moveRead(owner: string, room: string, place: Cursor, isLast: boolean): Promise<void> {
  await call(owner, "read", {
    method: "POST",
    body: JSON.stringify({ room, ...place }),
    keepalive: isLast,
  })
}

/** Browser: what was said in a room that one is in, from `before` (a `next`) to older ones. */
export async function searchRoom(
  owner: string,
  room: string,
  query: string,
  { before, signal }: { before?: number | undefined; signal?: AbortSignal } = {},
): Promise<SearchPage> {
  const parameters = new URLSearchParams({ room, query })
  if (before !== undefined) parameters.set("before", String(before))
  return call<SearchPage>(owner, `search?${parameters}`, signal ? { signal } : {})
}

/** The most messages that one request may name. */
export const maxQuotes = 50

/** Browser: these messages of a room that one is in, as they stand now; those that aren't kept any more are left out. */
export async function askQuotes(
  owner: string,
  room: string,
  ids: readonly string[],
): Promise<QuotedMessage[]> {
  const parameters = new URLSearchParams([["room", room], ...ids.map((id) => ["id", id])])
  const { messages } = await call<{ messages: QuotedMessage[] }>(owner, `quotes?${parameters}`)
  return messages
}

interface Named {
  id: string
  name: string
}

/** Browser: who is in a room that one is in. */
export async function askPeople(owner: string, room: string): Promise<Named[]> {
  const { people } = await call<{ people: Named[] }>(owner, `people?${new URLSearchParams({ room })}`)
  return people
}

/** Browser: who is kept out of a room of one's own. */
export async function askKeptOut(owner: string, room: string): Promise<Named[]> {
  const { people } = await call<{ people: Named[] }>(owner, `kept-out?${new URLSearchParams({ room })}`)
  return people
}
