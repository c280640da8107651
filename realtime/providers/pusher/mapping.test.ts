import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  fromConnectionError,
  fromMemberIds,
  fromMembers,
  fromMessagesEvent,
  fromPusherName,
  fromPusherState,
  fromRequestError,
  fromSignalEvent,
  messagesChannel,
  presenceChannel,
  toMemberId,
  toPusherName,
} from "./mapping.ts"

describe("channel names", () => {
  it.each([
    ["room:42", "room;42"],
    ["room:日本", "room;=E6=97=A5=E6=9C=AC"],
    ["room:a/b", "room;a=2Fb"],
    ["room:a=b;c", "room;a=3Db=3Bc"],
    ["room:👍", "room;=F0=9F=91=8D"],
  ])("%s travels as %s", (channel, name) => {
    expect(toPusherName(channel)).toBe(name)
  })

  it("keep to Pusher's alphabet and length and are never shared by two channels", () => {
    const name = fc.oneof(
      fc.string({ minLength: 1, maxLength: 30, unit: "grapheme" }),
      fc.string({ minLength: 100, maxLength: 500 }),
    )
    fc.assert(
      fc.property(name, name, (a, b) => {
        for (const made of [messagesChannel(a), presenceChannel(a)])
          expect(made).toMatch(/^[A-Za-z0-9_\-=@,.;]{1,164}$/)
        expect(toPusherName(a) === toPusherName(b)).toBe(a === b)
      }),
      { numRuns: 500 },
    )
  })

  it("are read back, all but digests and what isn't ours", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 300, unit: "grapheme" }), (channel) => {
        const name = toPusherName(channel)
        expect(fromPusherName(name)).toBe(name.startsWith("=d.") ? null : channel)
      }),
      { numRuns: 500 },
    )
    for (const name of ["=ZZ", "=FF", "a=3b", "=d.00", "a%41"]) expect(fromPusherName(name)).toBeNull()
  })

  it("of long channels can't be had by a short one", () => {
    const long = toPusherName("x".repeat(400))
    expect(long).toMatch(/^=d\.[0-9a-f]{64}$/)
    expect(toPusherName(long)).not.toBe(long)
  })
})

describe("members", () => {
  const alice = { id: "alice", name: "Alice" }
  it("are people: the latest data of those who entered", () => {
    const infos = [
      { user: alice, data: { value: "new" }, at: 2 },
      { user: alice, data: { value: "old" }, at: 1 },
      { user: { id: "bob" }, data: null, at: 3 },
      null,
      { user: {}, data: { value: 1 }, at: 1 },
      { user: { id: "x" }, data: { value: 1 } },
    ]
    expect(fromMembers(infos)).toEqual({ count: 1, members: [{ user: alice, data: "new" }] })
  })
  it("are known by their ids to the server", () => {
    const ids = [
      toMemberId(alice, "1.2", true),
      toMemberId(alice, "3.4", true),
      toMemberId({ id: "bob" }, "5.6", false),
      toMemberId({ id: "日本.語" }, "7.8", true),
      "rubbish",
      7,
    ]
    expect(fromMemberIds(ids).members?.map(({ user }) => user.id)).toEqual(["alice", "日本.語"])
  })
  it("with an id too long for Pusher are refused", () => {
    expect(() => toMemberId({ id: "x".repeat(128) }, "1.2", true)).toThrow(
      expect.objectContaining({ code: "message-too-large" }),
    )
  })
})

describe("events that aren't ours", () => {
  it.each([[null], ["text"], [{}], [[{ id: 1 }]]])("are dropped: %j", (data) => {
    expect(fromMessagesEvent("room:1", data)).toEqual([])
    expect(fromSignalEvent("room:1", data)).toBeNull()
  })
})

describe("states", () => {
  it.each([
    ["initialized", false, "connecting"],
    ["connecting", false, "connecting"],
    ["connecting", true, "reconnecting"],
    ["connected", false, "connected"],
    ["unavailable", true, "suspended"],
    ["failed", false, "failed"],
    ["disconnected", true, "failed"],
    ["something new", true, "reconnecting"],
  ])("%s (connected before: %s) is %s", (state, wasConnected, ours) => {
    expect(fromPusherState(state, wasConnected)).toBe(ours)
  })
})

describe("errors of the connection", () => {
  it.each([
    [
      { type: "WebSocketError", error: { type: "PusherError", data: { code: 4001, message: "no app" } } },
      "invalid-config",
      false,
    ],
    [{ type: "PusherError", data: { code: 4301, message: "slow down" } }, "rate-limited", true],
    [{ type: "PusherError", data: { code: 4009 } }, "unauthorized", false],
    [{ type: "PusherError", data: { code: 4200 } }, "provider-unavailable", true],
    [{ type: "WebSocketError", error: {} }, "provider-unavailable", true],
    [{ error: { data: { code: "4001" } } }, "provider-unavailable", true],
    [undefined, "provider-unavailable", true],
  ])("%j are %s", (error, code, retryable) => {
    expect(fromConnectionError(error)).toMatchObject({ code, retryable, provider: "pusher" })
  })
})

describe("errors of a request", () => {
  it.each([
    [400, "invalid-request", false],
    [401, "invalid-config", false],
    [403, "rate-limited", true],
    [404, "invalid-config", false],
    [413, "message-too-large", false],
    [429, "rate-limited", true],
    [500, "provider-unavailable", true],
    [undefined, "provider-unavailable", true],
  ])("%s are %s", (status, code, retryable) => {
    const error = fromRequestError({ status, url: "http://x/?auth_signature=canary", body: "" })
    expect(error).toMatchObject({ code, retryable })
    expect(error.message).not.toContain("canary")
  })
})
