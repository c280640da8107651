import { describe, expect, it } from "vitest"
import { compile, compilers, makeTypedApp, manyChannels, resolutions } from "./package-types.ts"
import { makeForeignApp } from "./testing/foreign-app.ts"

const newest = compilers["the newest TypeScript"]
const names = Object.keys(resolutions) as (keyof typeof resolutions)[]

describe("a stranger's app in TypeScript, with the packed package", () => {
  it.skipIf(!newest).each(names)(
    "has no error with the newest TypeScript, resolving as %s does",
    async (resolution) => {
      using app = await makeTypedApp()
      expect(compile(app, newest ?? "", resolution)).toBe("")
    },
  )

  it("has no error with this project's TypeScript", async () => {
    using app = await makeTypedApp()
    expect(compile(app, compilers["this project's TypeScript"], "nodenext")).toBe("")
  })

  it("says a wrong payload at the call, in six lines at most", async () => {
    using app = await makeForeignApp()
    app.write(
      "app.ts",
      `${manyChannels(1, 20)}\nvoid realtime.publish(c0({ id: "1" }), "event-1", { n2: 1 })\n`,
    )
    const said = compile(
      app,
      newest ?? compilers["this project's TypeScript"],
      "bundler",
      "--pretty",
      "false",
    )
    expect(said.trim().split("\n").length, said).toBeLessThanOrEqual(6)
    expect(said).toMatch(/^app\.ts\(\d+,/)
  })
})

/** How often the compiler made a type of a generic one: what it takes, whatever the machine. */
async function instantiations(app: string): Promise<number> {
  using foreign = await makeForeignApp()
  foreign.write("app.ts", app)
  const said = compile(foreign, compilers["this project's TypeScript"], "bundler", "--extendedDiagnostics")
  const [, count] = /^Instantiations:\s+(\d+)$/m.exec(said) ?? []
  if (!count || said.includes("error TS")) throw new Error(said)
  return Number(count)
}

it("50 channels of 20 events cost at most 150,000 instantiations", async () => {
  const [few, many] = [await instantiations(manyChannels(1, 1)), await instantiations(manyChannels(50, 20))]
  expect(many - few).toBeLessThan(150_000)
})
