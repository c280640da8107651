import { describe, expect, it } from "vitest"
import { planInit } from "../init/plan.ts"
import { readTemplates } from "../init/templates.ts"
import { makeFolder, throughline } from "../testing.ts"
import { checks, examine } from "./checks.ts"
import { readFacts } from "./facts.ts"

const templates = readTemplates()
const peerRanges = {
  "socket.io": "^4.8.4",
  "socket.io-client": "^4.8.4",
  pusher: "^5.3.4",
  "pusher-js": "^8.6.0",
  ably: "^2.28.0",
}
const versions: Record<string, string> = {
  ...{
    throughline: "1.2.0",
    "throughline-emulators": "1.2.0",
    next: "16.4.3",
    react: "19.3.0",
    pg: "8.23.1",
    redis: "6.0.0",
    "@socket.io/redis-streams-adapter": "0.3.1",
  },
  ...{
    "socket.io": "4.8.4",
    "socket.io-client": "4.8.4",
    pusher: "5.3.4",
    "pusher-js": "8.6.0",
    ably: "2.28.0",
  },
}

const manifest = (more: object = {}) => JSON.stringify({ dependencies: { next: "16.4.3" }, ...more })

const installed = (changes: Record<string, string | null> = {}) =>
  Object.fromEntries(
    Object.entries({ ...versions, ...changes })
      .filter(([, version]) => version !== null)
      .map(([name, version]) => [`node_modules/${name}/package.json`, JSON.stringify({ name, version })]),
  )

/** What `init` makes of an app, with its packages: as good as an app is. */
function goodApp(files: Record<string, string> = {}): Record<string, string> {
  const app = { "package.json": manifest(), "tsconfig.json": "{}", "app/layout.tsx": "", ...files }
  const paths = new Set(
    Object.keys(app).flatMap((path) =>
      path.split("/").map((_, count, steps) => steps.slice(0, count + 1).join("/")),
    ),
  )
  const tree = { files: new Map(Object.entries(app)), paths }
  const { changes } = planInit(tree, { providers: ["socketio", "pusher", "ably"], templates, ranges: {} })
  return { ...app, ...Object.fromEntries(changes.map(({ path, after }) => [path, after])), ...installed() }
}

const route = "app/api/realtime/[...path]/route.ts"

/** What is found in an app with these changes to its files, null for none, and to its variables. */
function findings(
  changes: Record<string, string | null>,
  environment: Record<string, string> = {},
  isProduction = false,
) {
  const files = Object.entries({ ...goodApp(), ...changes }).filter(
    (entry): entry is [string, string] => entry[1] !== null,
  )
  using place = makeFolder(Object.fromEntries(files))
  return examine(readFacts({ folder: place.folder, isProduction, environment, peerRanges })).map(
    (finding) => ({
      ...finding,
      subject: finding.subject.replace(`${place.folder}/`, ""),
    }),
  )
}

const production = true
type Planted = [
  fault: string,
  changes: Record<string, string | null>,
  env: Record<string, string>,
  subject: string,
  isProduction?: boolean,
]

describe("a planted fault is named, with what to do", () => {
  it.each<Planted>([
    ["an old Node.js in .nvmrc", { ".nvmrc": "v18.20.0\n" }, {}, ".nvmrc"],
    [
      "an old Node.js in engines",
      { "package.json": manifest({ dependencies: { throughline: "1" }, engines: { node: ">=20" } }) },
      {},
      "package.json",
    ],
    ["an old Node.js in an image", { Dockerfile: "FROM node:20-alpine\n" }, {}, "Dockerfile"],
    ["an old Next.js", installed({ next: "14.2.0" }), {}, "next"],
    [
      "a Next.js 15 that builds for browsers for which it breaks Ably's code",
      installed({ next: "15.5.28" }),
      {},
      "package.json",
    ],
    ["nothing installed", { "node_modules/throughline/package.json": null }, {}, "throughline"],
    ["a package that isn't listed", { "package.json": manifest() }, {}, "package.json"],
    [
      "two copies",
      { "node_modules/chat-widget/node_modules/throughline/package.json": "{}" },
      {},
      "node_modules/chat-widget/node_modules/throughline",
    ],
    [
      "emulators of another version",
      installed({ "throughline-emulators": "1.1.0" }),
      {},
      "throughline-emulators",
    ],
    ["static export", { "next.config.ts": 'export default { output: "export" }' }, {}, "next.config.ts"],
    [
      "a basePath of which the server doesn't know",
      { "next.config.ts": 'export default { basePath: "/docs" }' },
      {},
      "realtime/server.ts",
    ],
    [
      "an old resolution",
      { "tsconfig.json": '{ "compilerOptions": { "moduleResolution": "node" } }' },
      {},
      "tsconfig.json",
    ],
    ["no route", { [route]: null }, {}, "app/api/realtime/[...path]/route"],
    [
      "a route for one address",
      { [route]: null, "app/api/realtime/route.ts": "export const GET = 1" },
      {},
      "app/api/realtime/route.ts",
    ],
    [
      "a route without POST",
      { [route]: 'import { realtime } from "x"\nexport const { GET } = realtime\n' },
      {},
      route,
    ],
    [
      "a route on the edge",
      { [route]: 'export const runtime = "edge"\nexport const { GET, POST } = realtime\n' },
      {},
      route,
    ],
    [
      "a dynamic route with cacheComponents",
      {
        [route]: 'export const dynamic = "force-dynamic"\nexport const { GET, POST } = realtime\n',
        "next.config.ts": "export default { cacheComponents: true }",
      },
      {},
      route,
    ],
    ["no instrumentation", { "instrumentation.ts": null }, {}, "instrumentation"],
    [
      "instrumentation where Next.js doesn't read it",
      { "instrumentation.ts": null, "src/instrumentation.ts": "export function register() {}" },
      {},
      "src/instrumentation.ts",
    ],
    [
      "a register() without ours",
      { "instrumentation.ts": "export function register() {}\n" },
      {},
      "instrumentation.ts",
    ],
    [
      "ours in a comment",
      { "instrumentation.ts": "export function register() {\n  // await realtime.register()\n}\n" },
      {},
      "instrumentation.ts",
    ],
    [
      'no "use client"',
      {
        "realtime/provider.tsx":
          'import { createThroughline } from "throughline/react"\nimport("throughline/socketio/client")\n',
      },
      {},
      "realtime/provider.tsx",
    ],
    [
      "a page without the chosen provider",
      {
        "realtime/provider.tsx":
          '"use client"\ncreateThroughline({ socketio: () => import("throughline/socketio/client") })\n',
      },
      { REALTIME_PROVIDER: "ably" },
      "realtime/provider.tsx",
    ],
    ["a missing peer", { "node_modules/pusher-js/package.json": null }, {}, "pusher-js"],
    ["no pg", { "node_modules/pg/package.json": null }, { DATABASE_URL: "postgres://h/d" }, "pg"],
    ["a peer of another major", installed({ ably: "1.2.50" }), {}, "ably"],
    [
      "an unknown provider",
      {},
      { REALTIME_PROVIDER: "socketio,mqtt" },
      "REALTIME_PROVIDER (the environment)",
    ],
    ["a key of a wrong shape, in a file", { ".env": "ABLY_API_KEY=abc\n" }, {}, "ABLY_API_KEY (.env)"],
    ["a short secret", {}, { SESSION_SECRET: "short" }, "SESSION_SECRET (the environment)"],
    [
      "no adapter for several gateways",
      { "node_modules/@socket.io/redis-streams-adapter/package.json": null },
      { REDIS_URL: "redis://cache", DATABASE_URL: "postgres://h/d" },
      "@socket.io/redis-streams-adapter",
    ],
    [
      "a port that is none",
      {},
      { REALTIME_PROVIDER: "ably", ABLY_API_KEY: "a.b:c", ABLY_PORT: "https" },
      "ABLY_PORT (the environment)",
    ],
    ["another database", {}, { DATABASE_URL: "mysql://h/d" }, "DATABASE_URL (the environment)"],
    [
      "a secret for every browser",
      {},
      { NEXT_PUBLIC_PUSHER_SECRET: "0".repeat(20) },
      "NEXT_PUBLIC_PUSHER_SECRET (the environment)",
    ],
    [
      "half of Pusher's keys",
      {},
      { REALTIME_PROVIDER: "pusher", PUSHER_APP_ID: "1", PUSHER_KEY: "0".repeat(20), PUSHER_CLUSTER: "eu" },
      "PUSHER_SECRET",
    ],
    ["no keys in production", {}, { REALTIME_PROVIDER: "ably" }, "ABLY_API_KEY", production],
    [
      "a gateway elsewhere, and no secret",
      {},
      { SOCKET_URL: "https://live.example" },
      "SOCKET_INTERNAL_SECRET",
    ],
    [
      "a gateway without TLS",
      {},
      { SOCKET_URL: "http://live.example", SOCKET_INTERNAL_SECRET: "x".repeat(32) },
      "SOCKET_URL (the environment)",
      production,
    ],
    [
      "an origin with a path",
      {},
      { SOCKET_CORS_ORIGIN: "https://a.example,https://b.example/" },
      "SOCKET_CORS_ORIGIN (the environment)",
    ],
    [
      "an origin without a scheme",
      {},
      { SOCKET_CORS_ORIGIN: "app.example" },
      "SOCKET_CORS_ORIGIN (the environment)",
    ],
    ["Redis and files", {}, { REDIS_URL: "redis://cache" }, "DATABASE_URL"],
    [
      "SQLite on Vercel",
      { "vercel.json": "{}" },
      { REALTIME_PROVIDER: "ably", ABLY_API_KEY: "a.b:c" },
      "DATABASE_URL",
      production,
    ],
    [
      "sockets on Netlify",
      { "netlify.toml": "" },
      { DATABASE_URL: "postgres://h/d" },
      "REALTIME_PROVIDER (.env.local)",
      production,
    ],
    [
      "a second owner of upgrades",
      {
        "server.js": 'import next from "next"\nserver.on("upgrade", (request, socket) => socket.destroy())\n',
      },
      {},
      "server.js",
    ],
    [
      "a proxy without upgrades",
      { "deploy/nginx.conf": "location / {\n  proxy_pass http://app;\n  # proxy_set_header Upgrade\n}\n" },
      {},
      "deploy/nginx.conf",
    ],
  ])("%s", (_, changes, env, subject, isProduction) => {
    const found = findings(changes, env, isProduction)
    expect(found.map((finding) => finding.subject)).toEqual([subject])
    expect(found[0]?.advice).toMatch(/\w/)
  })

  it.each([
    ["engines.node of >=18", { "package.json": manifest({ engines: { node: ">=18" } }) }],
    ["engines.node of 20.x || 22.x", { "package.json": manifest({ engines: { node: "20.x || 22.x" } }) }],
    ["engines.node of ^20", { "package.json": manifest({ engines: { node: "^20" } }) }],
    ["engines.node of >= 22.12.0", { "package.json": manifest({ engines: { node: ">= 22.12.0" } }) }],
    ["an nginx without Upgrade", { "nginx.conf": "location / {\n  proxy_pass http://app;\n}\n" }],
  ])("warns alone of %s, which may be meant otherwise", (_, changes) => {
    const found = findings(changes).filter(({ check }) => check !== "package")
    expect(found.map(({ verdict }) => verdict)).toEqual(["warning"])
  })

  it("shows no secret", () => {
    const secret = "hidden-and-too-short"
    const text = JSON.stringify(
      findings(
        {},
        { SESSION_SECRET: secret, ABLY_API_KEY: secret, SOCKET_URL: secret, DATABASE_URL: secret },
      ),
    )
    expect(text).not.toContain(secret)
  })
})

describe("a good app gives no false alarm", () => {
  const pusher = {
    PUSHER_APP_ID: "123456",
    PUSHER_KEY: "0123456789abcdef0123",
    PUSHER_SECRET: "fedcba98765432100123",
    PUSHER_CLUSTER: "eu",
  }
  it.each<[string, Record<string, string | null>, Record<string, string>, boolean?]>([
    ["as init leaves it", {}, {}],
    ["the same in production", {}, {}, production],
    ["by an emulator", {}, { REALTIME_PROVIDER: "pusher" }],
    ["by Pusher", {}, { REALTIME_PROVIDER: "pusher", ...pusher }, production],
    [
      "by a server of one's own that speaks Pusher's protocol",
      {},
      {
        REALTIME_PROVIDER: "pusher",
        PUSHER_APP_ID: "app",
        PUSHER_KEY: "app-key",
        PUSHER_SECRET: "app-secret",
        PUSHER_HOST: "127.0.0.1",
      },
    ],
    ["for Vercel, on the developer's machine", { "vercel.json": "{}" }, {}],
    [
      "on Vercel",
      { "vercel.json": "{}" },
      { REALTIME_PROVIDER: "ably", ABLY_API_KEY: "abcDEF.gh12Ij:secret", DATABASE_URL: "postgres://h/d" },
      production,
    ],
    [
      "behind nginx",
      {
        "nginx.conf":
          "location / {\n  proxy_pass http://app;\n  proxy_set_header Upgrade $http_upgrade;\n}\n",
      },
      {},
    ],
    [
      "a gateway elsewhere",
      {},
      {
        SOCKET_URL: "https://live.example",
        SOCKET_INTERNAL_SECRET: "x".repeat(32),
        SOCKET_CORS_ORIGIN: "https://app.example",
      },
      production,
    ],
    [
      "a server of its own that knows its path",
      {
        "server.js":
          'import next from "next"\nserver.on("upgrade", (request) => { if (request.url === "/ws") mine() })\n',
      },
      {},
    ],
    ["on whatever Node.js is the newest", { ".nvmrc": "lts/-1\n", ".node-version": "lts/iron\n" }, {}],
    ...["22.x || >=24", "^22.13.0", ">=22.13 <25", "<25", "*", "22 || 24"].map(
      (node): [string, Record<string, string>, Record<string, string>] => [
        `on Node.js ${node}`,
        {
          "package.json": manifest({ dependencies: { next: "16.4.3", throughline: "1" }, engines: { node } }),
        },
        {},
      ],
    ),
    [
      "an optional catch-all",
      {
        [route]: null,
        "app/api/realtime/[[...path]]/route.ts":
          'import { realtime } from "../../../../realtime/server"\nexport const { GET, POST } = realtime\n',
      },
      {},
    ],
    ["on a newer Node.js", { ".nvmrc": "24\n", Dockerfile: "FROM node:22.18-slim\n" }, {}],
    [
      "handlers by name",
      {
        [route]:
          'import { realtime } from "x"\nexport const GET = realtime.GET\nexport async function POST(request: Request) { return realtime.POST(request) }\n',
      },
      {},
    ],
    ["a value that refers to another", { ".env": "DATABASE_URL=$MY_DATABASE\n" }, {}],
    ["several gateways", {}, { REDIS_URL: "redis://cache", DATABASE_URL: "postgres://h/d" }, production],
  ])("%s", (_, changes, env, isProduction) => {
    const listed = { "package.json": manifest({ dependencies: { next: "16.4.3", throughline: "1" } }) }
    expect(findings({ ...listed, ...changes }, env, isProduction)).toEqual([])
  })

  it("below src/, in JavaScript, under a basePath", () => {
    const config = { "next.config.js": 'module.exports = { basePath: "/docs" }' }
    const app: Record<string, string> = goodApp(config)
    const moved = Object.fromEntries(
      Object.entries(app).map(([path, text]) => [
        /^(app|realtime|instr)/.test(path) ? `src/${path.replace(/\.ts(x?)$/, ".js$1")}` : path,
        text,
      ]),
    )
    using place = makeFolder(moved)
    expect(
      examine(readFacts({ folder: place.folder, isProduction: false, environment: {}, peerRanges })),
    ).toEqual([])
  })
})

describe("throughline doctor", () => {
  it("ends with 0, or with 1 and what to do", async () => {
    using good = makeFolder(goodApp())
    const well = await throughline(good.folder, ["doctor"])
    expect(well).toEqual({
      exitCode: 0,
      stderr: "",
      stdout: `✓ Nothing is wrong: ${Object.keys(checks).length} things were looked at.\n`,
    })
    using bad = makeFolder({ ...goodApp(), ...installed({ next: "14.0.0" }) })
    const ill = await throughline(bad.folder, ["doctor", "--json"])
    expect(ill).toMatchObject({ exitCode: 1, stderr: "" })
    expect(JSON.parse(ill.stdout).findings).toMatchObject([
      { check: "next", subject: "next", verdict: "failed" },
    ])
  })
})
