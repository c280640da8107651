import { existsSync, globSync, readlinkSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "@playwright/test"
import { localNames } from "../lib/env/local-addresses.ts"
import { copyProject } from "../scripts/copy-project.ts"
import { startDevelopment } from "./chat-servers.ts"
import { signIn } from "./person.ts"

/** Runs in a page, before its own scripts: notes every socket that this document opens, and no earlier document's. */
function noteSockets(): void {
  const sockets: WebSocket[] = []
  const Noted = class extends WebSocket {
    constructor(...args: ConstructorParameters<typeof WebSocket>) {
      super(...args)
      sockets.push(this)
    }
  }
  const openSockets = () =>
    sockets
      .filter((socket) => socket.readyState === socket.OPEN)
      .map((socket) => new URL(socket.url).pathname)
  Object.assign(window, { WebSocket: Noted, openSockets })
}

/** How often processes of this machine hold the log open, where the system tells. */
function openLogs(dataDir: string): number {
  const held = existsSync("/proc/self/fd") ? globSync("/proc/[0-9]*/fd/*") : []
  return held.filter((file) => {
    try {
      return readlinkSync(file) === join(dataDir, "realtime.db")
    } catch {
      // It was closed, or is another user's.
      return false
    }
  }).length
}

test("`npm run dev` shows an edit at once, without a reload, and stays connected, on a phone in the same network too", async ({
  playwright,
  launchOptions,
}) => {
  using project = copyProject()
  await using chat = await startDevelopment(project.folder)
  // By a name of this machine, to which browsers don't give what they give to localhost.
  const name = localNames().at(-1)
  const args = [...(launchOptions.args ?? []), `--host-resolver-rules=MAP ${name} 127.0.0.1`]
  const browser = await playwright.chromium.launch({ ...launchOptions, args })
  const context = await browser.newContext({ baseURL: `http://${name}:${new URL(chat.url).port}` })
  await context.addInitScript(noteSockets)
  const alice = await signIn(context, "Alice")
  // Next.js 16.4 with Turbopack refreshes components of the page that was loaded, not of one that was navigated to.
  const room = await alice.openRoom(alice.page.url())
  await room.send("before the edit")
  await room.composer.fill("half a sentence")
  await alice.page.evaluate(() => Object.assign(window, { isTheSamePage: true }))

  project.edit("app/rooms/[room]/composer.tsx", ['placeholder={t("placeholder")}', 'placeholder="Edited"'])
  await expect(room.composer).toHaveAttribute("placeholder", "Edited")

  await expect(room.composer).toHaveValue("half a sentence")
  expect(await alice.page.evaluate(() => "isTheSamePage" in window)).toBe(true)
  await room.send("after the edit")
  await room.expectWritten(["before the edit", "after the edit"])
  // Hot reload has a socket of its own beside the page's one connection, StrictMode or not.
  const open = () =>
    alice.page.evaluate(() => (window as unknown as { openSockets(): string[] }).openSockets())
  const hasOneConnection = () =>
    expect.poll(async () => (await open()).toSorted()).toEqual(["/_next/hmr", "/socket.io/"])
  await hasOneConnection()

  const logs = openLogs(chat.dataDir ?? "")
  // The module that opens and closes the page's client is another one by now, whose effects have run again.
  project.edit("realtime/react/provider.tsx", [
    "function own(",
    "Object.assign(globalThis, { isEdited: true })\nfunction own(",
  ])
  await alice.page.waitForFunction(() => "isEdited" in window)
  await room.send("after the provider's edit")
  await hasOneConnection()
  expect(await alice.page.evaluate(() => "isTheSamePage" in window)).toBe(true)

  // A new event is known to both sides, and the client that the recommended line makes anew is the page's only one.
  project.edit(
    "lib/chat/channels.ts",
    ['"message-deleted": z.', 'waved: nothing, "message-deleted": z.'],
    ['["text-sent", ', '["waved", "text-sent", '],
  )
  project.edit(
    "app/_components/chat-provider.tsx",
    [
      "useState(() => clientOf(user, options))",
      "useState(() => createChatClient({ ...options, owner: user.id }))",
    ],
    [
      "return (\n    <MeContext",
      `Object.assign(globalThis, { wave: () => client.channel(room({ room: "lobby" })).publish("waved", {}) })
      return (<MeContext`,
    ],
    ["import { SessionGuard }", 'import { room } from "#lib/chat/channels.ts"\nimport { SessionGuard }'],
  )
  const wave = () =>
    alice.page
      .evaluate(async () => {
        const { wave } = window as { wave?: () => Promise<{ seq: number }> }
        return wave?.().then(
          ({ seq }) => seq > 0,
          ({ code }) => code,
        )
      })
      // Next.js may load the page anew, for a module that isn't of components alone.
      .catch((error: Error) => error.message)
  await expect.poll(wave).toBe(true)
  await hasOneConnection()
  await room.send("after all edits")
  await hasOneConnection()
  expect(openLogs(chat.dataDir ?? "")).toBe(logs)
  await browser.close()
})
