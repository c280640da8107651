import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { waitFor } from "../realtime/testing/wait-for.ts"
import type { SuiteResult } from "./report.ts"
import { projectDir } from "./run.ts"
import { repeatFailed, runTests, withReporter } from "./test-run.ts"

const cwd = mkdtempSync(join(tmpdir(), "throughline-test-run-"))
const mark = join(cwd, "left-behind")
afterAll(() => rmSync(cwd, { recursive: true, force: true }))

const begin = `import { existsSync, writeFileSync } from "node:fs"
import { expect, it } from "vitest"
const isFirst = (name) => {
  const isThere = existsSync(name)
  writeFileSync(name, "")
  return !isThere
}
`

/** A project with one file for each way to fail. */
const files: Record<string, string> = {
  "package.json": '{ "type": "module" }',
  "vitest.config.ts": `export default { test: { projects: [
    { test: { name: "unit", include: ["*.test.js"], exclude: ["endless.test.js"], testTimeout: 1_000 } },
    { test: { name: "endless", include: ["endless.test.js"] } },
  ] } }`,
  "sound.test.js": `it("passes", () => {})`,
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
  "dying.js": `import { writeFileSync } from "node:fs"
import { join } from "node:path"
const failure = { test: "sound.test.js > passes", error: "chance", command: ["vitest", "run", "--project=unit", "sound.test.js"] }
const result = { suite: "unit", passed: 0, failures: [failure], flaky: [], skipped: [], files: {} }
const report = { results: [result], running: ["other.test.js"], isComplete: false }
writeFileSync(join(process.env.THROUGHLINE_REPORT_DIR, "vitest.json"), JSON.stringify(report))
process.kill(process.pid, "SIGKILL")`,
  "wrong.test.js": `it("is (always) wrong > so", () => { expect(1).toBe(2) })`,
  "once.test.js": `it("fails once", () => { expect(isFirst("once")).toBe(false) })
it("passes beside it", () => {})`,
  "hanging.test.js": `it("hangs", () => new Promise(() => {}))`,
  "killed.test.js": `it("was fine", () => {})
it("dies once", () => { if (isFirst("killed")) process.kill(process.pid, "SIGKILL") })
for (const n of [1, 2, 3]) it(\`comes too late, \${n}\`, () => {})`,
  "broken.test.js": `throw new Error("not loaded")`,
  "surrounded.test.js": `import { afterAll, beforeAll, describe } from "vitest"
describe("its beginning", () => {
  beforeAll(() => { throw new Error("no beginning") })
  it("is never begun", () => {})
})
describe("its end", () => {
  afterAll(() => { throw new Error("no end") })
  it("passes", () => {})
})
it("fails once, too", () => { expect(isFirst("surrounded")).toBe(false) })`,
  "endless.test.js": `import { spawn } from "node:child_process"
it("never yields", () => {
  const { pid } = spawn("sleep", ["300"], { detached: true, stdio: "ignore" })
  writeFileSync("left-behind", String(pid))
  for (;;) {}
})`,
}

beforeAll(() => {
  symlinkSync(join(projectDir, "node_modules"), join(cwd, "node_modules"))
  mkdirSync(join(cwd, "scripts"))
  for (const [name, body] of Object.entries(files))
    writeFileSync(join(cwd, name), name.endsWith(".test.js") ? begin + body : body)
})

const run = (project: string, signal?: AbortSignal) =>
  runTests(
    withReporter({
      name: "vitest",
      command: ["vitest", "run", `--project=${project}`],
      env: {},
      limitMs: 120_000,
    }),
    { cwd, signal, quiet: true },
  )

const namesOf = (results: readonly SuiteResult[], kind: "failures" | "flaky") =>
  results.flatMap((result) => result[kind].map(({ test }) => test)).toSorted()

describe("a run of the tests", () => {
  it("repeats alone what failed: what passes then is flaky, what fails again or hangs has failed", {
    timeout: 120_000,
  }, async () => {
    const first = await run("unit")
    const results = await repeatFailed(first, {}, { cwd, quiet: true })
    expect(namesOf(results, "flaky")).toEqual([
      ...["killed.test.js", "once.test.js > fails once", "surrounded.test.js > fails once, too"],
    ])
    expect(namesOf(results, "failures")).toEqual([
      "broken.test.js",
      "hanging.test.js > hangs",
      "surrounded.test.js",
      "wrong.test.js > is (always) wrong > so",
    ])
    expect(results.find(({ suite }) => suite === "unit")?.passed).toBe(6)
    const errors = results.flatMap(({ failures }) => failures.map(({ error }) => error)).join("\n")
    expect(errors).toContain("expected 1 to be 2")
    expect(errors).toContain("not loaded")
    expect(errors).toContain("timed out")
    expect(errors).toContain("no beginning")
  })

  it("is ended with all that it started, and says what was running", { timeout: 120_000 }, async () => {
    const told = new AbortController()
    const running = run("endless", told.signal)
    const pid = await waitFor(() => existsSync(mark) && readFileSync(mark, "utf8"))
    told.abort()
    const results = await running
    expect(namesOf(results, "failures")).toEqual(["vitest"])
    expect(results.flatMap(({ failures }) => failures)[0]?.error).toContain("endless.test.js")
    if (process.platform === "linux") expect(isRunning(pid)).toBe(false)
  })

  it("repeats what never started, too, instead of taking it for left out", {
    timeout: 120_000,
  }, async () => {
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

  it("has failed when its runner ended before the end, though what had failed passes when it is repeated", async () => {
    const runner = { name: "vitest", command: ["node", "dying.js"], env: {}, limitMs: 60_000 }
    const results = await repeatFailed(await runTests(runner, { cwd, quiet: true }), {}, { cwd, quiet: true })
    expect(namesOf(results, "flaky")).toEqual(["sound.test.js > passes"])
    expect(namesOf(results, "failures")).toEqual(["vitest"])
    expect(results.flatMap(({ failures }) => failures)[0]?.error).toContain("other.test.js")
  })

  it("is ended when its time is up", async () => {
    const results = await runTests({ name: "sleep", command: ["sleep", "300"], env: {}, limitMs: 300 })
    expect(results.flatMap(({ failures }) => failures)[0]?.error).toContain("its time was up")
  })

  it("that ends badly without a word has failed", async () => {
    const results = await runTests({ name: "false", command: ["false"], env: {}, limitMs: 60_000 })
    expect(namesOf(await repeatFailed(results, {}), "failures")).toEqual(["false"])
  })
})

describe("npm test", () => {
  it("that is told to end does so with all that it started, and has failed", {
    timeout: 120_000,
  }, async () => {
    const child = spawn(process.execPath, ["scripts/test.ts", "react"], {
      cwd: projectDir,
      stdio: ["ignore", "pipe", "ignore"],
    })
    let output = ""
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk
    })
    // Vitest has begun.
    await waitFor(() => output.includes(" RUN "))
    child.kill("SIGTERM")
    const [code] = await once(child, "exit")
    expect(code).toBe(1)
    expect(output).toContain("it was told to end")
    expect(output.trimEnd().split("\n").at(-1)).toMatch(/^\d+ passed, 1 failed, \d+ skipped$/)
  })
})

/** A process that has ended and that nobody has waited for yet is none. */
function isRunning(pid: string): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false
  return !readFileSync(`/proc/${pid}/stat`, "latin1").includes(") Z ")
}
