import { inspect } from "node:util"
import { describe, expect, it } from "vitest"
import fc from "../../testing/fast-check.ts"
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
    // "private-encrypted-…" and "private-cache-…" are kinds of their own.
    ["encrypted-room:1", "=65ncrypted-room;1"],
    ["cache-room:1", "=63ache-room;1"],
    ["encrypted", "encrypted"],
    ["a-cache-", "a-cache-"],
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
  it("are dropped, also a signal of another channel", () => {
    const signal = { id: "s1", channel: "room:2", event: "typing", payload: 1, from: { id: "alice" }, at: 1 }
    expect(fromSignalEvent("room:2", signal)).toEqual(signal)
    expect(fromSignalEvent("room:1", signal)).toBeNull()
  })
})

describe("states", () => {
  it.each([
    ["initialized", "connecting", "reconnecting"],
    ["connecting", "connecting", "reconnecting"],
    ["connected", "connected", "connected"],
    ["unavailable", "suspended", "suspended"],
    ["failed", "failed", "failed"],
    ["disconnected", "failed", "failed"],
    ["something new", "connecting", "reconnecting"],
    ["", "connecting", "reconnecting"],
  ])("%j is %s before the first connection, %s after it", (state, before, after) => {
    expect([fromPusherState(state, false), fromPusherState(state, true)]).toEqual([before, after])
  })
})

describe("errors of the connection", () => {
  it.each([
    [4000, "invalid-config", false],
    [4001, "invalid-config", false],
    [4003, "invalid-config", false],
    [4004, "rate-limited", true],
    [4005, "invalid-config", false],
    [4006, "invalid-config", false],
    [4007, "invalid-config", false],
    [4008, "invalid-config", false],
    [4009, "unauthorized", false],
    [4099, "invalid-config", false],
    [4100, "provider-unavailable", true],
    [4199, "provider-unavailable", true],
    [4200, "provider-unavailable", true],
    [4201, "provider-unavailable", true],
    [4202, "provider-unavailable", true],
    [4299, "provider-unavailable", true],
    [4301, "rate-limited", true],
    [4302, "rate-limited", true],
    [4399, "invalid-config", false],
    [1006, "provider-unavailable", true],
    [-1, "provider-unavailable", true],
    [Number.NaN, "provider-unavailable", true],
  ])("%d is %s", (code, ours, retryable) => {
    const data = { code, message: "its words" }
    for (const error of [
      { type: "PusherError", data },
      { type: "WebSocketError", error: { type: "PusherError", data } },
    ]) {
      const found = fromConnectionError(error)
      expect(found).toMatchObject({ code: ours, retryable, provider: "pusher", cause: code })
      expect(found.message).toContain(`Pusher says ${code}: its words`)
    }
  })

  it.each([
    [undefined],
    [null],
    ["text"],
    [7],
    [{}],
    [{ type: "WebSocketError", error: {} }],
    [{ type: "WebSocketError", error: null }],
    [{ error: { data: null } }],
    [{ error: { data: { code: "4001" } } }],
    [{ data: [] }],
    [{ data: { code: null, message: { toString: null } } }],
  ])("%j passes", (error) => {
    expect(fromConnectionError(error)).toMatchObject({ code: "provider-unavailable", retryable: true })
  })
})

describe("errors of a request", () => {
  const url = "http://x/?auth_signature=canary"

  it.each([
    [301, "provider-unavailable", true],
    [400, "invalid-request", false],
    [401, "invalid-config", false],
    [402, "provider-unavailable", false],
    [403, "rate-limited", false],
    [404, "invalid-config", false],
    [405, "provider-unavailable", false],
    [408, "timeout", true],
    [413, "message-too-large", false],
    [429, "rate-limited", true],
    [500, "provider-unavailable", true],
    [502, "provider-unavailable", true],
    [503, "provider-unavailable", true],
    [504, "provider-unavailable", true],
  ])("%d are %s", (status, code, retryable) => {
    const error = fromRequestError({ status, url, body: "canary" })
    expect(error).toMatchObject({ code, retryable, cause: status })
    expect(error.message).not.toContain("canary")
  })

  it.each([
    [401, "Unknown auth_key", "PUSHER_KEY"],
    [
      401,
      'Invalid signature: you should have sent HmacSHA256Hex("…auth_key=canary&auth_timestamp=1…")',
      "PUSHER_SECRET",
    ],
    [401, "Timestamp expired: Given timestamp (…) not within 600s of server time (…)", "clock"],
    [401, "something else", "PUSHER_SECRET"],
    [404, "Unknown app: 2", "PUSHER_APP_ID"],
    [400, "Did you forget to specify the cluster?", "PUSHER_CLUSTER"],
    [403, "", "quota"],
  ])("%d, %s, name %s", (status, body, named) => {
    const { message } = fromRequestError({ status, url, body })
    expect(message).toContain(named)
    expect(message).not.toContain("canary")
  })

  it.each([
    [{ url, error: { name: "AbortError" } }, "timeout", "in time"],
    [{ url, error: { name: "FetchError", code: "ECONNREFUSED" } }, "provider-unavailable", "ECONNREFUSED"],
    [{ url, error: { name: "FetchError", code: "ENOTFOUND" } }, "provider-unavailable", "PUSHER_CLUSTER"],
    [{ url, error: {} }, "provider-unavailable", "the network failed"],
    [{ status: "401", url, body: null }, "provider-unavailable", "unreadable"],
    [new SyntaxError("canary"), "provider-unavailable", "unreadable"],
    [undefined, "provider-unavailable", "unreadable"],
    [null, "provider-unavailable", "unreadable"],
    ["canary", "provider-unavailable", "unreadable"],
  ])("without an answer, %j, are %s", (value, code, named) => {
    const error = fromRequestError(value, "read")
    expect(error).toMatchObject({ code, retryable: true })
    expect(error.message).toContain(named)
    expect(inspect(error)).not.toContain("canary")
  })
})
