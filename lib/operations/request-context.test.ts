import { expect, it } from "vitest"
import { contextOf } from "./request-context.ts"

it.each([
  ["192.0.2.1", "192.0.2.1"],
  ["2001:db8::1", "2001:db8::1"],
  ["203.0.113.9, 192.0.2.1", "192.0.2.1"],
  ["made up,203.0.113.9 , 192.0.2.1 ", "192.0.2.1"],
  ["", undefined],
  [undefined, undefined],
])("of %j what the nearest proxy added is the address, not what its visitor claims", (forwarded, address) => {
  const headers: Record<string, string> = forwarded === undefined ? {} : { "x-forwarded-for": forwarded }
  expect([contextOf(headers).address, contextOf(new Headers(headers)).address]).toEqual([address, address])
})
