import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { sealData } from "iron-session"
import { pino } from "pino"
import type { Signal } from "throughline"
import { createRealtimeClient } from "throughline/client"
import type { Realtime } from "throughline/server"
import { waitFor } from "throughline/testing"
import { describe, expect, it } from "vitest"
import { room } from "#lib/chat/channels.ts"
import { lobbyId } from "#lib/chat/lobby.ts"
import { sessionCookie } from "#lib/chat/session.ts"
import { parseEnv } from "#lib/env/schema.ts"
import { providers } from "#lib/realtime/client.ts"
import { createChat } from "#lib/realtime/create.ts"
import { chatOfProcess } from "#lib/realtime/process-chat.ts"
import { createPublishers } from "#lib/realtime/publishers.ts"
import { createServer } from "./create-server.ts"
import { startEmulator } from "./emulator.ts"
import { gatewayOptions } from "./gateway-options.ts"

const sessionSecret = "a session secret of this test, long enough"
const logger = pino({ level: "silent" })
const lobby = room({ room: lobbyId })

type Layout = "one process" | "a gateway of its own" | "services alone"

/** The shipped servers over a list of providers; `realtime` is what answers the pages' requests. */
async function start(list: readonly string[], layout: Layout) {
  await using stack = new AsyncDisposableStack()
  const dataDir = mkdtempSync(join(tmpdir(), "throughline-lists-"))
  stack.defer(() => rmSync(dataDir, { recursive: true, force: true }))
  const variables: Record<string, string> = {
    ...{ NODE_ENV: "production", SESSION_SECRET: sessionSecret, DATA_DIR: dataDir },
    ...{ SOCKET_INTERNAL_SECRET: "an internal secret of this test", PORT: "0", HOST: "127.0.0.1" },
  }
  for (const service of list.filter((name) => name !== "socketio"))
    Object.assign(variables, stack.use(await startEmulator(service, "http://127.0.0.1:9")).env)
  variables.REALTIME_PROVIDER = list.join(",")

  if (layout === "services alone") return { ...(await startApp(variables)), stack: stack.move() }
  const server = await createServer(await gatewayOptions(parseEnv(variables), logger))
  stack.defer(() => server.close())
  // As Next.js finds it, in the process that it shares with the gateway.
  const found = await chatOfProcess(() => Promise.reject(new Error("nobody has hosted a chat")))
  if (layout === "one process") return { chat: found, url: server.url, stack: stack.move() }
  return {
    ...(await startApp({ ...variables, SOCKET_URL: server.url })),
    url: server.url,
    stack: stack.move(),
  }

  async function startApp(own: Record<string, string>) {
    const env = parseEnv(own)
    const chat = await createChat({ env, publishers: await createPublishers(env), logger })
    stack.defer(() => chat.close())
    return { chat, url: undefined }
  }
}

function openPage(realtime: Realtime, { url, cookie }: { url: string | undefined; cookie: string }) {
  const config = realtime.clientConfig()
  return createRealtimeClient({
    // A page has an origin, which is where the gateway of its own process is.
    config: { ...config, providers: config.providers.map((each) => ({ ...(url && { url }), ...each })) },
    providers,
    // No comparison with the log helps out while this runs.
    headCheck: { connectedMs: 3_600_000, interruptedMs: 3_600_000 },
    failover: { returnMs: 50 },
    async fetch(input, init) {
      const request = new Request(new URL(String(input), "http://app.test"), init)
      request.headers.set("cookie", cookie)
      return request.method === "POST" ? realtime.handlers.POST(request) : realtime.handlers.GET(request)
    },
  })
}

const pairs = (list: readonly string[]) =>
  list.flatMap((first) => list.filter((second) => second !== first).map((second) => [first, second] as const))

const services = ["pusher", "ably"]
const cases = [
  ...pairs(["socketio", ...services]).flatMap((list) =>
    (list.includes("socketio")
      ? (["one process", "a gateway of its own"] as const)
      : (["services alone"] as const)
    ).map((layout) => ({ list, layout, name: list.join(",") })),
  ),
  { list: ["socketio", ...services], layout: "one process", name: "socketio,pusher,ably" } as const,
]

describe("people on different providers of one list", () => {
  it.each(cases)("hear each other at once: $name, $layout", async ({ list, layout }) => {
    const { chat, url, stack } = await start(list, layout)
    await using _ = stack
    const heard = new Map<string, { texts: string[]; signals: Signal[] }>()
    const pages = await Promise.all(
      list.map(async (provider) => {
        const user = { id: `on-${provider}`, name: provider }
        await chat.rooms.join(user, lobbyId)
        const sealed = await sealData({ user }, { password: sessionSecret })
        const page = openPage(chat.realtime, { url, cookie: `${sessionCookie}=${sealed}` })
        stack.defer(() => page.close())
        const channel = page.channel(lobby)
        const of = { texts: [] as string[], signals: [] as Signal[] }
        heard.set(provider, of)
        const subscription = channel.subscribe({
          onMessages(messages) {
            for (const { payload } of messages) if (payload && "text" in payload) of.texts.push(payload.text)
          },
        })
        channel.onSignal("typing", (signal) => void of.signals.push(signal))
        page.open()
        await subscription.ready
        page.prefer(provider)
        await waitFor(() => page.connection.provider === provider, `the page on ${provider}`)
        return { provider, channel }
      }),
    )
    for (const { provider, channel } of pages) {
      await channel.publish("text-sent", { text: `by ${provider}` })
      await channel.signal("typing", { isTyping: true })
      for (const [reader, { texts, signals }] of heard) {
        await waitFor(() => texts.includes(`by ${provider}`), `${provider}'s message on ${reader}`)
        if (reader !== provider)
          await waitFor(
            () => signals.some(({ from }) => from.id === `on-${provider}`),
            `${provider}'s signal on ${reader}`,
          )
      }
    }
    const all = pages.map(({ provider }) => `by ${provider}`)
    for (const { texts } of heard.values()) expect(texts).toEqual(all)
  })
})
