import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { test as base, expect, type Page } from "@playwright/test"
import { build } from "esbuild"
import type { SharedDocument } from "throughline/yjs"
import { projectDir } from "../scripts/run.ts"

/** A page without a network, whose browser has had the document before. */
const source = `
  import { defineChannel } from "throughline"
  import { createRealtimeClient } from "throughline/client"
  import { createIndexedDbDocuments, openDocument, yjsUpdate } from "throughline/yjs"
  import { Doc, encodeStateAsUpdate } from "yjs"

  const documents = defineChannel("document:{document}", { messages: { update: yjsUpdate() } })
  const providers = [{ provider: "socketio", url: location.origin }]
  const config = { version: "1", basePath: "/api/realtime", providers, maxPayloadBytes: 24_000 }
  const socketio = async () => (await import("throughline/socketio/client")).createSocketIoTransport
  const client = createRealtimeClient({ config, providers: { socketio } })
  const ref = documents({ document: "1" })
  const store = createIndexedDbDocuments("somebody")
  const { state } = await store.open(ref.name, "before")
  if (!state) {
    const bytes = encodeStateAsUpdate(new Doc())
    await store.put(ref.name, "before", { state: { epoch: "e", seq: 0, bytes }, pending: [] })
  }
  store.close()
  globalThis.shared = openDocument(client.channel(ref), { owner: "somebody" })
`
declare const shared: SharedDocument

const test = base.extend<object, { site: string }>({
  site: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names from the pattern
    async ({}, use) => {
      const { outputFiles } = await build({
        ...{ stdin: { contents: source, resolveDir: projectDir }, write: false },
        ...{ bundle: true, format: "esm", platform: "browser", logLevel: "silent" },
      })
      const server = createServer(({ url }, response) => {
        response.setHeader("content-type", url === "/page.js" ? "text/javascript" : "text/html")
        const html = `<!doctype html><title>A document</title><script type="module" src="/page.js"></script>`
        response.end(url === "/page.js" ? outputFiles[0]?.text : html)
      })
      server.listen(0, "127.0.0.1")
      await once(server, "listening")
      await use(`http://localhost:${(server.address() as AddressInfo).port}`)
      server.closeAllConnections()
      server.close()
    },
    { scope: "worker" },
  ],
})

const isOpen = () => "shared" in globalThis && shared.canWrite
const textOf = (page: Page) => page.evaluate(() => shared.doc.getText("body").toString())

/** Each time that it is opened something is written, and the page ends at once. */
const ends: [string, (page: Page, text: string) => Promise<void>][] = [
  [
    "is left in the same moment",
    async (page, text) => {
      await page.evaluate((text) => {
        shared.doc.getText("body").insert(0, text)
        location.href = "about:blank"
      }, text)
      await page.waitForURL("about:blank")
    },
  ],
  [
    "is left in the moment of another edit, though one was kept just before",
    async (page, text) => {
      await page.evaluate((text) => {
        for (const letter of [...text].toReversed()) shared.doc.getText("body").insert(0, letter)
        location.href = "about:blank"
      }, text)
      await page.waitForURL("about:blank")
    },
  ],
  [
    "is closed",
    async (page, text) => {
      await page.evaluate((text) => shared.doc.getText("body").insert(0, text), text)
      await page.close()
    },
  ],
]

test("an edit without a network is there again, however soon the page ends", async ({ context, site }) => {
  let expected = ""
  for (const [how, end] of ends) {
    const page = await context.newPage()
    await page.goto(site)
    await page.waitForFunction(isOpen)
    expect(await textOf(page)).toBe(expected)
    const text = `${how}. `
    await end(page, text)
    expected = `${text}${expected}`
    const again = await context.newPage()
    await again.goto(site)
    await again.waitForFunction(isOpen)
    expect(await textOf(again)).toBe(expected)
    await again.close()
  }
})
