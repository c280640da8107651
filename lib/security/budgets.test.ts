import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { budgets, parseBudget } from "./budgets.ts"

it("are in the guide as they are", () => {
  const guide = readFileSync(join(import.meta.dirname, "../../docs/guides/operations.md"), "utf8")
  const written = [...guide.matchAll(/^\| `([a-z-]+)` \| (\d+) \| (\d+) \|$/gm)]
  const kept = Object.entries(budgets).map(([name, { points, seconds }]) => [
    ...[name.replaceAll(" ", "-"), String(points), String(seconds)],
  ])
  expect(written.map(([, ...row]) => row)).toEqual(kept)
})

it("of a person have one of the address beside them, which is larger", () => {
  for (const [name, { points }] of Object.entries(budgets)) {
    if (!name.endsWith(" of a person")) continue
    const address = name.replace("of a person", "from an address") as keyof typeof budgets
    expect([name, budgets[address]?.points >= 10 * points]).toEqual([name, true])
  }
})

it.each([
  ["publishes-of-a-person=200/10", ["publishes of a person", { points: 200, seconds: 10 }]],
  [
    "guests-of-a-day-from-an-address=1/86400",
    ["guests of a day from an address", { points: 1, seconds: 86_400 }],
  ],
  ["publishes-of-a-person", null],
  // One request may bring a hundred.
  ["publishes-of-a-person=100/10", ["publishes of a person", { points: 100, seconds: 10 }]],
  ["publishes-of-a-person=99/10", null],
  ["publishes-in-a-room=99/10", null],
  ["kilobytes-of-a-person=20000/86400", null],
  ["reads-of-a-person=0/10", null],
  ["reads-of-a-person=1/0", null],
  ["reads-of-a-person=-1/10", null],
  ["reads-of-a-person=1.5/10", null],
  ["reads-of-a-person=1e3/10", null],
  ["publishes-of-a-person=99999999999/10", null],
  ["reads-of-a-person=1/9999999", null],
  ["nothing-of-a-person=1/1", null],
  ["to-string=1/1", null],
  ["", null],
])("%s is read as %j", (text, expected) => {
  expect(parseBudget(text)).toEqual(expected)
})
