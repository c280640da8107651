import { type Browser, expect } from "@playwright/test"
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

/**
 * `npm run dev` of a copy of the project that may be edited, and Alice in its lobby, by a name of this machine, to which browsers don't
 * give what they give to localhost. `openBrowser` gets the arguments by which a browser finds it.
 */
export async function openDevelopment(openBrowser: (args: string[]) => Promise<Browser>) {
  await using stack = new AsyncDisposableStack()
  const project = stack.use(copyProject())
  const chat = stack.use(await startDevelopment(project.folder))
  const name = localNames().at(-1)
  const browser = await openBrowser([`--host-resolver-rules=MAP ${name} 127.0.0.1`])
  stack.defer(() => browser.close())
  const context = await browser.newContext({ baseURL: `http://${name}:${new URL(chat.url).port}` })
  await context.addInitScript(noteSockets)
  const alice = await signIn(context, "Alice")
  // Next.js 16.4 with Turbopack refreshes components of the page that was loaded, not of one that was navigated to.
  const room = await alice.openRoom(alice.page.url())
  await alice.page.evaluate(() => Object.assign(window, { isTheSamePage: true }))
  const open = () =>
    alice.page.evaluate(() => (window as unknown as { openSockets(): string[] }).openSockets())
  const held = stack.move()
  return {
    ...{ project, alice, room, dataDir: chat.dataDir ?? "" },
    isTheSamePage: () => alice.page.evaluate(() => "isTheSamePage" in window),
    /** Hot reload has a socket of its own beside the page's one connection, StrictMode or not. */
    hasOneConnection: () =>
      expect.poll(async () => (await open()).toSorted()).toEqual(["/_next/hmr", "/socket.io/"]),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}
