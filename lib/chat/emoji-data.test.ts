import { createRequire } from "node:module"
import { expect, it } from "vitest"
import { emojiDataVersion } from "./emoji-data.ts"

it("the addresses of the emoji's data name the version that is installed", () => {
  const { version } = createRequire(import.meta.url)("emojibase-data/package.json")
  expect(emojiDataVersion).toBe(version)
})
