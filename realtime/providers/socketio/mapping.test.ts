import { describe, expect, it } from "vitest"
import { realtimeErrorCodes } from "../../errors.ts"
import { applyPresenceChange, fromAnswer, fromConnectError, fromDisconnectReason } from "./mapping.ts"

describe("fromConnectError", () => {
  it.each([
    [{ message: "refused", data: { code: "unauthorized", message: "[realtime] no" } }, "unauthorized", false],
    [{ message: "refused", data: { code: "rate-limited", message: "no" } }, "rate-limited", true],
    [{ message: "refused", data: { code: "made up" } }, "internal", true],
    [{ data: { code: "rate-limited", message: "no", retryable: false } }, "rate-limited", false],
    [{ data: { code: "made up", retryable: false } }, "internal", false],
    [{ message: "websocket error" }, "provider-unavailable", true],
    [{ message: "timeout", data: "text" }, "provider-unavailable", true],
    [{ message: { toString: 1 } }, "provider-unavailable", true],
    [undefined, "provider-unavailable", true],
  ])("makes of %j %s, retryable %s", (value, code, retryable) => {
    expect(fromConnectError(value)).toMatchObject({ code, retryable, provider: "socketio" })
  })
})

describe("fromDisconnectReason", () => {
  it.each([
    ["io client disconnect", "closed"],
    ["io server disconnect", "reconnecting"],
    ["ping timeout", "reconnecting"],
    ["transport close", "reconnecting"],
    ["transport error", "reconnecting"],
    ["something new", "reconnecting"],
  ])("makes of %j %s", (reason, state) => {
    expect(fromDisconnectReason(reason).state).toBe(state)
  })
})

describe("fromAnswer", () => {
  it.each([...realtimeErrorCodes])("brings the code %s back", (code) => {
    expect(() => fromAnswer({ ok: false, error: { code, message: "[realtime] x" } })).toThrow(
      expect.objectContaining({ code }),
    )
  })
  it.each([[undefined], [null], [{}], ["ok"], [{ ok: "true" }], [{ ok: false }]])("refuses %j", (value) => {
    expect(() => fromAnswer(value)).toThrow(expect.objectContaining({ code: "internal" }))
  })
})

describe("applyPresenceChange", () => {
  const alice = { user: { id: "alice" }, data: 1 }
  const bob = { user: { id: "bob" }, data: 2 }
  const before = { count: 1, members: [alice] }

  it.each([
    ["a snapshot", { count: 2, members: [alice, bob] }, { count: 2, members: [alice, bob] }],
    ["an arrival", { count: 2, set: bob }, { count: 2, members: [alice, bob] }],
    ["new data", { count: 1, set: { ...alice, data: 3 } }, { count: 1, members: [{ ...alice, data: 3 }] }],
    ["a departure", { count: 0, remove: "alice" }, { count: 0, members: [] }],
    ["the limit", { count: 5000, members: null }, { count: 5000, members: null }],
    ["rubbish", { count: "many" }, before],
    ["nothing", undefined, before],
    ["a member without an id", { count: 1, members: [{ user: {} }] }, { count: 1, members: [] }],
  ])("takes %s", (_, change, after) => {
    expect(applyPresenceChange(before, change)).toEqual(after)
  })

  it("knows nobody before the first snapshot", () => {
    expect(applyPresenceChange(null, { count: 1, set: alice })).toBeNull()
  })
})
