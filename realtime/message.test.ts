import { describe, expect, it } from "vitest"
import { parseLogPage, parseUser, parseWireMessage } from "./message.ts"

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

describe("parseWireMessage", () => {
  it("reads one of ours, and nothing that was added to it", () => {
    expect(parseWireMessage({ ...good, admin: true, from: { ...good.from, role: "x" } })).toEqual(good)
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
