import { describe, expect, it } from "vitest"
import { childrenOf, type Node, parseModule } from "../syntax.ts"
import { type PlanOptions, planInit } from "./plan.ts"
import { readTemplates } from "./templates.ts"
import type { AppTree } from "./tree.ts"

const templates = readTemplates()
const ranges = { throughline: "^1.0.0", zod: "^4.0.0" }
const everything: PlanOptions = { providers: ["socketio", "pusher", "ably"], templates, ranges }

const packageJson = (more: object = {}) =>
  `${JSON.stringify({ name: "app", scripts: { dev: "next dev" }, dependencies: { next: "16.4.3" }, ...more }, null, 2)}\n`

const layout =
  "export default function Layout({ children }) { return <html><body>{children}</body></html> }\n"

/** An app with these files, as `readTree` sees it. */
function treeOf(files: Record<string, string>, nextVersion?: string): AppTree {
  const paths = new Set<string>()
  for (const file of Object.keys(files)) {
    const steps = file.split("/")
    if (!/^(src\/)?(app|pages|realtime)\//.test(file)) continue
    for (let count = steps[0] === "src" ? 2 : 1; count <= steps.length; count++)
      paths.add(steps.slice(0, count).join("/"))
  }
  return { files: new Map(Object.entries(files)), paths, nextVersion }
}

const typescript = {
  "package.json": packageJson(),
  "tsconfig.json": "{}",
  "next.config.ts": "export default {}\n",
}
const plain = { ...typescript, "app/layout.tsx": layout }

const planned = (files: Record<string, string>, options: Partial<PlanOptions> = {}) => {
  const { changes, ...rest } = planInit(treeOf(files), { ...everything, ...options })
  return {
    ...rest,
    wrote: changes.filter(({ before }) => before === null).map(({ path }) => path),
    edited: changes.filter(({ before }) => before !== null).map(({ path }) => path),
    text: Object.fromEntries(changes.map(({ path, after }) => [path, after])),
  }
}

/** The tree after the plan was carried out. */
function after(files: Record<string, string>, options: Partial<PlanOptions> = {}): Record<string, string> {
  return { ...files, ...planned(files, options).text }
}

const six = (root = "", ts = "ts", tsx = "tsx") => [
  ".env.local",
  `${root}app/api/realtime/[...path]/route.${ts}`,
  `${root}instrumentation.${ts}`,
  `${root}realtime/channels.${ts}`,
  `${root}realtime/provider.${tsx}`,
  `${root}realtime/server.${ts}`,
]

const otel =
  'import { registerOTel } from "@vercel/otel"\n\nexport function register() {\n  registerOTel("app")\n}\n'

describe("an app's shape", () => {
  const shapes: [string, Record<string, string>, { wrote: string[]; edited?: string[] }][] = [
    ["fresh", plain, { wrote: six() }],
    ["below src/", { ...typescript, "src/app/layout.tsx": layout }, { wrote: six("src/") }],
    [
      "in JavaScript",
      { "package.json": packageJson(), "app/layout.js": layout },
      { wrote: six("", "js", "jsx") },
    ],
    [
      "in JavaScript below src/, with aliases",
      {
        "package.json": packageJson(),
        "jsconfig.json": '{"compilerOptions":{"paths":{"@/*":["./src/*"]}}}',
        "src/app/layout.js": layout,
      },
      { wrote: six("src/", "js", "jsx") },
    ],
    ["pages/ beside app/", { ...plain, "pages/api/hello.ts": "" }, { wrote: six() }],
    ["its own proxy", { ...plain, "proxy.ts": "export function proxy() {}\n" }, { wrote: six() }],
    [
      "its own middleware",
      { ...plain, "middleware.ts": "export function middleware() {}\n" },
      { wrote: six() },
    ],
    [
      "a basePath",
      { ...plain, "next.config.ts": 'export default { basePath: "/docs" }\n' },
      { wrote: six() },
    ],
    [
      "standalone output",
      { ...plain, "next.config.ts": 'export default { output: "standalone" }\n' },
      { wrote: six() },
    ],
    [
      "cacheComponents",
      { ...plain, "next.config.ts": "export default { cacheComponents: true }\n" },
      { wrote: six() },
    ],
    [
      "an i18n segment",
      { ...typescript, "app/[locale]/layout.tsx": layout, "app/[locale]/page.tsx": "" },
      { wrote: six() },
    ],
    [
      "instrumentation of its own and an .env.local",
      { ...plain, "instrumentation.ts": otel, ".env.local": "SECRET=1" },
      {
        wrote: six().filter((path) => !/^(\.env|instr)/.test(path)),
        edited: [".env.local", "instrumentation.ts"],
      },
    ],
    [
      "an app of a workspace",
      { ...plain, "package.json": packageJson({ dependencies: { next: "catalog:" } }) },
      { wrote: six() },
    ],
    [
      "a sign-in and a server of its own",
      {
        ...plain,
        "package.json": packageJson({
          dependencies: { next: "15.5.0", "better-auth": "1" },
          scripts: { dev: "node server.js" },
        }),
      },
      { wrote: six() },
    ],
    [
      "a segment that is called realtime elsewhere",
      { ...plain, "app/realtime/page.tsx": "" },
      { wrote: six() },
    ],
  ]

  it.each(shapes)("%s", (_, files, { wrote, edited = [] }) => {
    const plan = planned(files)
    expect(plan.wrote.toSorted()).toEqual(wrote.toSorted())
    expect(plan.edited.toSorted()).toEqual([...edited, "package.json"].toSorted())
    expect(plan.wrote.length).toBeLessThanOrEqual(6)
    const again = planned(after(files))
    expect([again.wrote, again.edited]).toEqual([[], []])
  })
})

describe("a plan", () => {
  it("goes under Next.js' own basePath", () => {
    const { text } = planned({ ...plain, "next.config.ts": 'export default { basePath: "/docs" }\n' })
    expect(text["realtime/server.ts"]).toContain('  basePath: "/docs/api/realtime",\n  channels: { room },')
  })

  it("names the chosen providers alone, and installs what they need", () => {
    const { text, added } = planned(plain, { providers: ["ably"] })
    expect(text["realtime/provider.tsx"]).toContain("ably: () =>")
    expect(text["realtime/provider.tsx"]).not.toMatch(/socketio|pusher/)
    expect(text[".env.local"]).toMatch(/^# .*\nREALTIME_PROVIDER=ably\n$/)
    expect(added).toEqual(["throughline", "zod", "ably", "throughline-emulators"])
    expect(planned(plain, { providers: ["socketio"] }).added).not.toContain("throughline-emulators")
  })

  it("leaves what an app has listed already at its range", () => {
    const listed = { next: "16.4.3", "socket.io": "4.7.0", throughline: "file:../throughline.tgz" }
    const { text } = planned({ ...plain, "package.json": packageJson({ dependencies: listed }) })
    expect(JSON.parse(text["package.json"] ?? "").dependencies).toMatchObject(listed)
  })

  it.each(["chat", "counter"] as const)("adds the %s besides", (example) => {
    const { wrote } = planned(plain, { example })
    expect(wrote.filter((path) => !six().includes(path))).toEqual([
      `app/${example}/${example}.tsx`,
      `app/${example}/page.tsx`,
    ])
    expect(planned(after(plain, { example }), { example }).wrote).toEqual([])
  })

  it("keeps what the developer made of its files", () => {
    const files = after(plain)
    files["realtime/channels.ts"] += "// mine\n"
    files["realtime/server.ts"] =
      'import { throughline } from "throughline/next"\nexport const realtime = throughline({})\n'
    expect(planned(files)).toMatchObject({ wrote: [], edited: [] })
  })

  it("adds to an instrumentation that imports a server of another kind", () => {
    const files = {
      ...plain,
      "instrumentation.ts": 'export async function register() {\n  await import("./server")\n}\n',
    }
    expect(planned(files).text["instrumentation.ts"]).toContain("realtime.register()")
  })

  it("keeps files that import by an alias", () => {
    const files = after(plain)
    for (const path of ["app/api/realtime/[...path]/route.ts", "instrumentation.ts"])
      files[path] = (files[path] ?? "").replace(/"[./]+realtime\/server"/, '"@/realtime/server"')
    expect(planned(files)).toMatchObject({ wrote: [], edited: [] })
  })

  it("tells of what stands in the way of the route, and of a sign-in", () => {
    const withAuth = packageJson({ dependencies: { next: "16.4.3", "next-auth": "5" } })
    const { notes } = planned({ ...plain, "package.json": withAuth, "src/proxy.ts": "" })
    expect(notes.join("\n")).toMatch(/next-auth[\s\S]*src\/proxy\.ts/)
  })

  it.each<[string, Record<string, string>, string[] | undefined]>([
    ["to an app of Next.js 15", {}, ["chrome 111", "edge 111", "firefox 111", "safari 16.4"]],
    ["to one that goes without Ably", { providers: "socketio" }, undefined],
    ["to one that has them in a file", { ".browserslistrc": "defaults" }, undefined],
    ["to one that has them in a file of the other name", { browserslist: "defaults" }, undefined],
    ["to an app of Next.js 16", { next: "16.4.3" }, undefined],
  ])(
    "says which browsers are built for, %s",
    (_, { providers, next = "15.5.28", ...files }, browserslist) => {
      const { text, notes } = planned(
        { ...plain, "package.json": packageJson({ dependencies: { next } }), ...files },
        providers ? { providers: ["socketio"] } : {},
      )
      expect(JSON.parse(text["package.json"] ?? "").browserslist).toEqual(browserslist)
      expect(notes.join().includes("browserslist")).toBe(browserslist !== undefined)
    },
  )

  it("leaves the browsers to what says them outside of the app's folder", () => {
    const tree = treeOf({ ...plain, "package.json": packageJson({ dependencies: { next: "15.5.28" } }) })
    const { notes } = planInit({ ...tree, hasBrowsersOutside: true }, everything)
    expect(notes.join()).not.toContain("browserslist")
  })

  it.each([...templates.keys()])("writes %s in JavaScript, too, with all but its types", (name) => {
    const example = name.includes("counter") ? "counter" : "chat"
    const { text } = planned({ "package.json": packageJson(), "app/layout.js": layout }, { example })
    const written = text[name.replace(/\.ts(x?)$/, ".js$1")] ?? ""
    const typesIn = (node: Node): string[] => [
      ...(/^TS/.test(node.type) || node.importKind === "type" ? [node.type] : []),
      ...childrenOf(node).flatMap(typesIn),
    ]
    expect(parseModule(written).flatMap(typesIn)).toEqual([])
    const withoutTypes = (templates.get(name) ?? "")
      .replace(/^import type .*\n/m, "")
      .replace(": { initial: LogPage }", "")
    expect(written).toBe(withoutTypes)
  })

  it("writes paths with / alone", () => {
    for (const text of templates.values()) expect(text).not.toContain("\\")
    expect([...templates.keys()].join("")).not.toContain("\\")
  })
})

describe("a refusal", () => {
  const nothing = { "README.md": "" }
  it.each<[string, Record<string, string>, RegExp]>([
    ["no app", nothing, /no package\.json/],
    [
      "a package.json that isn't JSON",
      { ...plain, "package.json": "{ name: app }" },
      /can't be read as JSON/,
    ],
    ["a list for a package.json", { ...plain, "package.json": "[]" }, /can't be read as JSON/],
    [
      "another framework",
      { ...plain, "package.json": packageJson({ dependencies: { astro: "5" } }) },
      /doesn't list next/,
    ],
    [
      "the root of workspaces",
      { "package.json": packageJson({ dependencies: {}, workspaces: ["apps/*"] }) },
      /root of workspaces/,
    ],
    [
      "the root of pnpm's",
      { "package.json": packageJson({ dependencies: {} }), "pnpm-workspace.yaml": "" },
      /root of workspaces/,
    ],
    ["the Pages Router alone", { ...typescript, "pages/index.tsx": "" }, /Pages Router alone/],
    ["no pages at all", typescript, /neither app\/ nor src\/app\//],
    [
      "an old Next.js",
      { ...plain, "package.json": packageJson({ dependencies: { next: "^14.2.0" } }) },
      /Next\.js \^14\.2\.0, and 15\.5 or newer/,
    ],
    ...["15.4.10", "~15.4.0", "npm:next@15.0.3"].map((next): [string, Record<string, string>, RegExp] => [
      `Next.js ${next}`,
      { ...plain, "package.json": packageJson({ dependencies: { next } }) },
      /, and 15\.5 or newer/,
    ]),
    [
      "static export",
      { ...plain, "next.config.ts": 'export default { output: "export" }' },
      /exports static files/,
    ],
    [
      "pageExtensions",
      { ...plain, "next.config.ts": 'export default { pageExtensions: ["page.tsx"] }' },
      /pageExtensions/,
    ],
    [
      "a basePath that is computed",
      { ...plain, "next.config.ts": "export default { basePath: process.env.BASE }" },
      /isn't a plain string/,
    ],
    [
      "a route of that name",
      { ...plain, "app/api/realtime/[...path]/route.ts": "export const GET = () => new Response()" },
      /is there already/,
    ],
    ["a route at that address", { ...plain, "app/(site)/api/realtime/route.ts": "" }, /has the address/],
    ["a route of the Pages Router there", { ...plain, "pages/api/realtime.ts": "" }, /has the address/],
    [
      "a file of theirs",
      { ...plain, "realtime/server.ts": "export const io = 1" },
      /realtime\/server\.ts is there already/,
    ],
    [
      "a file of theirs that imports one of theirs",
      { ...plain, "realtime/provider.tsx": 'import { socket } from "./server"\n' },
      /realtime\/provider\.tsx is there already/,
    ],
    [
      "a register from elsewhere",
      { ...plain, "instrumentation.ts": 'export { register } from "./otel"' },
      /from another file/,
    ],
  ])("%s", (_, files, reason) => {
    expect(() => planInit(treeOf(files), everything)).toThrow(reason)
  })

  it("an example's page of theirs", () => {
    const files = { ...plain, "app/chat/page.tsx": 'import { Room } from "../server"\n' }
    expect(() => planInit(treeOf(files), { ...everything, example: "chat" })).toThrow(/is there already/)
  })

  it.each(["app/(site)/chat/page.tsx", "app/chat/(all)/route.ts", "pages/chat.tsx", "pages/chat/index.tsx"])(
    "an example's address that %s has",
    (path) => {
      const files = { ...plain, [path]: "" }
      expect(() => planInit(treeOf(files), { ...everything, example: "chat" })).toThrow(
        `${path} has the address of the example, /chat`,
      )
      expect(() => planInit(treeOf(files), { ...everything, example: "counter" })).not.toThrow()
    },
  )

  it("goes by the Next.js that is installed", () => {
    const files = { ...plain, "package.json": packageJson({ dependencies: { next: "latest" } }) }
    expect(() => planInit(treeOf(files, "14.2.3"), everything)).toThrow("this is Next.js 14.2.3")
    expect(() => planInit(treeOf(files, "15.4.9"), everything)).toThrow("this is Next.js 15.4.9, and 15.5")
    expect(() => planInit(treeOf(files, "15.5.0"), everything)).not.toThrow()
  })

  it.each(["15.5.0", "^15.0.0", ">=15.2", "15", "15.x", "16.0.0-canary.3", "canary"])(
    "isn't made of Next.js %s",
    (next) => {
      const files = { ...plain, "package.json": packageJson({ dependencies: { next } }) }
      expect(() => planInit(treeOf(files), everything)).not.toThrow()
    },
  )

  it("takes no notice of what is commented out", () => {
    const files = { ...plain, "next.config.ts": 'export default {\n  // output: "export",\n}\n' }
    expect(() => planInit(treeOf(files), everything)).not.toThrow()
  })
})
