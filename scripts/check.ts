import { parseArgs } from "node:util"
import { run } from "./run.ts"
import { hiddenTools } from "./tools.ts"

/** What these say must not depend on what a machine has installed, so they find none of it. */
const staticSteps = ["format and lint", "types", "browsers", "unused code", "import direction"]

/**
 * `npm run check`: all that CI asks of a change, and nothing else. Every step runs, so that one look shows all there
 * is to do. `--without=tests` leaves steps out.
 */
const steps: Record<string, string[]> = {
  "format and lint": ["biome check --error-on-warnings"],
  types: ["next typegen", "tsc"],
  browsers: ["node scripts/browsers.ts"],
  "unused code": ["knip --no-config-hints"],
  "import direction": [
    "depcruise --config .dependency-cruiser.mjs --output-type err-long app lib realtime server e2e scripts",
  ],
  build: ["node scripts/build-once.ts"],
  tests: ["node scripts/test.ts"],
}

const { values } = parseArgs({ options: { without: { type: "string", multiple: true, default: [] } } })
const unknown = values.without.filter((name) => !(name in steps))
if (unknown.length > 0) {
  throw new TypeError(`there is no step "${unknown}"; the steps are ${Object.keys(steps).join(", ")}`)
}

const outcomes: string[] = []
for (const [name, commands] of Object.entries(steps)) {
  if (values.without.includes(name)) continue
  console.log(`\n▸ ${name}`)
  const started = performance.now()
  let exitCode = 0
  for (const command of commands) {
    const [program = "", ...parameters] = command.split(" ")
    exitCode ||= await run(program, parameters, staticSteps.includes(name) ? hiddenTools() : {})
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  outcomes.push(`${exitCode === 0 ? "✓" : "✗"} ${name} (${seconds} s)`)
  if (exitCode !== 0) process.exitCode = 1
}
console.log(`\n${outcomes.join("\n")}`)
