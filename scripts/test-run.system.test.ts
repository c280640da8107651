import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { waitFor, waitLimit } from "../realtime/testing/wait-for.ts"
import { projectDir } from "./run.ts"
import { repeatFailed, runTests, withReporter } from "./test-run.ts"
import { makeTestProject, namesOf } from "./testing/test-project.ts"

/** How long Vitest takes to come to the test that never yields. */
waitLimit.ms = 60_000

const mark = "left-behind"
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
  "vitest.config.ts": `export default { test: { projects: [
    { test: { name: "unit", include: ["*.test.js"], exclude: ["endless.test.js"], testTimeout: 1_000 } },
    { test: { name: "endless", include: ["endless.test.js"] } },
  ] } }`,
  "sound.test.js": `it("passes", () => {})`,
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
import { bareEnvironment as env } from "${join(projectDir, "realtime/testing/bare-environment.ts")}"
it("never yields", () => {
  const { pid } = spawn("sleep", ["300"], { env, detached: true, stdio: "ignore" })
  writeFileSync("left-behind", String(pid))
  for (;;) {}
})`,
}

const project = makeTestProject(
  Object.fromEntries(
    Object.entries(files).map(([name, body]) => [name, name.endsWith(".test.js") ? begin + body : body]),
  ),
)
const { cwd } = project
afterAll(() => project[Symbol.dispose]())

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
    const isThere = () => existsSync(join(cwd, mark)) && readFileSync(join(cwd, mark), "utf8")
    const pid = await waitFor(isThere, "the test that never yields").finally(() => told.abort())
    const results = await running
    expect(namesOf(results, "failures")).toEqual(["vitest"])
    expect(results.flatMap(({ failures }) => failures)[0]?.error).toContain("endless.test.js")
    if (process.platform === "linux") expect(isRunning(pid)).toBe(false)
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

/** A process that has ended and that nobody has waited for yet is none. */
function isRunning(pid: string): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false
  return !readFileSync(`/proc/${pid}/stat`, "latin1").includes(") Z ")
}
