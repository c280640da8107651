import fc from "fast-check"
import { describe, expect, it } from "vitest"
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
    expect(Object.keys(capabilityOf("room:*"))).toEqual(["rt:room:%2A", "rt-signals:room:%2A"])
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
    const data = toAblyData({ event: "typing", payload: 1, from: toClientId({ id: "bob" }) })
    expect(fromAblySignal("room:1", { data, clientId: toClientId({ id: "alice" }) })?.from).toEqual({
      id: "alice",
    })
    expect(fromAblySignal("room:1", { data })?.from).toEqual({ id: "bob" })
    expect(fromAblySignal("room:1", { data, clientId: "somebody else's" })).toBeNull()
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
    ["initialized", false, "connecting"],
    ["connecting", false, "connecting"],
    ["connecting", true, "reconnecting"],
    ["connected", true, "connected"],
    ["disconnected", false, "connecting"],
    ["disconnected", true, "reconnecting"],
    ["suspended", true, "suspended"],
    ["closing", true, "closed"],
    ["closed", true, "closed"],
    ["failed", true, "failed"],
    ["something new", true, "reconnecting"],
  ])("%s (connected before: %s) is %s", (state, wasConnected, ours) => {
    expect(fromAblyState(state, wasConnected)).toBe(ours)
  })
})

describe("errors", () => {
  it.each([
    [{ code: 40160, statusCode: 401, message: "x" }, "channel-denied", false],
    [{ code: 40101, statusCode: 401, message: "x" }, "invalid-config", false],
    [{ code: 40142, statusCode: 401, message: "x" }, "provider-unavailable", true],
    [{ code: 42911, statusCode: 429, message: "x" }, "rate-limited", true],
    [{ code: 40009, statusCode: 400, message: "x" }, "message-too-large", false],
    [{ code: 12345, statusCode: 429, message: "x" }, "rate-limited", true],
    [{ code: 50003, statusCode: 500, message: "x" }, "provider-unavailable", true],
    [{ message: 7 }, "provider-unavailable", true],
    [undefined, "provider-unavailable", true],
    ["text", "provider-unavailable", true],
  ])("%j is %s", (error, code, retryable) => {
    expect(fromAblyError(error)).toMatchObject({ code, retryable, provider: "ably" })
  })
})
