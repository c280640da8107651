import { createHmac } from "node:crypto"
import { expect, test } from "vitest"
import { createManualClock } from "./clock.ts"
import { connected, openRealtime, until } from "./harness.ts"
import { startAblyEmulator } from "./server.ts"
import { createWebhooks, type WebhookRequest } from "./webhooks.ts"

const keys = [
  { name: "app.first", secret: "first-secret" },
  { name: "app.second", secret: "second-secret" },
]
const member = { action: 2, id: "c:0:0", clientId: "alice", connectionId: "c", timestamp: 1 }

function setup(status: () => number = () => 200) {
  const clock = createManualClock()
  const requests: WebhookRequest[] = []
  const rules = [{ url: "http://one.test" }, { url: "http://two.test", keyName: "app.second" }]
  const webhooks = createWebhooks({
    rules,
    keys,
    clock,
    async send(request) {
      requests.push(request)
      return status()
    },
  })
  return { clock, requests, webhooks }
}
const tick = () => new Promise((resolve) => setImmediate(resolve))

test("who enters by the SDK is told to the app's webhook, signed with its key", async () => {
  const requests: WebhookRequest[] = []
  await using emulator = await startAblyEmulator({
    apps: [
      { id: "app", keys: [{ id: "key", secret: "app-secret" }], webhooks: [{ url: "http://app.test" }] },
    ],
    async sendWebhook(request) {
      requests.push(request)
      return 200
    },
  })
  await using client = openRealtime(emulator, { clientId: "alice" })
  await connected(client)
  await client.channels.get("room").presence.enter("here")
  const request = await until(() => {
    expect(requests).toHaveLength(1)
    return requests[0]
  })
  const signature = createHmac("sha256", "app-secret")
    .update(request?.body ?? "")
    .digest("base64")
  expect(request?.headers).toMatchObject({ "X-Ably-Key": "app.key", "X-Ably-Signature": signature })
  expect(JSON.parse(request?.body ?? "")).toMatchObject({
    items: [
      {
        source: "channel.presence",
        name: "presence.message",
        data: { channelId: "room", presence: [{ clientId: "alice", action: 2, data: "here" }] },
      },
    ],
  })
})

test("what happens within a second goes in one request, to each rule with its key", () => {
  const { clock, requests, webhooks } = setup()
  webhooks.presence("a", "s1", [member])
  clock.advance(999)
  webhooks.presence("b", "s2", [member])
  expect(requests).toEqual([])
  clock.advance(1)
  expect(requests.map(({ url, headers }) => [url, headers["X-Ably-Key"]])).toEqual([
    ["http://one.test", "app.first"],
    ["http://two.test", "app.second"],
  ])
  expect(JSON.parse(requests[0]?.body ?? "").items).toHaveLength(2)
  webhooks.presence("a", "s3", [member])
  clock.advance(1_000)
  expect(requests).toHaveLength(4)
})

test("a receiver in trouble is asked again, ever later, for five minutes; one that refuses is not", async () => {
  let status = 503
  const { clock, requests, webhooks } = setup(() => status)
  webhooks.presence("a", "s1", [member])
  clock.advance(1_000)
  await tick()
  for (const [afterMs, attempts] of [
    [999, 1],
    [1, 2],
    [2_000, 3],
    [4_000, 4],
  ] as const) {
    clock.advance(afterMs)
    await tick()
    expect(requests.filter(({ url }) => url === "http://one.test")).toHaveLength(attempts)
  }
  for (let minute = 0; minute < 10; minute += 1) {
    clock.advance(60_000)
    await tick()
  }
  const given = requests.length
  clock.advance(3_600_000)
  await tick()
  expect(requests).toHaveLength(given)

  status = 401
  webhooks.presence("a", "s2", [member])
  clock.advance(1_000)
  await tick()
  clock.advance(600_000)
  await tick()
  expect(requests).toHaveLength(given + 2)
})
