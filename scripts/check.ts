import { availableParallelism } from "node:os"
import { parseArgs } from "node:util"
import { requireInstalled } from "./installed.ts"
import { projectDir, run, tsc } from "./run.ts"
import { hiddenTools } from "./tools.ts"

/**
 * Side by side, since each has work for one core. What they say must not depend on what a machine has installed, so they
 * find none of it.
 */
const staticSteps: Record<string, string[]> = {
  types: ["next typegen", `node ${tsc}`],
  browsers: ["node scripts/browsers.ts"],
  "import direction": [
    "depcruise --config .dependency-cruiser.mjs --output-type err-long app examples lib realtime emulators server e2e scripts",
  ],
  "unused code": ["knip --no-config-hints"],
  "format and lint": ["biome check --error-on-warnings", "node scripts/comments.ts"],
}
const steps: Record<string, string[]> = {
  ...staticSteps,
  build: ["node scripts/build-once.ts"],
  tests: ["node scripts/test.ts"],
}

/**
 * `npm run check`: all that CI asks of a change, and nothing else. Every step runs, so that one look shows all there
 * is to do. `--without=tests` leaves steps out.
 */
const { values } = parseArgs({ options: { without: { type: "string", multiple: true, default: [] } } })
const unknown = values.without.filter((name) => !(name in steps))
if (unknown.length > 0) {
  throw new TypeError(`there is no step "${unknown}"; the steps are ${Object.keys(steps).join(", ")}`)
}

requireInstalled(projectDir)
const outcomes: string[] = []

async function take(names: Iterable<string>): Promise<void> {
  for (const name of names) {
    const isStatic = name in staticSteps
    const heading = `\n▸ ${name}`
    if (!isStatic) console.log(heading)
    const said: string[] = []
    const started = performance.now()
    let exitCode = 0
    for (const command of steps[name] ?? []) {
      const [program = "", ...parameters] = command.split(" ")
      exitCode ||= isStatic
        ? await run(program, parameters, hiddenTools(), (text) => said.push(text))
        : await run(program, parameters)
    }
    // At once, so that what two of them say isn't mixed.
    if (isStatic) console.log(`${heading}\n${said.join("").trim()}`)
    const seconds = ((performance.now() - started) / 1000).toFixed(0)
    outcomes.push(`${exitCode === 0 ? "✓" : "✗"} ${name} (${seconds} s)`)
    if (exitCode !== 0) process.exitCode = 1
  }
}

const wanted = Object.keys(steps).filter((name) => !values.without.includes(name))
// One queue for as many as there are cores; then what uses all of them.
const queue = wanted.filter((name) => name in staticSteps).values()
await Promise.all(Array.from({ length: availableParallelism() }, () => take(queue)))
await take(wanted.filter((name) => !(name in staticSteps)))
console.log(`\n${outcomes.join("\n")}`)
