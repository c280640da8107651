import { expect, type Page, test } from "@playwright/test"
import { openLogs } from "./open-logs.ts"
import { canInstall, makeNeighbour, makeStranger, programOf, type Stranger } from "./stranger.ts"
import { isConnected, openTwo, say, shows } from "./stranger-people.ts"

const next = programOf("next")

/** What a document has taken and not given back. */
interface Held {
  /** Sockets by path, with those that were closed since. */
  opened: string[]
  open: string[]
  /** How many listeners of each event its window and its document have. */
  listeners: Record<string, number>
}

/** Runs in a page, before its own scripts. */
function noteHeld(): void {
  const sockets: WebSocket[] = []
  const Noted = class extends WebSocket {
    constructor(...args: ConstructorParameters<typeof WebSocket>) {
      super(...args)
      sockets.push(this)
    }
  }
  const kept = new Map<string, Set<unknown>>()
  const { addEventListener, removeEventListener } = EventTarget.prototype
  const ofPage = (target: unknown) => target === window || target === document || target === undefined
  EventTarget.prototype.addEventListener = function (type, listener, options) {
    if (ofPage(this) && listener) {
      kept.set(type, (kept.get(type) ?? new Set()).add(listener))
      const { signal } = typeof options === "object" ? options : {}
      if (signal) addEventListener.call(signal, "abort", () => void kept.get(type)?.delete(listener))
    }
    return addEventListener.call(this, type, listener, options)
  }
  EventTarget.prototype.removeEventListener = function (type, listener, options) {
    if (ofPage(this)) kept.get(type)?.delete(listener)
    return removeEventListener.call(this, type, listener, options)
  }
  const pathOf = ({ url }: WebSocket) => new URL(url).pathname
  const held = (): Held => ({
    opened: sockets.map(pathOf).toSorted(),
    open: sockets
      .filter(({ readyState }) => readyState === WebSocket.OPEN)
      .map(pathOf)
      .toSorted(),
    listeners: Object.fromEntries([...kept].map(([type, { size }]) => [type, size])),
  })
  Object.assign(window, { WebSocket: Noted, held })
}

const heldBy = (page: Page) => page.evaluate(() => (window as unknown as { held(): Held }).held())

test.describe("an app whose layout connects, with `cacheComponents` and StrictMode", () => {
  let app: Stranger

  test.beforeAll(async () => {
    test.skip(!canInstall(), "npm's registry doesn't answer")
    app = await makeStranger("16.4.3")
    app.run("throughline", "init", "--yes")
    app.write(
      "next.config.ts",
      "export default { cacheComponents: true, reactStrictMode: true, devIndicators: false }\n",
    )
    for (const [path, text] of Object.entries(files)) app.write(path, text)
    for (const path of ["realtime/channels.ts", "realtime/server.ts"])
      app.write(path, `${app.read(path)}\nexport const saves = 0\n`)
  })
  test.afterAll(() => app?.[Symbol.dispose]())

  test("keeps one socket and as many listeners through hiding, links and thirty saves", async ({
    browser,
  }) => {
    await using server = await app.start([next, "dev"], { path: "/lobby" })
    const goTo = (page: Page, name: string) => page.getByRole("link", { name }).click()
    await using people = await openTwo(browser, `${server.url}/lobby`, (page) => page.addInitScript(noteHeld))
    const { alice, bob } = people
    await Promise.all([isConnected(alice), isConnected(bob)])
    await say(alice, "one")
    await shows(bob, ["one"])

    // `<Activity>` of the app's own: what is hidden isn't subscribed, and misses nothing.
    await bob.getByRole("button", { name: "Hide" }).click()
    await expect(bob.getByLabel("Message")).toBeHidden()
    await say(alice, "two")
    await bob.getByRole("button", { name: "Show" }).click()
    await shows(bob, ["one", "two"])

    // Next.js' own, which keeps the page that a link leaves, and what was written there.
    await bob.getByLabel("Message").fill("a draft")
    await goTo(bob, "About")
    await expect(bob.getByRole("heading", { name: "About" })).toBeVisible()
    await say(alice, "three")
    await goTo(bob, "Lobby")
    await expect(bob.getByLabel("Message")).toHaveValue("a draft")
    await shows(bob, ["one", "two", "three"])

    const saves = { page: 0, channels: 0, server: 0 }
    const save = async (name: keyof typeof saves, path: string) => {
      app.edit(path, `saves = ${saves[name]}`, `saves = ${saves[name] + 1}`)
      saves[name] += 1
      const said = `Saves: ${saves.page} ${saves.channels} ${saves.server}`
      for (const page of [alice, bob]) await expect(page.getByText(said)).toBeVisible()
    }
    const saveAll = async () => {
      await save("page", "app/lobby/lobby.tsx")
      await save("channels", "realtime/channels.ts")
      await save("server", "realtime/server.ts")
    }
    const look = async () => [await heldBy(alice), await heldBy(bob)]
    await saveAll()
    const [before, logs] = [await look(), openLogs(`${app.folder}/.data`)]
    for (let round = 2; round <= 10; round += 1) await saveAll()
    for (const { open, opened } of before) {
      expect(open).toEqual(["/_next/hmr", "/socket.io/"])
      expect(opened).toEqual(open)
    }
    await expect.poll(look).toEqual(before)
    await expect.poll(() => openLogs(`${app.folder}/.data`)).toBe(logs)
    await say(bob, "four")
    await shows(alice, ["one", "two", "three", "four"])
  })
})

test("pages move to the provider that a saved `.env.local` names, under `next dev`, and lose nothing", async ({
  browser,
}) => {
  using app = await makeNeighbour()
  app.run("throughline", "init", "--yes", "--no-install", "--example", "chat")
  await using server = await app.start([next, "dev"], { path: "/chat" })
  await using people = await openTwo(browser, `${server.url}/chat`)
  const { alice, bob } = people
  const said: string[] = []
  for (const provider of ["socketio", "ably", "pusher", "socketio"] as const) {
    app.write(".env.local", `REALTIME_PROVIDER=${provider}\n`)
    await Promise.all([isConnected(alice, provider), isConnected(bob, provider)])
    said.push(`over ${provider}`)
    await say(alice, `over ${provider}`)
    await shows(bob, said)
  }
})

const files = {
  "app/layout.tsx": `import Link from "next/link"
import { type ReactNode, Suspense } from "react"
import { Throughline } from "../realtime/provider"
import { realtime } from "../realtime/server"

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <Link href="/lobby">Lobby</Link> <Link href="/about">About</Link>
        <Suspense fallback={<p>Connecting…</p>}>
          <Connected>{children}</Connected>
        </Suspense>
      </body>
    </html>
  )
}

async function Connected({ children }: { children: ReactNode }) {
  return <Throughline config={await realtime.config()}>{children}</Throughline>
}
`,
  "app/about/page.tsx": "export default function About() {\n  return <h1>About</h1>\n}\n",
  "app/lobby/page.tsx": `import { connection } from "next/server"
import { Suspense } from "react"
import { room } from "../../realtime/channels"
import { realtime, saves } from "../../realtime/server"
import { Lobby } from "./lobby"

export default function LobbyPage() {
  return (
    <Suspense>
      <Newest />
    </Suspense>
  )
}

async function Newest() {
  await connection()
  return <Lobby initial={await realtime.history(room({ room: "lobby" }))} saves={saves} />
}
`,
  "app/lobby/lobby.tsx": `"use client"
import { Activity, useState } from "react"
import type { LogPage } from "throughline"
import { useConnection, useMessages } from "throughline/react"
import { saves as savesOfChannels, room } from "../../realtime/channels"

const lobby = room({ room: "lobby" })
const saves = 0

export function Lobby({ initial, saves: savesOfServer }: { initial: LogPage; saves: number }) {
  const [isHidden, setHidden] = useState(false)
  return (
    <>
      <p>{\`Saves: \${saves} \${savesOfChannels} \${savesOfServer}\`}</p>
      <button type="button" onClick={() => setHidden(!isHidden)}>
        {isHidden ? "Show" : "Hide"}
      </button>
      <Activity mode={isHidden ? "hidden" : "visible"}>
        <Chat initial={initial} />
      </Activity>
    </>
  )
}

function Chat({ initial }: { initial: LogPage }) {
  const { messages, pending, send } = useMessages(lobby, { initial })
  const { provider, state } = useConnection()
  const [text, setText] = useState("")

  return (
    <form
      action={() => {
        send("said", { text })
        setText("")
      }}
    >
      <p role="status">
        {provider}: {state}
      </p>
      <ul>
        {messages.map(({ id, from, payload }) => (
          <li key={id}>
            {from?.name ?? "Server"}: {payload.text}
          </li>
        ))}
        {pending.map(({ id, payload }) => (
          <li key={id}>… {payload.text}</li>
        ))}
      </ul>
      <input aria-label="Message" value={text} onChange={(event) => setText(event.target.value)} />
      <button type="submit">Send</button>
    </form>
  )
}
`,
}
