import { expect, it } from "vitest"
import { requireWireVersion, wireVersion } from "./wire-version.ts"

it.each([null, undefined, "1", wireVersion])("answers a page that names %s for its version", (named) => {
  expect(() => requireWireVersion(named)).not.toThrow()
})

it.each([
  ["0", "page-outdated"],
  [wireVersion + 1, "provider-unavailable"],
  // As of a header that was sent twice.
  ["1, 1", "invalid-request"],
  ["", "invalid-request"],
  ["1.5", "invalid-request"],
  ["-1", "invalid-request"],
  [Number.NaN, "invalid-request"],
  [{}, "invalid-request"],
])("refuses one that names %j: %s", (named, code) => {
  expect(() => requireWireVersion(named)).toThrow(expect.objectContaining({ code }))
})
