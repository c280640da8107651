import { expect, it } from "vitest"
import { repeatFailed, runTests, withReporter } from "./test-run.ts"
import { makeTestProject, namesOf } from "./testing/test-project.ts"

const files = {
  "playwright.config.js": `export default { testDir: ".", workers: 1, projects: [
    { name: "build", testMatch: "build.setup.js" },
    { name: "pages", testMatch: "pages.spec.js", dependencies: ["build"] },
    { name: "group", testMatch: "group.spec.js" },
  ] }`,
  "build.setup.js": `import { test } from "@playwright/test"
import { existsSync, writeFileSync } from "node:fs"
test("fails once", () => {
  const isFirst = !existsSync("built")
  writeFileSync("built", "")
  if (isFirst) throw new Error("not built")
})`,
  "group.spec.js": `import { test } from "@playwright/test"
import { existsSync, writeFileSync } from "node:fs"
test.beforeAll(() => {
  const isFirst = !existsSync("grouped")
  writeFileSync("grouped", "")
  if (isFirst) throw new Error("not ready")
})
test("is first", () => {})
test("would fail always", () => { throw new Error("always") })`,
  "pages.spec.js": `import { test } from "@playwright/test"
test("needs the build", () => {})
test.skip("is left out on purpose", () => {})`,
}

it("a run of the browser's tests repeats what never started, too, instead of taking it for left out", {
  timeout: 120_000,
}, async () => {
  using project = makeTestProject(files)
  const { cwd } = project
  const runner = withReporter({ name: "e2e", command: ["playwright", "test"], env: {}, limitMs: 120_000 })
  const results = await repeatFailed(await runTests(runner, { cwd, quiet: true }), {}, { cwd, quiet: true })
  expect(namesOf(results, "failures")).toEqual(["group.spec.js > would fail always (group)"])
  expect(namesOf(results, "flaky")).toEqual([
    "build.setup.js > fails once (build)",
    "group.spec.js > is first (group)",
    "pages.spec.js > needs the build (pages)",
  ])
  expect(results.flatMap(({ skipped }) => skipped.map(({ test }) => test))).toEqual([
    "pages.spec.js > is left out on purpose (pages)",
  ])
})
