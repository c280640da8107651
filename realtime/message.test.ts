import { describe, expect, it } from "vitest"
import {
  jsonByteLength,
  parseLogPage,
  parseSignal,
  parseUser,
  parseWireMessage,
  parseWireMessages,
} from "./message.ts"

const good = {
  id: "01900000-0000-7000-8000-000000000000",
  channel: "room:1",
  seq: 1,
  epoch: "e",
  event: "said",
  payload: { text: "x" },
  from: { id: "alice", name: "Alice" },
  at: 1,
}

describe("parseSignal", () => {
  const signal = { id: "s", channel: "room:1", event: "typing", payload: 1, from: { id: "alice" }, at: 1 }
  it("reads one of ours, and nothing that was added to it", () => {
    expect(parseSignal({ ...signal, admin: true })).toEqual(signal)
  })
  it.each<unknown>([
    ...[null, {}, "text", { ...signal, id: 1 }, { ...signal, channel: 1 }, { ...signal, event: null }],
    ...[
      { ...signal, from: null },
      { ...signal, from: { id: "" } },
      { ...signal, at: "now" },
    ],
  ])("drops %j", (damaged) => {
    expect(parseSignal(damaged)).toBeNull()
  })
})

describe("parseWireMessage", () => {
  it("reads one of ours, and nothing that was added to it", () => {
    expect(parseWireMessage({ ...good, admin: true, from: { ...good.from, role: "x" } })).toEqual(good)
  })
  it("reads the trace context that it carries, and nothing else in its place", () => {
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    expect(parseWireMessage({ ...good, traceparent })).toEqual({ ...good, traceparent })
    for (const other of [`${traceparent}-more`, "00-XYZ", 7, null, { toString: () => traceparent }])
      expect(parseWireMessage({ ...good, traceparent: other })).toEqual(good)
  })
  it("reads one without a body, and one from nobody with an empty one", () => {
    const { payload, ...envelope } = good
    expect(parseWireMessage({ ...envelope, bodyless: true })).toEqual({ ...envelope, bodyless: true })
    expect(parseWireMessage({ ...good, from: null, payload: null })).toEqual({
      ...good,
      from: null,
      payload: null,
    })
  })
  it.each([
    [null],
    [undefined],
    ["text"],
    [[]],
    [{}],
    [{ ...good, id: 7 }],
    [{ ...good, channel: undefined }],
    [{ ...good, seq: 0 }],
    [{ ...good, seq: -1 }],
    [{ ...good, seq: 1.5 }],
    [{ ...good, seq: "1" }],
    [{ ...good, seq: Number.NaN }],
    [{ ...good, epoch: null }],
    [{ ...good, event: {} }],
    [{ ...good, from: "alice" }],
    [{ ...good, from: {} }],
    [{ ...good, from: undefined }],
    [{ ...good, at: "now" }],
    [{ ...good, payload: undefined }],
  ])("drops %j", (damaged) => {
    expect(parseWireMessage(damaged)).toBeNull()
  })
})

it("takes of what came at once the messages alone", () => {
  expect(parseWireMessages([good, null, {}, "x", { ...good, seq: 2 }])).toEqual([good, { ...good, seq: 2 }])
  for (const other of ["x", null, undefined, { 0: good, length: 1 }])
    expect(parseWireMessages(other)).toEqual([])
})

describe("parseUser", () => {
  it.each([
    [{ id: "a" }, { id: "a" }],
    [{ id: "a", name: 7 }, { id: "a" }],
    [{ id: "" }, null],
    [{ id: 7 }, null],
    [null, null],
  ])("makes of %j %j", (value, user) => {
    expect(parseUser(value)).toEqual(user)
  })
})

describe("parseLogPage", () => {
  const page = { head: { epoch: "e", seq: 1, first: 1 }, messages: [good] }
  it("reads a page", () => {
    expect(parseLogPage(page)).toEqual(page)
  })
  it.each([
    [null],
    [{}],
    [{ ...page, head: { epoch: "e", seq: -1, first: 1 } }],
    [{ ...page, messages: [{}] }],
    [{ ...page, messages: [{ ...good, payload: undefined, bodyless: true }] }],
    [{ ...page, messages: "none" }],
  ])("refuses %j", (damaged) => {
    expect(() => parseLogPage(damaged)).toThrow(expect.objectContaining({ code: "invalid-request" }))
  })
})

describe("jsonByteLength", () => {
  for (const value of [
    "",
    "plain",
    "caf\u00e9",
    "日本語",
    "👩‍👩‍👧",
    "\ud800",
    { a: [1, null, "\0"] },
    undefined,
  ]) {
    it(`counts what ${JSON.stringify(value)} takes as UTF-8`, () => {
      expect(jsonByteLength(value)).toBe(Buffer.byteLength(JSON.stringify(value) ?? ""))
    })
  }
})
