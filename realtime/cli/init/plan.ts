import { type ProviderName, providerNames } from "../../next/environment.ts"
import { Refusal } from "../refusal.ts"
import { withoutComments, withoutTypes } from "../syntax.ts"
import { isOlder, type Release } from "../versions.ts"
import { addToEnvFile } from "./env-file.ts"
import { mergeInstrumentation } from "./instrumentation.ts"
import { addToPackageJson, type PackageJson, parsePackageJson } from "./package-json.ts"
import { type AppTree, namesBrowsers } from "./tree.ts"

export const exampleNames = ["chat", "counter"] as const
export type ExampleName = (typeof exampleNames)[number]

export interface PlanOptions {
  /** What pages can go over; the first one is what REALTIME_PROVIDER names. */
  providers: readonly ProviderName[]
  /** A page on which two browsers talk, besides. */
  example?: ExampleName | undefined
  /** What is written, by its path in an app: `readTemplates()`. */
  templates: ReadonlyMap<string, string>
  /** The range for each package that may be added. */
  ranges: Readonly<Record<string, string>>
}

/** A file that is written, where `before` is null, or changed. */
export interface Change {
  path: string
  before: string | null
  after: string
}

export interface Plan {
  changes: Change[]
  /** What was there already. */
  kept: string[]
  /** Packages that package.json didn't list. */
  added: string[]
  /** What the developer has to know or do, a line each. */
  notes: string[]
}

/** What each provider can't do without. */
export const packages: Record<ProviderName, readonly string[]> = {
  socketio: ["socket.io", "socket.io-client"],
  pusher: ["pusher", "pusher-js"],
  ably: ["ably"],
}

/** The oldest Next.js that this package's tests run, and so the least that its peer range asks for. */
export const leastNext: Release = [15, 5]

/** What Next.js 16 builds for unless told. */
export const newBrowsers = ["chrome 111", "edge 111", "firefox 111", "safari 16.4"]

/**
 * Whether the app's compiler breaks the code of Ably's package: unless told, Next.js 15 builds for Safari 12
 * too, and puts a constructor's `super()` into a plain function then.
 */
export const breaksAbly = (
  nextVersion: string,
  { files, hasBrowsersOutside = false }: Pick<AppTree, "files" | "hasBrowsersOutside">,
): boolean =>
  majorOf(nextVersion) === 15 &&
  !hasBrowsersOutside &&
  !namesBrowsers({
    app: parsePackageJson(files.get("package.json") ?? "{}"),
    has: (file) => files.has(file),
  })

/** Of what a range takes: after ^ or >= any minor version. */
const newestOf = (range: string) => range.replace(/^[\^>]\D*(\d+).*/, "$1").replace(/^\D+/, "")

const majorOf = (version: string) => Number(/^\D*(\d+)/.exec(version)?.[1] ?? Number.NaN)

/**
 * Recognises a file that an earlier `init` wrote, whatever became of it since: it is kept as it is. Each
 * template imports the package, or a file of `realtime/` by its folder; "./server" alone may be anybody's.
 */
const ours = /["'](throughline(\/[\w/]+)?|[^"'\s]*\brealtime\/(server|provider|channels)(\.\w+)?)["']/

/**
 * What has to be written and changed in an app. Pure: nothing is read but `tree`. Nothing is to be done where
 * everything is there. Throws a `Refusal` that says why where the app isn't one that is understood.
 */
export function planInit(tree: AppTree, options: PlanOptions): Plan {
  const { files, paths } = tree
  const packageJson = files.get("package.json")
  if (packageJson === undefined)
    throw new Refusal("there is no package.json here", "Run it in the folder of a Next.js app.")
  const app = parsePackageJson(packageJson)
  refuseUnknown(tree, app)

  const root = paths.has("app") ? "" : "src/"
  const isTypeScript =
    files.has("tsconfig.json") || "typescript" in { ...app.dependencies, ...app.devDependencies }
  const basePath = basePathOf(tree)
  const plan: Plan = { changes: [], kept: [], added: [], notes: [] }

  const put = (path: string, change: (before: string | null) => string) => {
    const before = files.get(path) ?? null
    const after = change(before)
    if (before === after) plan.kept.push(path)
    else plan.changes.push({ path, before, after })
  }

  for (const [name, template] of options.templates) {
    const [, example] = /^app\/(chat|counter)\//.exec(name) ?? []
    if (example !== undefined && example !== options.example) continue
    const path = root + (isTypeScript ? name : name.replace(/\.ts(x?)$/, ".js$1"))
    if (name === "instrumentation.ts") {
      const existing = [...files.keys()].find((file) => file.startsWith(`${root}instrumentation.`)) ?? path
      put(existing, (before) => {
        if (before === null) return template
        return ours.test(before) ? before : mergeInstrumentation(existing, before, template)
      })
      continue
    }
    put(path, (before) => {
      if (before === null) {
        const text = written(name, template, { providers: options.providers, basePath })
        return isTypeScript ? text : withoutTypes(text)
      }
      if (ours.test(before)) return before
      throw new Refusal(
        `${path} is there already, and isn't of throughline`,
        "Move it, or remove it, and run init again.",
      )
    })
  }
  const own = new Set([...plan.changes.map(({ path }) => path), ...plan.kept])
  refuseTakenRoute(tree, root, own)
  if (options.example) refuseTakenPage(tree, own, options.example)

  put(".env.local", (before) =>
    addToEnvFile(before ?? "", [
      {
        name: "REALTIME_PROVIDER",
        value: options.providers[0] ?? "socketio",
        comment: "Who carries what pages say: socketio, pusher or ably; several, by commas, for failover.",
      },
    ]),
  )

  const wanted = ["throughline", "zod", ...options.providers.flatMap((provider) => packages[provider])]
  const isListed = (name: string) => name in { ...app.dependencies, ...app.devDependencies }
  const rangesOf = (names: readonly string[]) =>
    Object.fromEntries(
      names.filter((name) => !isListed(name)).map((name) => [name, options.ranges[name] ?? "latest"]),
    )
  const dependencies = rangesOf(wanted)
  const devDependencies = rangesOf(
    options.providers.some((name) => name !== "socketio") ? ["throughline-emulators"] : [],
  )
  plan.added = [...Object.keys(dependencies), ...Object.keys(devDependencies)]
  const nextVersion = tree.nextVersion ?? app.dependencies?.next ?? app.devDependencies?.next ?? ""
  const isBroken = options.providers.includes("ably") && breaksAbly(nextVersion, tree)
  put("package.json", (before) =>
    addToPackageJson(before ?? "", {
      scripts: { doctor: "throughline doctor" },
      dependencies,
      devDependencies,
      ...(isBroken && { browserslist: newBrowsers }),
    }),
  )

  plan.notes = [
    ...notesFor(tree, app, root, options),
    ...(isBroken
      ? [
          `package.json has a browserslist now, ${newBrowsers.join(", ")}: for older ones Next.js 15 breaks the code of ably.`,
        ]
      : []),
  ]
  return plan
}

function refuseUnknown({ files, paths, nextVersion }: AppTree, app: PackageJson): void {
  const next = app.dependencies?.next ?? app.devDependencies?.next
  const isWorkspaceRoot = app.workspaces !== undefined || files.has("pnpm-workspace.yaml")
  if (next === undefined)
    throw isWorkspaceRoot
      ? new Refusal(
          "this is the root of workspaces, and not an app",
          "Run it in the folder of the app, as in apps/web.",
        )
      : new Refusal("package.json doesn't list next", "Run it in the folder of a Next.js app.")
  if (isOlder(nextVersion ?? newestOf(next), leastNext))
    throw new Refusal(
      `this is Next.js ${nextVersion ?? next}, and ${leastNext.join(".")} or newer is needed`,
      "Upgrade it first: npx @next/codemod upgrade",
    )
  if (!paths.has("app") && !paths.has("src/app"))
    throw paths.has("pages") || paths.has("src/pages")
      ? new Refusal(
          "this app has the Pages Router alone",
          "Routes go into `app`; it may stand beside `pages`. Make that folder first.",
        )
      : new Refusal(
          "there is neither app/ nor src/app/",
          "Run it in the folder of a Next.js app with the App Router.",
        )
  const config = configOf(files)
  if (/\boutput\s*:\s*["'`]export["'`]/.test(config))
    throw new Refusal(
      'next.config exports static files (output: "export")',
      "Realtime needs a server that answers.",
    )
  if (/\bpageExtensions\b/.test(config))
    throw new Refusal(
      "next.config sets pageExtensions",
      "Which names routes have isn't known then: docs/guides/adopting.md has the files.",
    )
}

/** The text of next.config, without comments. */
export const configOf = (files: AppTree["files"]) =>
  withoutComments([...files].find(([path]) => path.startsWith("next.config."))?.[1] ?? "")

/**
 * Next.js' own `basePath`, under which the route is, too. Throws a `Refusal` where it
 * is said by anything but a string.
 */
function basePathOf({ files }: AppTree): string {
  const config = configOf(files)
  if (!/\bbasePath\b/.test(config)) return ""
  const [, basePath] = /\bbasePath\s*:\s*["'`](\/[^"'`$\s]+|)["'`]/.exec(config) ?? []
  if (basePath === undefined)
    throw new Refusal(
      "next.config has a basePath that isn't a plain string",
      'Write it as one, as in basePath: "/docs".',
    )
  return basePath
}

/** A route of another file at the address of ours: of a group, of another kind, of the Pages Router. */
function refuseTakenRoute({ paths }: AppTree, root: string, own: ReadonlySet<string>): void {
  for (const path of paths) {
    if (own.has(path)) continue
    const address = addressOf(path)
    if (
      /^app\/api\/realtime\/(.*\/)?route\.\w+$|^pages\/api\/realtime(\/|\.\w+$)/.test(address) &&
      /\.\w+$/.test(path)
    )
      throw new Refusal(
        `${path} has the address of the route that is needed, ${root}app/api/realtime/[...path]`,
        "Move it, and run init again.",
      )
  }
}

/** A path without what says nothing of its address: `src/`, and the folders of route groups. */
const addressOf = (path: string) => path.replace(/^src\//, "").replace(/\([^/]*\)\//g, "")

/** A page of another file at the address of the example's: Next.js takes one for each address. */
function refuseTakenPage({ paths }: AppTree, own: ReadonlySet<string>, example: ExampleName): void {
  const taken = new RegExp(`^app/${example}/(page|route)\\.\\w+$|^pages/${example}(/index)?\\.\\w+$`)
  for (const path of paths)
    if (!own.has(path) && taken.test(addressOf(path)))
      throw new Refusal(
        `${path} has the address of the example, /${example}`,
        "Move it, or run init without --example.",
      )
}

/**
 * A template as it stands in this app: with the chosen providers alone, and under Next.js' own `basePath`.
 */
function written(
  name: string,
  template: string,
  { providers, basePath }: { providers: readonly ProviderName[]; basePath: string },
): string {
  if (name === "realtime/provider.tsx")
    return template
      .split("\n")
      .filter((line) =>
        providerNames.every((provider) => !line.startsWith(`  ${provider}:`) || providers.includes(provider)),
      )
      .join("\n")
  if (name === "realtime/server.ts" && basePath !== "")
    return template.replace(
      "throughline({\n",
      `throughline({\n  basePath: ${JSON.stringify(`${basePath}/api/realtime`)},\n`,
    )
  return template
}

function notesFor({ files }: AppTree, app: PackageJson, root: string, { example }: PlanOptions): string[] {
  const listed = { ...app.dependencies, ...app.devDependencies }
  const inFront = [...files.keys()].find((path) => /^(src\/)?(middleware|proxy)\./.test(path))
  const auth = ["better-auth", "next-auth", "@clerk/nextjs"].find((name) => name in listed)
  const own = Object.values(app.scripts ?? {}).some((script) =>
    /\b(node|tsx)\b.*\bserver\.[cm]?[jt]s\b/.test(script),
  )
  return [
    ...(example
      ? [
          `npx throughline dev, and open /${example} in two browsers. Your own pages: <Throughline config={await realtime.config()}> around them, as there.`,
        ]
      : [
          `In ${root}app/layout, once, within <Suspense>: an async component that returns <Throughline config={await realtime.config()}>{children}</Throughline>.`,
        ]),
    ...(auth
      ? [
          `${auth} is there: let \`identify\` in ${root}realtime/server say who is signed in; everybody is a guest until then.`,
        ]
      : []),
    ...(inFront
      ? [`${inFront} stands in front of every route: let it pass /api/realtime, to guests too.`]
      : []),
    ...(own
      ? ["A server of your own runs Next.js: see that no other listener ends the upgrades of /socket.io/."]
      : []),
  ]
}
