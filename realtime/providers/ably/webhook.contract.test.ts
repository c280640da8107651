import { createHmac } from "node:crypto"
import { contractChannels, createContractRealtime } from "throughline/testing"
import { describe, expect, it } from "vitest"
import { messagesChannel, toClientId } from "./mapping.ts"
import { createAblyPublisher } from "./server.ts"

const room = contractChannels.room({ room: "日本語" })
const minutes = 60_000

/** A batch as Ably posts it: https://ably.com/docs/platform/integrations/webhooks */
const batch = (date: number, presence: object[]) =>
  JSON.stringify({
    items: [
      {
        webhookId: "w1",
        source: "channel.presence",
        name: "presence.message",
        timestamp: date,
        serial: "s",
        data: { channelId: messagesChannel(room.name), site: "eu-west-1-A", presence },
      },
    ],
  })
const member = (action: number | string, id: string, timestamp: number) => ({
  id: `${id}:0:0`,
  clientId: toClientId({ id, name: "名" }),
  connectionId: `connection-${id}`,
  timestamp,
  action,
})
const lifecycle = (name: string, date: number) =>
  JSON.stringify({
    items: [
      { source: "channel.lifecycle", name, timestamp: date, data: { channelId: messagesChannel(room.name) } },
    ],
  })

function setup() {
  const keyName = "app.key"
  const realtime = createContractRealtime({
    publishers: [createAblyPublisher({ apiKey: `${keyName}:app-secret` })],
  })
  async function post(text: string, headers: Record<string, string> = {}, secret = "app-secret") {
    const response = await realtime.handlers.POST(
      new Request("http://app.test/api/realtime/webhooks/ably", {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-ably-key": keyName,
          "x-ably-signature": createHmac("sha256", secret).update(text).digest("base64"),
          ...headers,
        },
        body: text,
      }),
    )
    return { status: response.status, answer: await response.json() }
  }
  return { post, count: async () => (await realtime.counts([room]))[0] }
}

describe("Ably's webhooks", () => {
  it("count the people in a room: entered, left, the whole channel closed", async () => {
    const app = setup()
    const now = Date.now()
    expect(await app.post(batch(now, [member(2, "alice", now), member(2, "bob", now)]))).toEqual({
      status: 200,
      answer: {},
    })
    expect(await app.count()).toBe(2)
    await app.post(batch(now, [member(4, "bob", now + 1), member(3, "alice", now + 2)]))
    expect(await app.count()).toBe(1)
    await app.post(lifecycle("channel.opened", now + 3))
    expect(await app.count()).toBe(1)
    await app.post(lifecycle("channel.closed", now + 4))
    expect(await app.count()).toBe(0)
  })

  it("are read one by one as well, with actions by name", async () => {
    const app = setup()
    const now = Date.now()
    const envelope = (action: string, at: number) =>
      JSON.stringify({
        source: "channel.presence",
        appId: "app",
        channel: messagesChannel(room.name),
        site: "eu-west-1-A",
        ruleId: "r",
        presence: [member(action, "alice", at)],
      })
    await app.post(envelope("enter", now))
    expect(await app.count()).toBe(1)
    await app.post(envelope("leave", now + 1))
    expect(await app.count()).toBe(0)
  })

  it.each([
    ["of another channel", batch(Date.now(), []).replace("rt:", "other:")],
    [
      "whose parts are malformed",
      JSON.stringify({
        items: [
          null,
          1,
          {
            timestamp: Date.now(),
            source: "channel.presence",
            data: { channelId: "rt:x", presence: [null, {}, 7] },
          },
        ],
      }),
    ],
  ])("%s change nothing", async (_, text) => {
    const app = setup()
    expect(await app.post(text)).toEqual({ status: 200, answer: {} })
    expect(await app.count()).toBe(0)
  })

  const text = batch(Date.now(), [])
  it.each<[string, string, Record<string, string>, string | undefined, number, string]>([
    ["without a signature", text, { "x-ably-signature": "" }, undefined, 401, "isn't signed"],
    ["with a false signature", text, {}, "guessed", 401, "isn't signed"],
    ["with a signature that is no base64", text, { "x-ably-signature": "§" }, undefined, 401, "isn't signed"],
    ["by another key", text, { "x-ably-key": "app.other" }, undefined, 401, "isn't signed"],
    [
      "replayed after eleven minutes",
      batch(Date.now() - 11 * minutes, []),
      {},
      undefined,
      401,
      "within 10 minutes",
    ],
    [
      "from eleven minutes ahead",
      batch(Date.now() + 11 * minutes, []),
      {},
      undefined,
      401,
      "within 10 minutes",
    ],
    ["without a date", '{"items":[]}', {}, undefined, 401, "within 10 minutes"],
    ["that isn't JSON", "{", {}, undefined, 400, "no JSON"],
  ])("are refused %s", async (_, body, headers, secret, status, reason) => {
    const app = setup()
    const response = await app.post(body, headers, secret)
    expect(response.status).toBe(status)
    expect(response.answer.error.message).toContain(reason)
  })
})
