import { describe, expect, test } from "vitest"
import { intersectCapabilities, type Operation, parseCapability, permits } from "./capability.ts"

describe("§3.6a §3.6b resources", () => {
  test.each([
    ["*", "room", true],
    ["*", "room:1:2", true],
    ["*", "[meta]log", false],
    ["[*]*", "[meta]log", true],
    ["[*]*", "room", true],
    ["[meta]*", "[meta]log", true],
    ["[meta]*", "room", false],
    ["room", "room", true],
    ["room", "room:1", false],
    ["room:*", "room:1", true],
    ["room:*", "room:1:2", true],
    ["room:*", "room", false],
    ["room:*:log", "room:1:log", true],
    ["room:*:log", "room:1:2:log", false],
    ["room*", "roomy", false],
    ["room*", "room*", true],
  ])("%s covers %s: %s", (pattern, resource, covered) => {
    expect(permits({ [pattern]: ["*"] }, resource, "publish")).toBe(covered)
  })
})

describe("§3.6c operations", () => {
  test("are joined over every resource that covers the channel", () => {
    const capability = { "*": ["subscribe"], "room:*": ["publish"] }
    const held = (["subscribe", "publish", "presence"] as Operation[]).filter((operation) =>
      permits(capability, "room:1", operation),
    )
    expect(held).toEqual(["subscribe", "publish"])
  })

  test.each(['{"a":["nonsense"]}', '{"a":[]}', '{"a":["*","publish"]}', '{"a":7}', "[]", "{", "null"])(
    "%s is malformed",
    (text) => {
      expect(() => parseCapability(text)).toThrow(/invalid capability/)
    },
  )
})

describe("§3.2h §3.2i intersection", () => {
  test.each([
    [{ "*": ["*"] }, { room: ["publish"] }, { room: ["publish"] }],
    [{ room: ["publish", "subscribe"] }, { room: ["subscribe", "history"] }, { room: ["subscribe"] }],
    [{ "room:1": ["subscribe"] }, { "room:*": ["*"] }, { "room:1": ["subscribe"] }],
    [{ "room:*": ["*"] }, { "room:1": ["subscribe"] }, { "room:1": ["subscribe"] }],
    [{ b: ["publish"], a: ["publish"] }, { "*": ["*"] }, { a: ["publish"], b: ["publish"] }],
    [
      { "a:*": ["publish"] },
      { "a:b": ["publish"], "*": ["subscribe", "publish"] },
      { "a:*": ["publish"], "a:b": ["publish"] },
    ],
  ])("%j with %j", (requested, granted, common) => {
    const result = intersectCapabilities(requested, granted)
    expect(result).toEqual(common)
    expect(Object.keys(result)).toEqual(Object.keys(result).sort())
  })

  test("nothing in common is refused", () => {
    expect(() => intersectCapabilities({ a: ["publish"] }, { b: ["publish"] })).toThrow()
    expect(() => intersectCapabilities({ a: ["publish"] }, { a: ["subscribe"] })).toThrow()
  })
})
