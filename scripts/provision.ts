import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { explainMissing, type NpmTool, type Tool, thisMachine, tools } from "./tools.ts"

/**
 * `npm run provision`, and the first step of `npm test`: looks for what the tests need and npm doesn't carry, installs
 * it where that takes no password (root on Debian), and otherwise names the line that does.
 */
export interface Provisioned {
  /** Each tool that is not there, with why and what to do. */
  missing: { tool: Tool; reason: string }[]
}

export function provision(wanted: readonly Tool[] = Object.values<Tool>(tools)): Provisioned {
  const isMissing = (tool: Tool) => tool.find(thisMachine) === null
  const lacking = wanted.filter(isMissing)
  // A variable that names nothing is the reader's mistake to correct, not ours to install around.
  const installable = lacking.filter(({ variable }) => !variable || !process.env[variable])
  const packaged = installable.filter(({ debian }) => debian.length > 0)
  if (packaged.length > 0 && canInstall()) install(packaged)
  for (const { name, npm } of installable) if (npm) installFromNpm(name, npm)

  const missing = lacking.filter(isMissing).map((tool) => ({ tool, reason: explainMissing(tool) }))
  for (const { tool, reason } of missing) {
    const consequence = tool.neededBy ? `skipped: ${tool.neededBy}` : "optional"
    console.log(`${reason} (${consequence})`)
  }
  return { missing }
}

const canInstall = () => process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")

function install(lacking: readonly Tool[]): void {
  const packages = lacking.flatMap(({ debian }) => debian)
  console.log(`Installing ${packages.join(", ")} …`)
  const restore = forbidServices()
  try {
    const apt = (...parameters: string[]) => {
      const { status, stdout, stderr } = spawnSync("apt-get", parameters, {
        env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
        stdio: ["ignore", "pipe", "pipe"],
        encoding: "utf8",
      })
      if (status !== 0) console.log(`apt-get ${parameters.join(" ")} failed:\n${stdout}${stderr}`.trimEnd())
      return status === 0
    }
    // An old list still serves when the new one can't be had.
    apt("update", "-qq")
    apt("install", "-y", "-qq", "--no-install-recommends", ...packages)
  } finally {
    restore()
  }
}

/** Without install scripts: what is run is the packages' own programs, asked for by name. */
function installFromNpm(name: string, { folder, dependencies, overrides }: NpmTool): void {
  console.log(`Installing ${name} in ${folder} …`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies, overrides }))
  const parameters = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"]
  const { status, stdout, stderr } = spawnSync("npm", parameters, { cwd: folder, encoding: "utf8" })
  if (status !== 0) console.log(`npm ${parameters.join(" ")} failed:\n${stdout}${stderr}`.trimEnd())
}

/** Debian starts the servers that it installs; the tests start their own, on ports and folders of their own. */
function forbidServices(): () => void {
  const policy = "/usr/sbin/policy-rc.d"
  if (existsSync(policy)) return () => {}
  writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 })
  return () => rmSync(policy, { force: true })
}

if (import.meta.main) {
  const { missing } = provision()
  for (const tool of Object.values<Tool>(tools)) {
    const found = tool.find()
    if (found) console.log(`${tool.name}: ${found}`)
  }
  process.exitCode = missing.some(({ tool }) => tool.neededBy) ? 1 : 0
}
