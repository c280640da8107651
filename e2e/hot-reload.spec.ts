import { existsSync } from "node:fs"
import { expect, test } from "@playwright/test"
import { openDevelopment } from "./development.ts"
import { openLogs } from "./open-logs.ts"

test("in `npm run dev` a page's client, its provider's module and a new event follow edits", async ({
  playwright,
  launchOptions,
}) => {
  await using development = await openDevelopment((args) =>
    playwright.chromium.launch({ ...launchOptions, args: [...(launchOptions.args ?? []), ...args] }),
  )
  const { project, alice, room, dataDir, isTheSamePage, hasOneConnection } = development
  const logs = openLogs(dataDir)
  if (existsSync("/proc/self/fd")) expect(logs).toBeGreaterThan(0)
  // The module that opens and closes the page's client is another one by now, whose effects have run again.
  project.edit("realtime/react/provider.tsx", [
    "function own(",
    "Object.assign(globalThis, { isEdited: true })\nfunction own(",
  ])
  await alice.page.waitForFunction(() => "isEdited" in window)
  await room.send("after the provider's edit")
  await hasOneConnection()
  expect(await isTheSamePage()).toBe(true)

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
  await expect.poll(() => openLogs(dataDir)).toBe(logs)
})
