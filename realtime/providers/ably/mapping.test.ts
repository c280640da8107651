import { inspect } from "node:util"
import { describe, expect, it } from "vitest"
import fc from "../../testing/fast-check.ts"
import {
  capabilityOf,
  fromAblyError,
  fromAblyMembers,
  fromAblyMessage,
  fromAblySignal,
  fromAblyState,
  fromClientId,
  fromMessagesChannel,
  messagesChannel,
  toAblyData,
  toClientId,
} from "./mapping.ts"

const message = {
  id: "01900000-0000-7000-8000-000000000000",
  channel: "room:1",
  seq: 1,
  epoch: "e",
  event: "said",
  payload: { text: null },
  from: null,
  at: 1,
}

describe("channel names", () => {
  it("never hold a wildcard, so that a capability covers one channel", () => {
    const capability = capabilityOf("room:*", { signal: true, presence: true })
    expect(Object.keys(capability)).toEqual(["rt:room:%2A", "rt-signals:room:%2A"])
  })
  it("are read back, so that no two channels share one", () => {
    const part = fc.oneof(
      fc.constantFrom("*", "%", "2A", "25", "%2A", "%252A"),
      fc.string({ unit: "grapheme" }),
    )
    const name = fc.array(part, { minLength: 1 }).map((parts) => parts.join(""))
    fc.assert(
      fc.property(name, (channel) => {
        expect(fromMessagesChannel(messagesChannel(channel))).toBe(channel)
        expect(messagesChannel(channel)).not.toContain("*")
      }),
      { numRuns: 1000 },
    )
  })
  it.each([["rt-signals:room"], ["other"], [null], [7]])("of %j are nobody's", (name) => {
    expect(fromMessagesChannel(name)).toBeNull()
  })
})

describe("capabilities", () => {
  it.each([
    [{ signal: true, presence: true }, ["presence", "subscribe"], ["publish", "subscribe"]],
    [{ signal: false, presence: true }, ["presence", "subscribe"], ["subscribe"]],
    [{ signal: true, presence: false }, ["subscribe"], ["publish", "subscribe"]],
    [{ signal: false, presence: false }, ["subscribe"], ["subscribe"]],
  ])(
    "of %j are no more than that, and never to publish where messages travel",
    (rights, messages, signals) => {
      expect(capabilityOf("room:1", rights)).toEqual({ "rt:room:1": messages, "rt-signals:room:1": signals })
    },
  )
})

describe("client ids", () => {
  it.each([
    [{ id: "alice", name: "Alice" }],
    [{ id: "*" }],
    [{ id: "a/b", name: "ボブ / *" }],
    [{ id: "%", name: "100 %" }],
  ])("bring %j back, and are never anybody", (user) => {
    expect(toClientId(user)).not.toBe("*")
    expect(fromClientId(toClientId(user))).toEqual(user)
  })
  it.each([[undefined], [null], [7], [""], ["alice"], ["a/b/c"], ["%zz/"], ["/name"]])(
    "of %j are nobody's",
    (id) => {
      expect(fromClientId(id)).toBeNull()
    },
  )
})

describe("what arrives", () => {
  it("is read when it is ours", () => {
    expect(fromAblyMessage("room:1", { data: toAblyData([message]) })).toEqual([message])
  })
  it.each([[undefined], [null], [{}], ["not json"], ["{}"], ['[{"id":1}]'], [[message]]])(
    "is dropped when it is %j",
    (data) => {
      expect(fromAblyMessage("room:1", { data })).toEqual([])
    },
  )
  it("is dropped when it belongs to another channel", () => {
    expect(fromAblyMessage("room:2", { data: toAblyData([message]) })).toEqual([])
  })
  it("as a signal has the sender that the service verified, whatever it says itself", () => {
    const sent = { id: "connection:0:0", timestamp: 1 }
    const data = toAblyData({ event: "typing", payload: 1, from: toClientId({ id: "bob" }) })
    expect(fromAblySignal("room:1", { ...sent, data, clientId: toClientId({ id: "alice" }) })?.from).toEqual({
      id: "alice",
    })
    expect(fromAblySignal("room:1", { ...sent, data })?.from).toEqual({ id: "bob" })
    expect(fromAblySignal("room:1", { ...sent, data, clientId: "somebody else's" })).toBeNull()
  })
})

describe("members", () => {
  it("are people, with the latest data", () => {
    const clientId = toClientId({ id: "alice" })
    const tabs = [
      { clientId, data: 2, timestamp: 20 },
      { clientId, data: 1, timestamp: 10 },
    ]
    expect(fromAblyMembers(tabs, 200)).toEqual({ count: 1, members: [{ user: { id: "alice" }, data: 2 }] })
    expect(fromAblyMembers(tabs, 1)).toEqual({ count: 1, members: null })
    expect(fromAblyMembers([{ clientId: "stranger" }, {}], 200)).toEqual({ count: 0, members: [] })
  })
})

describe("states", () => {
  it.each([
    ["initialized", "connecting", "reconnecting"],
    ["connecting", "connecting", "reconnecting"],
    ["connected", "connected", "connected"],
    ["disconnected", "connecting", "reconnecting"],
    ["suspended", "suspended", "suspended"],
    ["closing", "closed", "closed"],
    ["closed", "closed", "closed"],
    ["failed", "failed", "failed"],
    ["something new", "connecting", "reconnecting"],
    ["", "connecting", "reconnecting"],
  ])("%j is %s before the first connection, %s after it", (state, before, after) => {
    expect([fromAblyState(state, false), fromAblyState(state, true)]).toEqual([before, after])
  })
})

describe("errors", () => {
  it.each([
    [40000, 400, "invalid-request", false],
    [40003, 400, "invalid-request", false],
    [40005, 400, "invalid-config", false],
    [40009, 400, "message-too-large", false],
    [40010, 400, "channel-unknown", false],
    [40012, 400, "unauthorized", false],
    [40013, 400, "invalid-payload", false],
    [40020, 400, "invalid-request", false],
    [40031, 400, "invalid-request", false],
    [40099, 400, "provider-unavailable", false],
    [40100, 401, "unauthorized", false],
    [40101, 401, "invalid-config", false],
    [40102, 401, "unauthorized", false],
    [40104, 401, "invalid-config", false],
    [40105, 401, "provider-unavailable", true],
    [40120, 401, "invalid-config", false],
    [40140, 401, "provider-unavailable", true],
    [40141, 401, "provider-unavailable", true],
    [40142, 401, "provider-unavailable", true],
    [40143, 401, "provider-unavailable", true],
    [40144, 401, "invalid-config", false],
    [40160, 401, "channel-denied", false],
    [40162, 401, "unsupported", false],
    [40165, 401, "channel-denied", false],
    [40170, 401, "provider-unavailable", true],
    [40171, 403, "unauthorized", false],
    [40199, 401, "unauthorized", false],
    [40300, 403, "unauthorized", false],
    [40400, 404, "invalid-config", false],
    [40500, 405, "provider-unavailable", false],
    [42910, 429, "rate-limited", true],
    [42911, 429, "rate-limited", true],
    [42999, 429, "rate-limited", true],
    [50000, 500, "provider-unavailable", true],
    [50003, 500, "timeout", true],
    [50399, 503, "provider-unavailable", true],
    [80003, 400, "not-connected", true],
    [80008, 400, "not-connected", true],
    [80016, 400, "not-connected", true],
    [80017, 400, "not-connected", true],
    [80018, 400, "not-connected", true],
    [80019, 401, "provider-unavailable", true],
    [80099, 400, "provider-unavailable", true],
    [90001, 400, "not-connected", true],
    [90003, 404, "provider-unavailable", true],
    [90004, 404, "provider-unavailable", true],
    [90005, 404, "provider-unavailable", true],
    [90007, 408, "timeout", true],
    [90099, 404, "provider-unavailable", true],
    [91004, 400, "not-connected", true],
    [91005, 400, "not-connected", true],
    [91008, 400, "not-connected", true],
    [93001, 400, "unsupported", false],
  ])("%d, with the status %d, is %s", (code, statusCode, ours, retryable) => {
    const error = fromAblyError({ code, statusCode, message: "its words", headers: "canary" }, "join")
    expect(error).toMatchObject({ code: ours, retryable, provider: "ably", cause: code })
    expect(error.message).toContain(`unable to join; Ably says ${code}: its words`)
    expect(inspect(error)).not.toContain("canary")
  })

  it.each([
    [{ statusCode: 413 }, "message-too-large", false],
    [{ statusCode: 429 }, "rate-limited", true],
    [{ statusCode: 418 }, "provider-unavailable", false],
    [{ statusCode: 503 }, "provider-unavailable", true],
    [{ code: "ECONNREFUSED", message: "connect ECONNREFUSED" }, "provider-unavailable", true],
    [{ code: "ETIMEDOUT" }, "timeout", true],
    [{ code: "constructor" }, "provider-unavailable", true],
    [{ code: "x", statusCode: "401" }, "provider-unavailable", true],
    [{ message: 7 }, "provider-unavailable", true],
    [undefined, "provider-unavailable", true],
    [null, "provider-unavailable", true],
    ["text", "provider-unavailable", true],
  ])("%j, without a code of Ably's, is %s", (error, code, retryable) => {
    expect(fromAblyError(error)).toMatchObject({ code, retryable, provider: "ably" })
  })

  it.each([
    [40101, "ABLY_API_KEY"],
    [40104, "clock"],
    [40142, "clock"],
    [40144, "ABLY_API_KEY"],
    [40400, "ABLY_API_KEY"],
  ])("%d names %s", (code, named) => {
    expect(fromAblyError({ code, statusCode: 401, message: "x" }).message).toContain(named)
  })
})
