import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { sealData } from "iron-session"
import { pino } from "pino"
import { io as connectSocket, type Socket } from "socket.io-client"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { lobbyId } from "#lib/chat/lobby.ts"
import { newGuest, sessionCookie } from "#lib/chat/session.ts"
import { parseEnv } from "#lib/env/schema.ts"
import { chatOfProcess, type ProcessChat } from "#lib/realtime/process-chat.ts"
import { createServer, type RunningServer } from "./create-server.ts"
import { gatewayOptions } from "./gateway-options.ts"

const password = "a session secret of this test, long enough"
const channel = `room:${lobbyId}`
const dataDir = mkdtempSync(join(tmpdir(), "throughline-limits-"))
const logger = pino({ level: "silent" })
const sockets: Socket[] = []
let server: RunningServer
let chat: ProcessChat

beforeAll(async () => {
  const env = parseEnv({
    ...{ SESSION_SECRET: password, DATA_DIR: dataDir, REALTIME_PROVIDER: "socketio" },
    LIMITS: "publishes-from-an-address=100/600,signals-from-an-address=3/600,reads-from-an-address=30/600",
  })
  server = await createServer({ ...(await gatewayOptions(env, logger)), port: 0, hostname: "127.0.0.1" })
  chat = await chatOfProcess(() => expect.unreachable("the server hosts one"))
})
afterAll(async () => {
  for (const socket of sockets) socket.disconnect()
  await server.close()
  rmSync(dataDir, { recursive: true })
})

const message = () => ({ id: crypto.randomUUID(), event: "text-sent", payload: { text: "hi" } })

/** A guest with a cookie and a socket, past a proxy on this machine that says where they come from. */
async function enter(address: string) {
  const user = newGuest("Aki")
  await chat.rooms.join(user, lobbyId)
  const cookie = `${sessionCookie}=${encodeURIComponent(await sealData({ user }, { password }))}`
  const askTicket = () =>
    server.realtime.handlers.POST(
      new Request("https://chat.example/api/realtime/credentials/socketio", {
        ...{ method: "POST", body: "{}" },
        headers: { cookie, "content-type": "application/json" },
      }),
    )
  const { ticket } = (await (await askTicket()).json()) as { ticket: string }
  const open = () => {
    const socket = connectSocket(server.url, {
      ...{ transports: ["websocket"], reconnection: false, forceNew: true, auth: { ticket } },
      extraHeaders: { "x-forwarded-for": address },
    })
    sockets.push(socket)
    return socket
  }
  const socket = open()
  const ask = (...packet: unknown[]) => socket.timeout(5_000).emitWithAck(...(packet as [string]))
  return { user, socket, open, ask, askTicket }
}

type Guest = Awaited<ReturnType<typeof enter>>

type Refusal = { code: string }
type Answer = { ok: boolean; error?: Refusal; results?: { error?: Refusal }[] }

const asks: Record<string, (guest: Guest) => Promise<Answer>> = {
  publish: ({ ask }) => ask("publish", channel, Array.from({ length: 30 }, message)),
  signal: ({ ask }) => ask("signal", channel, "typing", { isTyping: true }),
  subscribe: ({ ask }) => ask("subscribe", channel, { seq: 0, epoch: "" }),
}

describe("the chat's gateway", () => {
  it.each([
    ["publish", "192.0.2", 3],
    ["signal", "198.51.100", 3],
    // Each guest has subscribed once before.
    ["subscribe", "203.0.113", 15],
  ])(
    "%s: new names give an address nothing more, and nobody elsewhere feels it",
    async (what, network, allowed) => {
      const act = asks[what] as (typeof asks)[string]
      const [full, other] = [`${network}.1`, `${network}.2`]
      const refusal = { code: "rate-limited", retryAfterMs: expect.any(Number) }
      let taken = 0
      let answer: Answer | undefined
      while (taken <= allowed) {
        const guest = await enter(full)
        await guest.ask("subscribe", channel, null)
        answer = await act(guest)
        guest.socket.disconnect()
        if (!answer.ok) break
        taken += 1
      }
      expect([taken, answer?.error]).toMatchObject([allowed, refusal])
      const guest = await enter(other)
      await guest.ask("subscribe", channel, null)
      expect(await act(guest)).toMatchObject({ ok: true })
    },
  )

  it("lets nothing be done by what was stolen of a session that has ended", async () => {
    const thief = await enter("192.0.2.7")
    expect(await asks.subscribe?.(thief)).toMatchObject({ ok: true })
    await chat.guests.leave(thief.user.id)
    expect((await thief.askTicket()).status).toBe(401)
    const codeOf = ({ error, results }: Answer) => (error ?? results?.[0]?.error)?.code
    for (const act of Object.values(asks)) expect(codeOf(await act(thief))).toBe("channel-denied")
    // A ticket is good for a minute, and for nothing.
    const late = thief.open()
    expect(codeOf(await late.timeout(5_000).emitWithAck("subscribe", channel, null))).toBe("channel-denied")
  })
})
