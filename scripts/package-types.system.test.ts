import { beforeAll, describe, expect, it, vi } from "vitest"
import { packOnce } from "./pack.ts"
import { compile, compilers, makeTypedApp, manyChannels, resolutions } from "./package-types.ts"
import { makeForeignApp } from "./testing/foreign-app.ts"

const own = compilers["this project's TypeScript"]
const newest = compilers["the newest TypeScript"]

beforeAll(packOnce, 600_000)
/** A compiler has all of an app's packages to read, beside other tests. */
vi.setConfig({ testTimeout: 240_000 })

const names = Object.keys(resolutions) as (keyof typeof resolutions)[]

/**
 * What is said of packages outside the app, which has throughline in its own folder: engine.io's and pg's
 * declarations are for a newer TypeScript, and an app that uses this one has `skipLibCheck`.
 */
const ofOthers = /^\.\.\/.*\/node_modules\/.*\n(\s+.*\n)*/gm

describe("a stranger's app in TypeScript, with the packed package", () => {
  it.each(names)("has no error where imports resolve as %s does", async (resolution) => {
    using app = await makeTypedApp()
    expect(compile(app, newest, resolution)).toBe("")
  })

  it("says a wrong payload at the call, in six lines at most", async () => {
    using app = await makeForeignApp()
    app.write(
      "app.ts",
      `${manyChannels(1, 20)}\nvoid realtime.publish(c0({ id: "1" }), "event-1", { n2: 1 })\n`,
    )
    const said = compile(app, newest, "bundler", "--pretty", "false")
    expect(said.trim().split("\n").length, said).toBeLessThanOrEqual(6)
    expect(said).toMatch(/^app\.ts\(\d+,/)
  })

  it.skipIf(!compilers["the oldest TypeScript"]).each(names)(
    "has no error with the oldest TypeScript that is supported, resolving as %s does",
    async (resolution) => {
      using app = await makeTypedApp()
      const said = compile(app, compilers["the oldest TypeScript"] ?? "", resolution)
      expect(said.replace(ofOthers, "")).toBe("")
    },
  )
})

/** How often the compiler made a type of a generic one: what it takes, whatever the machine. Of one compiler, for each counts its own way. */
async function instantiations(source: string): Promise<number> {
  using app = await makeForeignApp()
  app.write("app.ts", source)
  const said = compile(app, own, "bundler", "--extendedDiagnostics", "--skipLibCheck", "--noEmit")
  const [, count] = /^Instantiations:\s+(\d+)$/m.exec(said) ?? []
  if (!count || said.includes("error TS")) throw new Error(said)
  return Number(count)
}

/**
 * What it took when it was last counted (62,057), and little more. Of each event that is only declared, zod takes some 7 instantiations
 * and our declarations 14, of each channel that both ends use some 800; as soon as a payload is read, zod takes 105 more.
 */
const mostInstantiations = 64_000

it("50 channels of 20 events, used at both ends, cost no more of the compiler than they did", async () => {
  const [few, many] = [await instantiations(manyChannels(1, 3)), await instantiations(manyChannels(50, 20))]
  expect(many - few).toBeLessThan(mostInstantiations)
})
