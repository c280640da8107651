import { expect, it } from "vitest"
import * as z from "zod/mini"
import { defineChannel } from "../channel.ts"
import { stateSchemaOf } from "./state-keys.ts"

const schemas = {
  phase: z.string(),
  "quote:{symbol}": z.number(),
  "quote:all": z.boolean(),
  "a.{x}/{y}": z.null(),
}
const market = defineChannel("market", { messages: {}, state: schemas })

it.each<[string, keyof typeof schemas]>([
  ["phase", "phase"],
  ["quote:ABC", "quote:{symbol}"],
  ["quote:日本:1", "quote:{symbol}"],
  ["quote:all", "quote:all"],
  ["a.1/2", "a.{x}/{y}"],
])("finds the schema of %s", (key, pattern) => {
  expect(stateSchemaOf(market, key)).toBe(schemas[pattern])
})

it.each([...["price", "quote:", "quote", "xquote:ABC", "ab1/2", "toString", "__proto__"]])(
  "knows no schema of %s",
  (key) => {
    expect(() => stateSchemaOf(market, key)).toThrow(expect.objectContaining({ code: "event-unknown" }))
  },
)

it.each([["", 1, null, undefined, "quote:\u0000", "quote:\ud800", `quote:${"x".repeat(195)}`, {}]].flat())(
  "takes %j for no key",
  (key) => {
    expect(() => stateSchemaOf(market, key)).toThrow(expect.objectContaining({ code: "invalid-request" }))
  },
)
