import { expect, test } from "vitest"
import fc from "../fast-check.ts"
import { createManualClock } from "./clock.ts"
import { Action } from "./protocol.ts"
import { createAblyService } from "./service.ts"

/** More than the limit that the service is given here. */
const maxMessageSize = 1_000
const long = "x".repeat(1_500)
const odd = fc.constantFrom({ toString: 1 }, { valueOf: null, toString: null }, [[]])

const channel = fc.constantFrom("room", "mutable:room", "", ":bad", "[meta]log", "[filter=bmFtZQ==]room")
const item = fc.record(
  {
    action: fc.oneof(fc.integer({ min: -1, max: 7 }), fc.string()),
    data: fc.oneof(fc.jsonValue(), fc.uint8Array()),
    encoding: fc.constantFrom("json", "base64", "utf-8/base64", "nonsense", null, long),
    clientId: fc.constantFrom("ann", "bob", "*", "", null),
    serial: fc.string(),
    messageSerial: fc.string(),
    type: fc.constantFrom("a:total.v1", "a:unique.v1", "nonsense", long),
    extras: fc.oneof(fc.jsonValue(), odd),
    version: fc.oneof(fc.jsonValue(), fc.constant({ description: long, metadata: { long } })),
    id: fc.constantFrom("a:0", "a:1", "b", 7, long),
  },
  { requiredKeys: [] },
)
const list = fc.oneof(fc.array(item, { maxLength: 3 }), fc.jsonValue())
const frame = fc.record(
  {
    action: fc.oneof(fc.constantFrom(...Object.values(Action)), fc.jsonValue()),
    channel: fc.oneof(channel, fc.jsonValue()),
    channelSerial: fc.oneof(fc.string(), fc.constant("01700000000000-000@series")),
    msgSerial: fc.oneof(fc.nat({ max: 5 }), fc.jsonValue()),
    flags: fc.oneof(fc.nat(), fc.jsonValue()),
    params: fc.oneof(
      fc.dictionary(fc.constantFrom("rewind", "modes", "occupancy"), fc.oneof(fc.string(), odd)),
      fc.jsonValue(),
    ),
    auth: fc.jsonValue(),
    messages: list,
    presence: list,
    annotations: list,
  },
  { requiredKeys: ["action"] },
)

const fields = ["keyName", "ttl", "capability", "clientId", "timestamp", "nonce", "mac", "targets", "token"]
const body = fc.dictionary(
  fc.constantFrom(...fields, "issuedBefore", "channels", "messages", "keys", "namespaces"),
  fc.oneof(odd, fc.array(odd), fc.jsonValue()),
)

test("whatever a client sends, the core answers or closes, and goes on for others", () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), (frames) => {
      const service = createAblyService({ seed: 1, clock: createManualClock() })
      const [app] = service.apps.values()
      if (app) Object.assign(app.limits, { maxMessageSize, maxHistorySize: 5 * maxMessageSize })
      const [key] = app?.keys ?? []
      const open = (clientId: string) => {
        const sent: string[] = []
        const session = service.accept(
          {
            send: (data) => void sent.push(String(data)),
            ping: () => {},
            close: () => {},
            terminate: () => {},
          },
          new URLSearchParams({ key: `${key?.name}:${key?.secret}`, v: "6", clientId }),
        )
        return { sent, session }
      }
      const odd = open("ann")
      for (const one of frames) odd.session.receive(JSON.stringify(one))
      const errors = odd.sent.map((data) => JSON.parse(data).error?.code)
      expect(errors).not.toContain(50000)
      for (const { messages, presence } of app?.channels.values() ?? []) {
        const kept = [...messages.all().flatMap(({ versions }) => versions), ...presence.list()]
        // Escapes, and what the service adds to each.
        for (const message of kept) expect(JSON.stringify(message).length).toBeLessThan(4 * maxMessageSize)
        const text = JSON.stringify([messages.all().map(({ versions }) => versions), presence.history()])
        expect(text.length).toBeLessThan(40 * maxMessageSize)
      }

      const { sent, session } = open("bob")
      session.receive(JSON.stringify({ action: Action.HEARTBEAT, id: "alive" }))
      expect(sent.at(-1)).toContain("alive")
    }),
    { numRuns: 500 },
  )
})

test("bytes and text that are no frames never throw", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.uint8Array()), (data) => {
      const service = createAblyService({ clock: createManualClock() })
      const [key] = [...service.apps.values()][0]?.keys ?? []
      const session = service.accept(
        { send: () => {}, ping: () => {}, close: () => {}, terminate: () => {} },
        new URLSearchParams({ key: `${key?.name}:${key?.secret}` }),
      )
      session.receive(data)
    }),
  )
})

test("whatever a request holds, the answer is the vendor's", async () => {
  const service = createAblyService({ clock: createManualClock() })
  const [key] = [...service.apps.values()][0]?.keys ?? []
  const authorization = `Basic ${Buffer.from(`${key?.name}:${key?.secret}`).toString("base64")}`
  const paths = [
    "/channels/room/messages",
    "/channels/mutable%3Aroom/messages/x",
    "/channels/mutable%3Aroom/messages/x/annotations",
    "/messages",
    "/presence",
    `/keys/${key?.name}/requestToken`,
    `/keys/${key?.name}/revokeTokens`,
    "/apps",
    "/%",
  ]
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("GET", "POST", "PATCH", "DELETE"),
      fc.constantFrom(...paths),
      fc.oneof(list, frame, body),
      fc.dictionary(
        fc.constantFrom("limit", "start", "end", "direction", "cursor", "channels", "format"),
        fc.string(),
      ),
      async (method, path, body, query) => {
        const response = await service.request({
          method,
          path,
          query: new URLSearchParams(query),
          headers: { authorization },
          body: new TextEncoder().encode(JSON.stringify(body) ?? ""),
        })
        expect(response?.status).toBeGreaterThanOrEqual(200)
        expect(response?.status).toBeLessThan(500)
      },
    ),
    { numRuns: 500 },
  )
})
