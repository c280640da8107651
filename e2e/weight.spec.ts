import { brotliCompressSync } from "node:zlib"
import { downloadOf, sdks } from "../realtime/bench/clients.ts"
import { record } from "./figures.ts"
import { expect, test } from "./fixtures.ts"

/** The most script that opening a room may download, by brotli: what Socket.IO's was measured at (309 kB), and little more; the others' SDKs on top. */
const budgets = { socketio: 310_000, pusher: 317_000, ably: 337_000 }

test("opening a room downloads no more script than its budget", async ({ people, layout }, testInfo) => {
  const provider = (["pusher", "ably"] as const).find((name) => layout.endsWith(name)) ?? "socketio"
  const alice = await people.signIn("Alice")
  const { url } = await alice.createRoom("Light")
  const tab = await alice.openTab()
  // As on a first visit: what another page of this browser has downloaded doesn't count.
  const session = await tab.page.context().newCDPSession(tab.page)
  await session.send("Network.setCacheDisabled", { cacheDisabled: true })
  const scripts = new Map<string, Promise<Buffer>>()
  tab.page.on("response", (response) => {
    if (response.request().resourceType() === "script") scripts.set(response.url(), response.body())
  })
  await tab.openRoom(url)
  await tab.page.waitForLoadState("networkidle")

  const sizes = await Promise.all(
    [...scripts.values()].map(async (body) => brotliCompressSync(await body).length),
  )
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const bare = await downloadOf(sdks.find(({ name }) => name === provider)?.code.bare ?? "")
  const kB = (bytes: number) => Math.round(bytes / 100) / 10
  record(testInfo, {
    table: "script to open a room, kB by brotli",
    row: provider,
    cells: {
      "the page": kB(total),
      files: sizes.length,
      budget: kB(budgets[provider]),
      "the bare SDK": kB(bare),
    },
  })
  expect(total).toBeLessThan(budgets[provider])
})
