import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { sealData } from "iron-session"
import { describe, expect, it } from "vitest"
import { canMountDisk, mountDisk } from "../../realtime/testing/small-disk.ts"
import { parseEnv } from "../env/schema.ts"
import { createChat } from "../realtime/create.ts"
import { room } from "./channels.ts"
import { lobbyId } from "./lobby.ts"
import { newGuest, sessionCookie } from "./session.ts"

const password = "a session secret of this test, long enough"
const lobby = room({ room: lobbyId })
const isMountable = canMountDisk()

describe.skipIf(!isMountable)(
  isMountable ? "on a full disk" : "on a full disk (skipped: mounting needs root)",
  () => {
    it("search, unread counts and read positions say so, and lose nothing", async () => {
      using disk = mountDisk("4m")
      const env = parseEnv({
        ...{ SESSION_SECRET: password, DATA_DIR: disk.folder },
        ...{ REALTIME_PROVIDER: "socketio", LOG_LEVEL: "silent" },
      })
      const chat = await createChat({ env, publishers: [] })
      await using _ = { [Symbol.asyncDispose]: () => chat.close() }
      const [aki, ben] = [newGuest("Aki"), newGuest("Ben")]
      for (const user of [aki, ben]) await chat.rooms.join(user, lobbyId)
      const cookie = `${sessionCookie}=${encodeURIComponent(await sealData({ user: aki }, { password }))}`

      async function ask(path: keyof typeof chat.handlers, query: string, body?: unknown) {
        const answer = await chat.handlers[path](
          new Request(`https://chat.example/api/chat/${path}?${query}`, {
            headers: { cookie, ...(body !== undefined && { "content-type": "application/json" }) },
            ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
          }),
        )
        return { status: answer.status, body: await answer.json() }
      }
      const find = () => ask("search", new URLSearchParams({ room: lobbyId, query: "word" }).toString())
      const unread = async () => {
        const answer = await ask("unread", "")
        return { ...answer, body: answer.body.rooms?.[0] ?? answer.body }
      }
      const say = (text: string) => chat.realtime.publish(lobby, "text-sent", { text }, { from: ben })

      // Whoever asks for the first time has read everything until then.
      await unread()
      for (let n = 0; n < 3; n += 1) await say(`word ${n}`)
      expect((await unread()).body).toMatchObject({ unread: 3 })
      const place = (await unread()).body.head
      const read = { room: lobbyId, ...place, seq: place.seq - 2 }
      expect((await ask("read", "", read)).status).toBe(200)

      const ballast = join(disk.folder, "ballast")
      for (let hasRoom = true; hasRoom; ) {
        try {
          writeFileSync(ballast, Buffer.alloc(4_096), { flag: "a" })
        } catch {
          hasRoom = false
        }
      }
      // What the log has room for ahead is used, too.
      const kept: string[] = []
      const refusal = await (async () => {
        for (;;) kept.push((await say(`word ${"x".repeat(3_000)}`)).id)
      })().catch((error: unknown) => error)
      expect(refusal).toMatchObject({ code: "log-unavailable", retryable: true })

      // What is known can be read; what would have to be written down is refused, and said to be worth another try.
      expect(await find()).toMatchObject({ status: 200, body: { results: [{}, {}, {}] } })
      expect(await unread()).toMatchObject({ status: 200, body: { unread: 2 } })
      const everything = { room: lobbyId, ...place }
      expect(await ask("read", "", everything)).toMatchObject({
        ...{ status: 503, body: { error: { code: "log-unavailable" } } },
      })
      expect((await unread()).body).toMatchObject({ unread: 2, read: { seq: place.seq - 2 } })

      rmSync(ballast)
      expect((await ask("read", "", everything)).status).toBe(200)
      await say("word after")
      expect((await unread()).body).toMatchObject({ unread: kept.length + 1 })
      expect((await find()).body.results[0]).toMatchObject({ text: "word after" })
    })
  },
)
