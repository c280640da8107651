import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { createInterface } from "node:readline/promises"
import { createTwoFilesPatch } from "diff"
import { type DetectResult, detect, resolveCommand } from "package-manager-detector"
import type { ProviderName } from "../../next/environment.ts"
import { type Output, styled } from "../output.ts"
import { emulatorsTarball, ownPackage } from "../package.ts"
import { Refusal } from "../refusal.ts"
import { applyChanges, noteLock, planUndo, recover, undo } from "./apply.ts"
import { type ExampleName, type Plan, packages, planInit } from "./plan.ts"
import { readTemplates } from "./templates.ts"
import { readTree } from "./tree.ts"

export interface InitOptions {
  /** The app's folder. */
  cwd: string
  provider: readonly ProviderName[]
  example?: ExampleName
  /** Prints what would be changed, and changes nothing. */
  dryRun: boolean
  undo: boolean
  /** Asks nothing, and takes a folder with changes that aren't committed. */
  yes: boolean
  /** Runs the package manager for what package.json didn't list. */
  install: boolean
}

/** `throughline init`: what an app needs for realtime, written into it, or taken out again. */
export async function init(options: InitOptions, output: Output): Promise<number> {
  const folder = resolve(options.cwd)
  if (!options.dryRun && recover(folder)) output.note("An init that was interrupted is taken back first.")
  if (options.undo) return await undoInit(folder, options, output)

  const plan = planInit(readTree(folder, process.env), {
    providers: options.provider,
    example: options.example,
    templates: readTemplates(),
    ranges: rangesOfPackages(folder),
  })
  if (plan.changes.length === 0) {
    output.print("Everything is there already: nothing was changed.")
    const notes = await notesOnMissing(folder, options.provider)
    for (const note of notes) output.note(`→ ${note}`)
    output.json({ changes: [], kept: plan.kept, notes })
    return 0
  }
  if (!options.dryRun && !options.yes) requireTerminal(folder)
  show(plan.changes, options, output)
  if (options.dryRun) return report(plan, { isDone: false }, output)
  if (!options.yes) await agree(folder, "Write this?")

  applyChanges(folder, plan.changes)
  const installed = plan.added.length > 0 ? await install(folder, options, output) : undefined
  return report(plan, { isDone: true, installed }, output)
}

async function undoInit(folder: string, options: InitOptions, output: Output): Promise<number> {
  const changes = planUndo(folder)
  show(changes, options, output)
  const notes = options.dryRun ? [] : undo(folder)
  for (const note of notes) output.note(note)
  output.json({ changes: changes.map(({ path }) => path), notes })
  if (!options.dryRun && notes.length === 0) output.print("The tree is as it was before init.")
  return 0
}

function rangesOfPackages(folder: string): Record<string, string> {
  const { version, peerDependencies } = ownPackage()
  return {
    zod: "^4.0.0",
    ...peerDependencies,
    throughline: `^${version}`,
    "throughline-emulators": emulatorsTarball(folder) ?? `^${version}`,
  }
}

interface Shown {
  path: string
  before: string | null
  after: string | null
}

function show(changes: readonly Shown[], { dryRun }: InitOptions, output: Output): void {
  for (const change of changes) {
    if (dryRun) for (const line of patchOf(change)) output.print(line)
    else
      output.print(
        `${change.before === null ? "write " : change.after === null ? "remove" : "edit  "} ${change.path}`,
      )
  }
}

function patchOf({ path, before, after }: Shown): string[] {
  const name = (text: string | null) => (text === null ? "/dev/null" : path)
  const patch = createTwoFilesPatch(name(before), name(after), before ?? "", after ?? "")
  const colours: Record<string, "green" | "red" | undefined> = { "+": "green", "-": "red" }
  return patch
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => {
      const colour = colours[line.charAt(0)]
      return colour ? styled(colour, line) : line
    })
}

/** Throws a `Refusal` where the developer can't be asked, before anything reads as if it were done. */
function requireTerminal(folder: string): void {
  if (process.stdin.isTTY && process.stdout.isTTY) return
  const dirty = uncommitted(folder)
  if (dirty.length > 0)
    throw new Refusal(
      `there are changes that aren't committed: ${dirty.slice(0, 3).join(", ")}${dirty.length > 3 ? ", …" : ""}`,
      "Commit them first, or say --yes.",
    )
  throw new Refusal("nobody can be asked here", "Say --yes to write it, or --dry-run to see it.")
}

/** Throws a `Refusal` where the developer doesn't want it. */
async function agree(folder: string, question: string): Promise<void> {
  const dirty = uncommitted(folder)
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  const warning = dirty.length > 0 ? `${dirty.length} files have changes that aren't committed. ` : ""
  const left = new AbortController()
  terminal.once("close", () => left.abort())
  const answer = await terminal
    .question(`${warning}${question} [y/N] `, { signal: left.signal })
    .catch((error: Error) => {
      // Ctrl-C and Ctrl-D are an answer, too.
      if (error.name === "AbortError") return ""
      throw error
    })
  terminal.close()
  if (!/^y(es)?$/i.test(answer.trim())) throw new Refusal("nothing was changed")
}

/** Files with changes that git would lose; not those that installing this package changed. */
function uncommitted(folder: string): string[] {
  try {
    return execFileSync("git", ["status", "--porcelain", "--", "."], {
      ...{ cwd: folder, encoding: "utf8", timeout: 10_000 },
      stdio: ["ignore", "pipe", "ignore"],
    })
      .split("\n")
      .filter(Boolean)
      .map((line) => line.slice(3))
      .filter(
        (path) =>
          !/(^|\/)(package\.json|package-lock\.json|pnpm-lock\.yaml|yarn\.lock|bun\.lockb?)$/.test(path),
      )
  } catch {
    // No git, or no repository: there is nothing that it could lose.
    return []
  }
}

interface Installation {
  command: string
  wasTried: boolean
  isDone: boolean
}

const lockFiles: Record<string, string[]> = {
  npm: ["package-lock.json"],
  pnpm: ["pnpm-lock.yaml"],
  yarn: ["yarn.lock"],
  bun: ["bun.lock", "bun.lockb"],
}

async function managerOf(folder: string) {
  const manager: DetectResult = (await detect({ cwd: folder })) ?? { name: "npm", agent: "npm" }
  const resolved = resolveCommand(manager.agent, "install", []) ?? { command: "npm", args: ["install"] }
  return { name: manager.name, ...resolved }
}

/** An `init` before this one may have been interrupted, or failed, while it installed what it had listed. */
async function notesOnMissing(folder: string, providers: readonly ProviderName[]): Promise<string[]> {
  const needed = ["throughline", ...providers.flatMap((provider) => packages[provider])]
  const missing = needed.filter((name) => !findUp(folder, [join("node_modules", name)]))
  // Yarn's Plug'n'Play has no such folder.
  if (missing.length === 0 || findUp(folder, [".pnp.cjs"])) return []
  const { command, args } = await managerOf(folder)
  return [`Run ${[command, ...args].join(" ")}: not installed yet: ${missing.join(", ")}.`]
}

async function install(
  folder: string,
  { install: wanted }: InitOptions,
  output: Output,
): Promise<Installation> {
  const { name, command, args } = await managerOf(folder)
  const installation = { command: [command, ...args].join(" "), wasTried: wanted, isDone: false }
  if (!wanted) return installation
  const lock = findUp(folder, lockFiles[name] ?? [])
  const before = lock ? readFileSync(lock) : null
  output.note(`${installation.command} …`)
  // Standard output is the answer's alone.
  const stdio = ["ignore", output.isJson ? "ignore" : 2, "inherit"] as ["ignore", "ignore" | 2, "inherit"]
  // A terminal sends Ctrl-C to both: what is left to do is still said.
  const wait = () => {}
  process.on("SIGINT", wait)
  const { status } = spawnSync(command, args, { cwd: folder, stdio, shell: process.platform === "win32" })
  process.off("SIGINT", wait)
  const made = lock ?? findUp(folder, lockFiles[name] ?? [])
  if (made) noteLock(folder, made, before)
  return { ...installation, isDone: status === 0 }
}

/** The nearest of these files, from the folder upwards: in workspaces it is at their root. */
function findUp(folder: string, names: readonly string[]): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const found = names.map((name) => join(at, name)).find((path) => existsSync(path))
    if (found !== undefined || at === dirname(at)) return found
  }
}

function report(
  plan: Plan,
  done: { isDone: boolean; installed?: Installation | undefined },
  output: Output,
): number {
  const { isDone, installed } = done
  const isMissing = installed?.isDone === false
  const next = [
    ...(isMissing ? [`Run ${installed.command}: package.json lists ${plan.added.join(", ")} now.`] : []),
    ...plan.notes,
  ]
  output.json({
    changes: plan.changes.map(({ path, before }) => ({ path, kind: before === null ? "write" : "edit" })),
    kept: plan.kept,
    added: plan.added,
    ...(installed && { installed: installed.isDone }),
    notes: next,
  })
  if (isDone) output.print(`\n${next.map((note) => `→ ${note}`).join("\n")}`)
  return isMissing && installed.wasTried ? 1 : 0
}
