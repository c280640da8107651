import { keptCookieOf } from "#lib/chat/kept-cookie.ts"
import { parseEnv } from "#lib/env/schema.ts"
import { createChat } from "#lib/realtime/create.ts"
import { hostChat, type ProcessChat } from "#lib/realtime/process-chat.ts"
import { request } from "./request.ts"

export const sessionSecret = "a session secret of this test, long enough"

/** The chat that the actions find in their process. */
export async function startChat(dataDir: string): Promise<ProcessChat> {
  const env = parseEnv({
    ...{ SESSION_SECRET: sessionSecret, DATA_DIR: dataDir },
    ...{ REALTIME_PROVIDER: "socketio", LOG_LEVEL: "silent" },
  })
  return hostChat({ env, ...(await createChat({ env, publishers: [] })) })
}

/** Somebody with a browser of their own, in which the page has been opened. */
export function arriveAt({ env }: ProcessChat, address: string): void {
  request.cookies = new Map()
  request.headers = new Headers({ "x-forwarded-for": address, cookie: `${keptCookieOf(env)}=1` })
}

export function formOf(fields: Record<string, string>): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.set(name, value)
  return form
}

/** Where an action sends the browser: the `Location` of Next.js's own redirect; else what it answered. */
export async function outcomeOf(action: Promise<unknown>): Promise<unknown> {
  return action.catch((error: { digest?: string }) => {
    const [kind, , location] = error.digest?.split(";") ?? []
    if (kind !== "NEXT_REDIRECT") throw error
    // As a header, where a line feed would fail.
    return new Headers({ location: location ?? "" }).get("location")
  })
}
