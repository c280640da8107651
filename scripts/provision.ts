import { type ExecFileOptions, execFile } from "node:child_process"
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs, promisify } from "node:util"
import {
  chosenSuites,
  explainMissing,
  type NpmTool,
  suites,
  type Tool,
  thisMachine,
  toolsOf,
} from "./tools.ts"

/**
 * `npm run provision`, and the first step of `npm test`: looks for what the tests need and npm doesn't carry, installs
 * it where that takes no password (root on Debian), and otherwise names the line that does. `npm run provision -- unit e2e`
 * does so for those suites only.
 */
export interface Provisioned {
  /** Each tool that is not there, with why and what to do. */
  missing: { tool: Tool; reason: string }[]
}

export async function provision(wanted: readonly Tool[]): Promise<Provisioned> {
  const isMissing = (tool: Tool) => tool.find(thisMachine) === null
  const lacking = wanted.filter(isMissing)
  // A variable that names nothing is the reader's mistake to correct, not ours to install around.
  const installable = lacking.filter(({ variable }) => !variable || !process.env[variable])
  const packaged = installable.filter(({ debian }) => debian.length > 0)
  await Promise.all([
    packaged.length > 0 && canInstall() && install(packaged),
    ...installable.map(({ name, npm }) => npm && installFromNpm(name, npm)),
  ])

  const missing = lacking.filter(isMissing).map((tool) => ({ tool, reason: explainMissing(tool) }))
  for (const { tool, reason } of missing) {
    const consequence = tool.neededBy ? `skipped: ${tool.neededBy}` : "optional"
    console.log(`${reason} (${consequence})`)
  }
  return { missing }
}

const execFileAsync = promisify(execFile)

const canInstall = () => process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")

async function install(lacking: readonly Tool[]): Promise<void> {
  const packages = lacking.flatMap(({ debian }) => debian)
  console.log(`Installing ${packages.join(", ")} …`)
  const restore = forbidServices()
  try {
    const apt = (...parameters: string[]) =>
      tell("apt-get", parameters, { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } })
    // An old list still serves when the new one can't be had.
    await apt("update", "-qq")
    await apt("install", "-y", "-qq", "--no-install-recommends", ...packages)
  } finally {
    restore()
  }
}

/** Without install scripts: what is run is the packages' own programs, asked for by name. */
async function installFromNpm(name: string, { folder, dependencies, overrides }: NpmTool): Promise<void> {
  console.log(`Installing ${name} in ${folder} …`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies, overrides }))
  const parameters = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"]
  await tell("npm", parameters, { cwd: folder })
}

/** Runs a program to its end, and prints what it said if that is a bad one. */
async function tell(program: string, parameters: string[], options: ExecFileOptions): Promise<void> {
  const running = execFileAsync(program, parameters, { ...options, maxBuffer: 64 * 1024 * 1024 })
  running.child.stdin?.end()
  await running.catch(({ stdout = "", stderr = "", message }) => {
    console.log(`${program} ${parameters.join(" ")} failed:\n${`${stdout}${stderr}` || message}`.trimEnd())
  })
}

/** Debian starts the servers that it installs; the tests start their own, on ports and folders of their own. */
function forbidServices(): () => void {
  const policy = "/usr/sbin/policy-rc.d"
  if (existsSync(policy)) return () => {}
  writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 })
  return () => rmSync(policy, { force: true })
}

if (import.meta.main) {
  const { positionals } = parseArgs({ allowPositionals: true })
  const wanted = toolsOf(positionals.length > 0 ? chosenSuites(positionals) : suites)
  const { missing } = await provision(wanted)
  for (const tool of wanted) {
    const found = tool.find()
    if (found) console.log(`${tool.name}: ${found}`)
  }
  process.exitCode = missing.some(({ tool }) => tool.neededBy) ? 1 : 0
}
