import { createHmac } from "node:crypto"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { contractChannels } from "throughline/testing"
import { describe, expect, it } from "vitest"
import { startPusherBackend } from "../../testing/pusher-backend.ts"
import { waitFor } from "../../testing/wait-for.ts"
import { messagesChannel } from "./mapping.ts"

const room = contractChannels.room({ room: "日本語" })

/** The catch-all route on a port of its own, as the service reaches it. */
async function startApp() {
  type Post = (request: Request) => Promise<Response>
  const mounted: { post?: Post } = {}
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const headers = Object.entries(request.headers).map(([name, value]): [string, string] => [
      name,
      String(value),
    ])
    const answer = await mounted.post?.(
      new Request(`http://app.test${request.url}`, { method: "POST", headers, body: Buffer.concat(chunks) }),
    )
    response.writeHead(answer?.status ?? 503).end(await answer?.text())
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/api/realtime/webhooks/pusher`,
    mount: (post: Post) => void Object.assign(mounted, { post }),
    [Symbol.asyncDispose]: async () => void server.close(),
  }
}

describe("Pusher's webhooks", () => {
  it("count the people in a room, by the service's own requests", async () => {
    await using app = await startApp()
    await using backend = await startPusherBackend({ webhooks: [{ url: app.url }] })
    app.mount((request) => backend.realtime.handlers.POST(request))
    const enter = async (id: string) => {
      const transport = backend.createTransport({ id })
      let isAttached = false
      const subscription = transport.subscribe(room.name, {
        cursor: () => null,
        onAttached() {
          isAttached = true
        },
        onDetached() {},
        onDenied() {},
        onMessages() {},
        onSignal() {},
        onPresence() {},
      })
      transport.connect()
      await waitFor(() => isAttached)
      await subscription.enterPresence({ mood: "x" })
      return transport
    }
    const counted = (people: number) =>
      waitFor(async () => (await backend.realtime.counts([room]))[0] === people, `${people} people`)

    const first = await enter("alice")
    const second = await enter("alice")
    const other = await enter("bob")
    await counted(2)
    await other.close()
    await counted(1)
    await first.close()
    await second.close()
    await counted(0)
  })
})

describe("what claims to be Pusher's webhook", () => {
  const minutes = 60_000
  const body = (age = 0) =>
    JSON.stringify({
      time_ms: Date.now() - age,
      events: [{ name: "channel_occupied", channel: messagesChannel(room.name) }],
    })

  interface Claim {
    text: string
    secret?: string
    signed?: string
    headers?: Record<string, string>
  }
  async function post({ text, secret = "app-secret", signed = text, headers }: Claim) {
    await using backend = await startPusherBackend()
    const request = new Request("http://app.test/api/realtime/webhooks/pusher", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-pusher-key": "app-key",
        "x-pusher-signature": createHmac("sha256", secret).update(signed).digest("hex"),
        ...headers,
      },
      body: text,
    })
    const response = await backend.realtime.handlers.POST(request)
    return { status: response.status, answer: await response.json() }
  }

  it.each<[string, Claim]>([
    ["signed and recent", { text: body() }],
    ["nine minutes old, as one that was sent again", { text: body(9 * minutes) }],
    [
      "with a charset beside its type",
      { text: body(), headers: { "content-type": "application/json; charset=utf-8" } },
    ],
    [
      "of events that aren't ours",
      { text: JSON.stringify({ time_ms: Date.now(), events: [null, { name: 1 }, { channel: "x" }] }) },
    ],
  ])("is taken: %s", async (_, claim) => {
    expect(await post(claim)).toEqual({ status: 200, answer: {} })
  })

  it.each<[string, Claim, string]>([
    ["without a signature", { text: body(), headers: { "x-pusher-signature": "" } }, "isn't signed"],
    ["with a false signature", { text: body(), secret: "guessed" }, "isn't signed"],
    ["with the signature of another body", { text: `${body()} `, signed: body() }, "isn't signed"],
    ["with another app's key", { text: body(), headers: { "x-pusher-key": "other" } }, "isn't signed"],
    ["that isn't JSON", { text: "{" }, "isn't signed"],
    ["replayed after eleven minutes", { text: body(11 * minutes) }, "within 10 minutes"],
    ["from eleven minutes ahead", { text: body(-11 * minutes) }, "within 10 minutes"],
    ["without a date", { text: "{}" }, "within 10 minutes"],
    ["that is null", { text: "null" }, "within 10 minutes"],
  ])("is refused: %s", async (_, claim, reason) => {
    const { status, answer } = await post(claim)
    expect(status).toBe(401)
    expect(answer.error).toMatchObject({ code: "unauthorized", message: expect.stringContaining(reason) })
  })
})
