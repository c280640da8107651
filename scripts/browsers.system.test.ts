import { expect, it } from "vitest"
import packageJson from "../package.json" with { type: "json" }
import { browserFiles, createBrowserLint } from "./browsers.ts"

it("the browsers that are served are those that Next.js builds for", async () => {
  const { default: builtFor } = await import("next/dist/shared/lib/modern-browserslist-target.js")
  expect(packageJson.browserslist).toEqual(builtFor)
})

it("what reaches a browser is found by its imports, and no server action with what is behind it", async () => {
  const files = await browserFiles()
  expect(files).toContain("app/rooms/[room]/room-view.tsx")
  expect(files).toContain("lib/chat/channels.ts")
  expect(files).toContain("realtime/client/outbox.ts")
  expect(files).toContain("realtime/providers/ably/client.ts")
  expect(files).not.toContain("app/actions.ts")
  expect(files).not.toContain("lib/chat/rooms.ts")
}, 60_000)

/** Iterator helpers are no part of it: `lib` in tsconfig.json leaves them out, so that `tsc` refuses them. */
const lacking = [
  "Promise.withResolvers()",
  "Promise.try(() => 1)",
  "Object.groupBy([1], String)",
  "Map.groupBy([1], String)",
  "[1].toSorted()",
  "[1].toReversed()",
  "[1].with(0, 2)",
  "Array.fromAsync([1])",
  "new Set([1]).union(new Set([2]))",
  "'a'.isWellFormed()",
  "'a'.toWellFormed()",
  "/a/v.test('a')",
  "AbortSignal.any([])",
  "URL.parse('a')",
  "new Intl.Segmenter()",
  "new Intl.DurationFormat()",
  "crypto.randomUUID()",
  "navigator.clipboard.readText()",
]
const known = [
  "[1].at(-1)",
  "[1].findLast(Boolean)",
  "structuredClone(1)",
  "AbortSignal.timeout(1)",
  "Object.hasOwn({}, 'a')",
  "URL.canParse('a')",
  "[1].map(String)",
]

it("what one of those browsers lacks is an error, and nothing that all of them have", async () => {
  const code = [...lacking, ...known].map((line) => `;${line}\n`).join("")
  // The types that the rules ask for are those of a file that is there.
  const [result] = await createBrowserLint().lintText(code, { filePath: "realtime/text.ts" })
  const lines = new Set(result?.messages.map(({ line }) => line))
  expect([...lacking, ...known].filter((_, index) => lines.has(index + 1))).toEqual(lacking)
}, 120_000)
