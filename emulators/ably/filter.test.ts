import { expect, test } from "vitest"
import { compileFilter } from "./filter.ts"

const message = {
  name: "news",
  clientId: "ann",
  extras: { headers: { level: 3, topic: "sport", "odd-name": true }, ref: { type: "reply" } },
}

test.each([
  ["name == 'news'", true],
  ["name != 'news'", false],
  ["headers.level > `2` && headers.level <= `3`", true],
  ["headers.level > `3` || clientId == 'ann'", true],
  ["!(name == 'news')", false],
  ["headers.missing", false],
  ["headers.missing == null || name == 'news'", true],
  ['headers."odd-name" == `true`', true],
  ["extras.ref.type == 'reply'", true],
  ["contains(headers.topic, 'port') && starts_with(name, 'ne')", true],
  ["name == 'a' || name == 'b' && name == 'c'", false],
])("%s: %s", (expression, passes) => {
  expect(compileFilter(expression)(message)).toBe(passes)
})

test.each([
  "",
  "name ==",
  "(name",
  "name == 'a",
  "unknown(name, 'a')",
  "name == `nonsense`",
  "name 'a'",
  "&&",
])("%j is refused", (expression) => {
  expect(() => compileFilter(expression)).toThrow(/invalid channel filter/)
})
