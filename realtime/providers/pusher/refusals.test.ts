import { expect, it } from "vitest"
import { isRefusal, refusedOf } from "./refusals.ts"

it.each<[given: string, pending: string[], words: string, expected: string | undefined]>([
  ["the only one that is pending", ["private-a"], "Invalid signature", "private-a"],
  ["nobody among several", ["private-a", "private-b"], "Invalid signature", undefined],
  ["nobody when none is pending", [], "Invalid signature for private-a", undefined],
  ["the one that is named", ["private-a", "private-b"], "Invalid signature for private-b", "private-b"],
  ["the longest of the names", ["private-a", "private-ab"], "private-ab is over its limit", "private-ab"],
  ["the only one, though another is named", ["private-a"], "Invalid signature for private-b", "private-a"],
])("a refusal is about %s", (_, pending, words, expected) => {
  expect(refusedOf(pending, words)).toBe(expected)
})

it.each<[given: string, expected: boolean, error: unknown]>([
  ["an error without a code", true, { type: "PusherError", data: { message: "no" } }],
  ["a code of the application's", true, { type: "PusherError", data: { code: 4009 } }],
  ["a code of a client event's", true, { type: "PusherError", data: { code: 4301 } }],
  ["an overloaded service", false, { type: "PusherError", data: { code: 4100 } }],
  ["a service that moves on", false, { type: "PusherError", data: { code: 4200 } }],
  ["a WebSocket's own end", false, { type: "PusherError", data: { code: 1006 } }],
  ["an error without data", true, { type: "PusherError", data: null }],
  ["a socket's error", false, { type: "WebSocketError", error: {} }],
  ["nothing", false, undefined],
])("%s is a refusal: %s", (_, expected, error) => {
  expect(isRefusal(error)).toBe(expected)
})
