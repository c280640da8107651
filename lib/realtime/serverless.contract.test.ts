import { sealData } from "iron-session"
import { Client } from "pg"
import { findPostgres, startPostgres } from "throughline/testing"
import { describe, expect, it } from "vitest"
import { lobbyId } from "../chat/lobby.ts"
import { newGuest, sessionOptions } from "../chat/session.ts"
import { parseEnv } from "../env/schema.ts"
import { createChat } from "./create.ts"

const password = "a session secret of this test, long enough"

describe.skipIf(!findPostgres())("a function whose database is PostgreSQL", () => {
  it("opens three connections, whatever is asked of it at once, and answers all", async () => {
    await using postgres = await startPostgres()
    const administrator = new Client({ connectionString: postgres.connectionString })
    await administrator.connect()
    await using stack = new AsyncDisposableStack()
    stack.defer(() => administrator.end())
    // A fourth would be refused, and with it what was asked.
    await administrator.query(
      `CREATE ROLE chat LOGIN PASSWORD 'canary-password' CONNECTION LIMIT 3;
       GRANT CREATE ON DATABASE postgres TO chat; GRANT CREATE ON SCHEMA public TO chat`,
    )
    const env = parseEnv({
      ...{ VERCEL: "1", SESSION_SECRET: password, LOG_LEVEL: "silent", REALTIME_PROVIDER: "pusher" },
      ...{ PUSHER_APP_ID: "1", PUSHER_KEY: "key", PUSHER_SECRET: "secret", PUSHER_CLUSTER: "eu" },
      DATABASE_URL: postgres.connectionString.replace("//throughline:", "//chat:"),
    })
    const work: Promise<unknown>[] = []
    const chat = await createChat({ env, publishers: [], waitUntil: (more) => void work.push(more) })
    stack.defer(() => chat.close())
    const user = newGuest("Aki")
    await chat.rooms.join(user, lobbyId)

    const cookie = `${sessionOptions(env).cookieName}=${encodeURIComponent(await sealData({ user }, { password }))}`
    const request = (path: string, body?: unknown) =>
      new Request(`https://chat.example/api/${path}`, {
        headers: { cookie, ...(body !== undefined && { "content-type": "application/json" }) },
        ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
      })
    const { realtime, handlers } = chat
    const channel = `room:${lobbyId}`
    const message = () => ({ id: crypto.randomUUID(), event: "text-sent", payload: { text: "hi" } })
    const asks = [
      () => realtime.handlers.POST(request("realtime/publish", { channel, messages: [message()] })),
      () => realtime.handlers.GET(request(`realtime/history?channel=${channel}`)),
      () => realtime.handlers.GET(request(`realtime/head?channel=${channel}`)),
      () => handlers.unread(request("chat/unread")),
      () => handlers.search(request(`chat/search?room=${lobbyId}&query=hi`)),
      () => handlers.people(request(`chat/people?room=${lobbyId}`)),
    ]
    const answers = await Promise.all(Array.from({ length: 8 }, () => asks.map((ask) => ask())).flat())
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    const { rows } = await administrator.query(
      "SELECT count(*)::int AS open FROM pg_stat_activity WHERE usename = 'chat'",
    )
    // All of them were of use.
    expect(rows).toEqual([{ open: 3 }])
    await Promise.all(work)
  })
})
