import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"
import { RealtimeError } from "throughline"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { collectSpans } from "./collect.ts"

const taken: { url: string | undefined; key: unknown; body: string }[] = []
let status = 200
const failures: string[] = []
const http = createServer(async (request, response) => {
  taken.push({ url: request.url, key: request.headers["api-key"], body: await text(request) })
  response.writeHead(status).end("{}")
})
let endpoint: string
beforeAll(async () => {
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  endpoint = `http://127.0.0.1:${(http.address() as AddressInfo).port}/otlp`
})
afterAll(() => http.close())

const spans = [{ scope: { name: "throughline" }, spans: [{ name: "message send" }] }]
const claimed = {
  resource: { attributes: [{ key: "service.name", value: { stringValue: "throughline" } }] },
  scopeSpans: spans,
}

async function send(
  body: BodyInit,
  {
    type = "application/json",
    user = { id: "alice" } as { id: string } | null,
    isEnough = false,
    isKnown = true,
    at = endpoint,
  } = {},
): Promise<number> {
  const request = new Request("https://chat.example/api/traces", {
    method: "POST",
    headers: { "Content-Type": type },
    body,
    // Node asks for it with a stream; the browsers' types don't know it.
    ...{ duplex: "half" },
  })
  const response = await collectSpans(request, {
    endpoint: at,
    headers: "api-key=a%20key, other=x",
    async onFailure({ message }) {
      failures.push(message)
    },
    async identify() {
      if (!isKnown) throw new RealtimeError("log-unavailable", { message: "the database is away" })
      return user
    },
    limits: {
      async takeOf() {
        if (isEnough) throw new RealtimeError("rate-limited", { message: "enough" })
      },
    },
  })
  expect(response.headers.get("Cache-Control")).toBe("no-store")
  return response.status
}

describe("a page's spans", () => {
  it("reach the collector with its headers, as a page's, whosever they claim to be", async () => {
    expect(await send(JSON.stringify({ resourceSpans: [claimed] }))).toBe(202)
    const { url, key, body } = taken.at(-1) ?? {}
    expect([url, key]).toEqual(["/otlp/v1/traces", "a key"])
    expect(JSON.parse(body ?? "")).toEqual({
      resourceSpans: [
        {
          resource: {
            attributes: [{ key: "service.name", value: { stringValue: "throughline-page" } }],
          },
          scopeSpans: spans,
        },
      ],
    })
  })

  it("are taken of whoever is signed in alone, in JSON, not too many and not too often", async () => {
    const before = taken.length
    const good = JSON.stringify({ resourceSpans: [claimed] })
    expect(await send(good, { user: null })).toBe(401)
    expect(await send(good, { type: "text/plain" })).toBe(415)
    expect(await send(good, { isEnough: true })).toBe(429)
    expect(await send(good, { isKnown: false })).toBe(503)
    expect(await send("x".repeat(600_000))).toBe(413)
    // Of 540,000 bytes.
    expect(await send("あ".repeat(180_000))).toBe(413)
    for (const malformed of ["", "null", "[]", "{}", '{"resourceSpans":7}'])
      expect(await send(malformed)).toBe(400)
    expect(await send(good, { at: "" })).toBe(404)
    expect(taken.length).toBe(before)
  })

  it("are read no further than they may be", async () => {
    let sent = 0
    const long = new ReadableStream({
      pull(controller) {
        sent += 1
        if (sent === 100) controller.close()
        else controller.enqueue(new Uint8Array(64 * 1024))
      },
    })
    expect(await send(long)).toBe(413)
    expect(sent).toBeLessThan(16)
  })

  it("are nobody's trouble when the collector refuses them or isn't there", async () => {
    const good = JSON.stringify({ resourceSpans: [null, {}, claimed] })
    status = 500
    expect(await send(good)).toBe(502)
    expect(await send(good, { at: "http://127.0.0.1:9" })).toBe(503)
    expect(failures).toEqual([
      expect.stringMatching(/answered 500$/),
      expect.stringMatching(/can't be reached$/),
    ])
  })
})
