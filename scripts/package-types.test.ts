import { beforeAll, describe, expect, it, vi } from "vitest"
import { packOnce } from "./pack.ts"
import { compile, compilers, makeTypedApp, manyChannels, resolutions } from "./package-types.ts"
import { makeForeignApp } from "./testing/foreign-app.ts"

/** The quickest. */
const compiler = compilers["the newest TypeScript"]

beforeAll(packOnce, 600_000)
/** A compiler has all of an app's packages to read, beside other tests. */
vi.setConfig({ testTimeout: 240_000 })

describe("a stranger's app in TypeScript, with the packed package", () => {
  it.each(Object.keys(resolutions) as (keyof typeof resolutions)[])(
    "has no error where imports resolve as %s does",
    async (resolution) => {
      using app = await makeTypedApp()
      expect(compile(app, compiler, resolution)).toBe("")
    },
  )

  it("says a wrong payload at the call, in six lines at most", async () => {
    using app = await makeForeignApp()
    app.write(
      "app.ts",
      `${manyChannels(1, 20)}\nvoid realtime.publish(c0({ id: "1" }), "event-1", { n2: 1 })\n`,
    )
    const said = compile(app, compiler, "bundler", "--pretty", "false")
    expect(said.trim().split("\n").length, said).toBeLessThanOrEqual(6)
    expect(said).toMatch(/^app\.ts\(\d+,/)
  })
})
