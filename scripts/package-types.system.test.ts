import { describe, expect, it } from "vitest"
import { compile, compilers, makeTypedApp, resolutions } from "./package-types.ts"

const names = Object.keys(resolutions) as (keyof typeof resolutions)[]

describe("a stranger's app in TypeScript, with the packed package", () => {
  it.skipIf(!compilers["the oldest TypeScript"]).each(names)(
    "has no error with the oldest TypeScript that is supported, resolving as %s does",
    async (resolution) => {
      using app = await makeTypedApp()
      expect(compile(app, compilers["the oldest TypeScript"] ?? "", resolution)).toBe("")
    },
  )
})
