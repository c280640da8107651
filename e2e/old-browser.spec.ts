import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { brotliDecompressSync } from "node:zlib"
import type { Browser } from "@playwright/test"
import { explainMissing, findOldChromium, tools } from "../scripts/tools.ts"
import { type ChatServers, freePort, startServers } from "./chat-servers.ts"
import { test as base, expect } from "./fixtures.ts"

/** Of 2023, next to the oldest that is served. It comes packed, as one file that needs nothing of the machine. */
const test = base.extend<object, { browser: Browser; chat: ChatServers }>({
  chat: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads what a fixture needs from its pattern.
    async ({}, use) => {
      // At an http address browsers of that time take no cookie that is its host's alone, not even of this machine.
      const port = await freePort()
      const env = { APP_ORIGIN: `http://127.0.0.1:${port}` }
      await using chat = await startServers([{ file: "server/main.ts", port }], { env })
      await use(chat)
    },
    { scope: "worker", timeout: 180_000 },
  ],
  browser: [
    async ({ playwright }, use) => {
      const packed = findOldChromium()
      // Its tests are skipped.
      if (!packed) return use(undefined as never)
      const folder = await mkdtemp(join(tmpdir(), "old-chromium-"))
      const executablePath = join(folder, "chromium")
      await writeFile(executablePath, brotliDecompressSync(await readFile(packed)), { mode: 0o755 })
      const args = ["--no-sandbox", "--no-zygote", "--disable-gpu"]
      const browser = await playwright.chromium.launch({ executablePath, args })
      await use(browser)
      await browser.close()
      await rm(folder, { recursive: true })
    },
    { scope: "worker", timeout: 60_000 },
  ],
})
test.skip(findOldChromium() === null, explainMissing(tools.oldChromium))

test("somebody with a browser of 2023 signs in, makes a room, writes and reads", async ({
  browser,
  people,
}) => {
  expect(browser.version()).toMatch(/^112\./)
  const alice = await people.signIn("Alice")
  const errors: Error[] = []
  alice.page.on("pageerror", (error) => errors.push(error))
  const bob = await people.newcomer("Bob")
  const hers = await alice.createRoom("Harbour")
  const his = await bob.joinRoom(hers.url)
  await hers.send("Good morning!")
  await his.expectWritten(["Good morning!"])
  await his.send("おはよう 🎣")
  await hers.expectWritten(["Good morning!", "おはよう 🎣"])
  await hers.expectAllSent()
  await alice.page.reload()
  await hers.expectWritten(["Good morning!", "おはよう 🎣"])
  expect(errors).toEqual([])
})
