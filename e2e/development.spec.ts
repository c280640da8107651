import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "@playwright/test"
import { projectDir } from "../scripts/run.ts"
import { startDevelopment } from "./chat-servers.ts"
import { signIn } from "./person.ts"

/**
 * A copy of the project that a test may edit. It lies inside the project, so that both find the same `node_modules`, and
 * has no lockfile, so that Next.js takes the project for its root.
 */
function copyProject(): Disposable & { folder: string } {
  const parent = join(projectDir, ".data")
  mkdirSync(parent, { recursive: true })
  const folder = mkdtempSync(join(parent, "development-"))
  const left = ["node_modules", "package-lock.json", "test-results", "e2e", "docs"]
  for (const name of readdirSync(projectDir)) {
    if (name.startsWith(".") || left.includes(name)) continue
    cpSync(join(projectDir, name), join(folder, name), { recursive: true })
  }
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}

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

/** Changes a file as an editor would. */
function edit(path: string, from: string, to: string): void {
  const before = readFileSync(path, "utf8")
  if (!before.includes(from)) throw new Error(`unable to edit ${path}; it has no ${from} any more`)
  writeFileSync(path, before.replace(from, to))
}

test("`npm run dev` shows an edit at once, without a reload, and stays connected", async ({ browser }) => {
  using project = copyProject()
  await using chat = await startDevelopment(project.folder)
  const context = await browser.newContext({ baseURL: chat.url })
  await context.addInitScript(noteSockets)
  const alice = await signIn(context, "Alice")
  // Next.js 16.4 with Turbopack refreshes components of the page that was loaded, not of one that was navigated to.
  const room = await alice.openRoom(alice.page.url())
  await room.send("before the edit")
  await room.composer.fill("half a sentence")
  await alice.page.evaluate(() => Object.assign(window, { isTheSamePage: true }))

  const composer = join(project.folder, "app/rooms/[room]/composer.tsx")
  edit(composer, 'placeholder={t("placeholder")}', 'placeholder="Edited"')
  await expect(room.composer).toHaveAttribute("placeholder", "Edited")

  await expect(room.composer).toHaveValue("half a sentence")
  expect(await alice.page.evaluate(() => "isTheSamePage" in window)).toBe(true)
  await room.send("after the edit")
  await room.expectWritten(["before the edit", "after the edit"])
  // Hot reload has a socket of its own beside the page's one connection, StrictMode or not.
  const open = () =>
    alice.page.evaluate(() => (window as unknown as { openSockets(): string[] }).openSockets())
  await expect.poll(async () => (await open()).toSorted()).toEqual(["/_next/hmr", "/socket.io/"])
  await context.close()
})
