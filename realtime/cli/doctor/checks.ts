import { providerNames } from "../../next/environment.ts"
import { parsePackageJson } from "../init/package-json.ts"
import { breaksAbly, configOf, leastNext, newBrowsers, packages } from "../init/plan.ts"
import { exportsOf, withoutComments } from "../syntax.ts"
import { chosenOf, environmentChecks } from "./environment.ts"
import type { Facts } from "./facts.ts"
import type { Check, Finding } from "./finding.ts"

/** What is looked at, in the order in which one thing needs another. Each is pure. */
export const checks: Readonly<Record<string, Check>> = {
  node({ files }) {
    const named = [
      ...[".nvmrc", ".node-version"].map((path) => [path, files.get(path)?.trim()]),
      ["Dockerfile", /^FROM\s+\S*\bnode:(\d[\d.]*)/im.exec(files.get("Dockerfile") ?? "")?.[1]],
    ]
    const engines = parsePackageJson(files.get("package.json") ?? "{}").engines?.node
    const advice = `Name ${leastNode.join(".")} or newer there.`
    return [
      ...named
        .filter(([, version]) => version !== undefined && isOlderNode(version))
        .map(([path = "", version]) => ({
          ...{
            subject: path,
            detail: `asks for Node.js ${version}, and ${leastNode.join(".")} or newer is needed`,
          },
          advice,
        })),
      // A range may have newer versions beside older ones, so that the one that runs isn't known.
      ...(engines !== undefined && lowerEndsOf(engines).some(isOlderNode)
        ? [
            {
              ...{ subject: "package.json", verdict: "warning" as const },
              detail: `lets Node.js ${engines} run it, and ${leastNode.join(".")} or newer is needed`,
              advice,
            },
          ]
        : []),
    ]
  },

  next({ files, installed }) {
    const version = installed.get("next")
    if (version === undefined)
      return [{ subject: "next", detail: "isn't installed", advice: "Run your package manager's install." }]
    if (majorOf(version) >= leastNext)
      return installed.has("ably") && breaksAbly(version, files)
        ? [
            {
              subject: "package.json",
              detail:
                "has no browserslist, and for the browsers that Next.js 15 builds for then it breaks the code of ably",
              advice: `Add to it: "browserslist": ${JSON.stringify(newBrowsers)}`,
            },
          ]
        : []
    return [
      {
        subject: "next",
        detail: `${version} is installed, and ${leastNext} or newer is needed`,
        advice: "npx @next/codemod upgrade",
      },
    ]
  },

  package({ files, installed, otherCopies }) {
    const installAdvice = "Install it as docs/guides/adopting.md says, among dependencies."
    const { dependencies = {} } = parsePackageJson(files.get("package.json") ?? "{}")
    const [own, emulators] = [installed.get("throughline"), installed.get("throughline-emulators")]
    if (own === undefined)
      return [
        {
          ...{ subject: "throughline", detail: "isn't installed" },
          advice: dependencies.throughline ? "Run your package manager's install." : installAdvice,
        },
      ]
    return [
      ...(dependencies.throughline === undefined
        ? [
            {
              subject: "package.json",
              detail: "doesn't list throughline among its dependencies",
              advice: installAdvice,
            },
          ]
        : []),
      ...otherCopies.map((path) => ({
        ...{
          subject: path,
          detail:
            "is a second copy of throughline: a page with both has two connections, and neither knows the other's channels",
        },
        advice: "Let every package of the app use one version, as by `npm dedupe` or an override.",
      })),
      ...(emulators !== undefined && emulators !== own
        ? [
            {
              subject: "throughline-emulators",
              detail: `is ${emulators}, and throughline ${own}`,
              advice: `Install ${own} of it, from where throughline came.`,
            },
          ]
        : []),
    ]
  },

  config({ files, paths }) {
    const config = configOf(files)
    const path = pathOf(files, /^next\.config\./) ?? "next.config"
    const tsconfig = withoutComments(files.get("tsconfig.json") ?? "")
    const server = pathOf(files, /^(src\/)?realtime\/server\./)
    const [, basePath] = /\bbasePath\s*:\s*["'`](\/[^"'`$\s]+)["'`]/.exec(config) ?? []
    const isUnder =
      basePath === undefined || !server || files.get(server)?.includes(`${basePath}/api/realtime`)
    return [
      ...(/\boutput\s*:\s*["'`]export["'`]/.test(config)
        ? [
            {
              subject: path,
              detail: 'exports static files (output: "export")',
              advice: "Leave it out: realtime needs a server that answers.",
            },
          ]
        : []),
      ...(isUnder
        ? []
        : [
            {
              subject: server ?? "",
              detail: `doesn't know of next.config's basePath "${basePath}"`,
              advice: `Give throughline() the option basePath: "${basePath}/api/realtime".`,
            },
          ]),
      ...(/"moduleResolution"\s*:\s*"(node|node10|classic)"/i.test(tsconfig)
        ? [
            {
              subject: "tsconfig.json",
              detail: "resolves modules in a way that doesn't know a package's doors",
              advice: 'Set "moduleResolution": "bundler".',
            },
          ]
        : []),
      ...(paths.has("app") || paths.has("src/app")
        ? []
        : [
            {
              subject: "app/",
              detail: "isn't there: the route needs the App Router",
              advice: "Make it; it may stand beside pages/.",
            },
          ]),
    ]
  },

  route({ files, paths }) {
    const root = rootOf(paths)
    const path = pathOf(
      files,
      /^(src\/)?app\/(\([^/]+\)\/)*api\/realtime\/(\[\.\.\.\w+\]|\[\[\.\.\.\w+\]\])\/route\.[jt]s$/,
    )
    if (path === undefined) {
      const other = pathOf(files, /^(src\/)?app\/api\/realtime\/(.*\/)?route\.[jt]s$/)
      return [
        {
          subject: other ?? `${root}app/api/realtime/[...path]/route`,
          detail: other ? "answers one address, and not all below /api/realtime" : "isn't there",
          advice: other ? `Move it to ${root}app/api/realtime/[...path]/.` : "npx throughline init",
        },
      ]
    }
    const text = files.get(path) ?? ""
    const exported = exportsOf(text)
    const missing = exported ? ["GET", "POST"].filter((name) => !exported.has(name)) : []
    const config = configOf(files)
    return [
      ...(missing.length > 0
        ? [
            {
              subject: path,
              detail: `doesn't export ${missing.join(" and ")}`,
              advice: "export const { GET, POST } = realtime",
            },
          ]
        : []),
      ...(exported?.has("runtime") && /runtime\s*=\s*["'`](experimental-)?edge/.test(text)
        ? [
            {
              subject: path,
              detail: "runs on the edge, where there is no log",
              advice: "Leave `runtime` out.",
            },
          ]
        : []),
      ...(/\bcacheComponents\s*:\s*true/.test(config) && exported?.has("dynamic")
        ? [
            {
              subject: path,
              detail: "exports `dynamic`, which doesn't build with cacheComponents",
              advice: "Leave it out: a route that reads its request is dynamic.",
            },
          ]
        : []),
    ]
  },

  register({ files, paths, env }) {
    const root = rootOf(paths)
    const server = files.get(pathOf(files, /^(src\/)?realtime\/server\./) ?? "")
    // Who has a server of their own starts the gateway there.
    if (!server?.includes("throughline/next")) return []
    const isHere = chosenOf(env).includes("socketio") && !env.get("SOCKET_URL")?.value
    const path = pathOf(files, new RegExp(`^${root}instrumentation\\.`))
    const elsewhere = pathOf(files, /^(src\/)?instrumentation\./)
    const text = withoutComments(files.get(path ?? "") ?? "")
    if (
      path !== undefined &&
      /\brealtime\.register\(|\.realtime\b[\s\S]*\.register\(|\)\.register\(/.test(text)
    )
      return []
    const advice =
      'In its register(), where process.env.NEXT_RUNTIME is "nodejs": await (await import("./realtime/server")).realtime.register()'
    const verdict = isHere ? "failed" : "warning"
    if (path === undefined)
      return [
        elsewhere
          ? {
              subject: elsewhere,
              verdict,
              detail: `isn't read by Next.js, since the app is in ${root || "the root"}`,
              advice: `Move it to ${root}instrumentation.`,
            }
          : {
              subject: `${root}instrumentation`,
              verdict,
              detail:
                "isn't there, so that the gateway starts with the first request, and mistakes in the environment are said then",
              advice: "npx throughline init",
            },
      ]
    if (exportsOf(text)?.has("register") === false)
      return [{ subject: path, verdict, detail: "exports no register()", advice }]
    return [
      { subject: path, verdict, detail: "has a register() that doesn't call realtime.register()", advice },
    ]
  },

  provider({ files, env }) {
    const path = pathOf(files, /^(src\/)?realtime\/provider\.[jt]sx?$/)
    const text = withoutComments(files.get(path ?? "") ?? "")
    // Somebody has it elsewhere, which may be as good.
    if (path === undefined || !text.includes("createThroughline")) return []
    const lacking = chosenOf(env).filter((name) => !text.includes(`throughline/${name}/client`))
    return [
      ...(/^\s*["']use client["']/.test(text)
        ? []
        : [
            {
              subject: path,
              detail: 'doesn\'t begin with "use client"',
              advice: 'Make that its first line: "use client"',
            },
          ]),
      ...lacking.map((name) => ({
        ...{ subject: path, detail: `has no ${name}, which REALTIME_PROVIDER names` },
        advice: `Add to createThroughline: ${name}: () => import("throughline/${name}/client")`,
      })),
    ]
  },

  peers({ env, files, installed, peerRanges }) {
    const text = files.get(pathOf(files, /^(src\/)?realtime\/provider\.[jt]sx?$/) ?? "") ?? ""
    const used = providerNames.filter(
      (name) => chosenOf(env).includes(name) || text.includes(`throughline/${name}/client`),
    )
    const needed = new Set(used.flatMap((name) => packages[name]))
    if (env.get("DATABASE_URL")?.value) needed.add("pg")
    if (env.get("REDIS_URL")?.value)
      for (const name of ["redis", "@socket.io/redis-streams-adapter"]) needed.add(name)
    const [server, client] = [installed.get("socket.io"), installed.get("socket.io-client")]
    return [
      ...[...needed]
        .filter((name) => !installed.has(name))
        .map((name) => ({
          subject: name,
          detail: "isn't installed, and is needed here",
          advice: `npm install ${name}`,
        })),
      ...[...needed].flatMap((name) => {
        const [version, range = ""] = [installed.get(name), peerRanges[name]]
        const wanted = /^\^(\d+)/.exec(range)?.[1]
        if (version === undefined || wanted === undefined || majorOf(version) === Number(wanted)) return []
        return [
          {
            subject: name,
            detail: `is ${version}, and throughline works with ${range}`,
            advice: `npm install ${name}@${range}`,
          },
        ]
      }),
      ...(server && client && majorOf(server) !== majorOf(client)
        ? [
            {
              subject: "socket.io-client",
              detail: `is ${client}, and socket.io ${server}: they don't understand each other`,
              advice: `npm install socket.io@${server} socket.io-client@${server}`,
            },
          ]
        : []),
    ]
  },

  ...environmentChecks,

  upgrades({ files }) {
    const path = pathOf(files, /^(src\/)?server\.[cm]?[jt]s$/)
    const text = withoutComments(files.get(path ?? "") ?? "")
    if (path === undefined || !/from ["']next["']|require\(["']next["']\)/.test(text)) return []
    const owner = [
      [/\.on\(\s*["']upgrade["']/, "listens to `upgrade`"],
      [/new\s+(WebSocketServer|WebSocket\.Server)\(\s*\{\s*server\b/, "lets ws take every upgrade"],
      [
        /new\s+\w*Server\(\s*(http|server|httpServer)\s*[,)]/,
        "has a Socket.IO of its own on the same server",
      ],
    ].find(([pattern]) => (pattern as RegExp).test(text)) as [RegExp, string] | undefined
    // Whoever looks at the path lets others have theirs.
    if (!owner || /\/socket\.io|pathname|\.url\b/.test(text)) return []
    return [
      {
        subject: path,
        verdict: "warning",
        detail: `${owner[1]}, and may end the gateway's sockets`,
        advice: "Let it leave alone what begins with /socket.io/ (request.url).",
      },
    ]
  },

  proxy({ files, env }) {
    if (!chosenOf(env).includes("socketio")) return []
    return [...files]
      .filter(
        ([path, text]) =>
          path.endsWith(".conf") &&
          /\bproxy_pass\b/.test(text) &&
          !/^[^#\n]*proxy_set_header\s+Upgrade\b/im.test(text),
      )
      .map(([path]) => ({
        // Other services, or a file that it includes, may be what it is about.
        ...{ subject: path, verdict: "warning" as const },
        detail: "hands on no WebSocket: its proxy_pass is without Upgrade",
        advice:
          'Add proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";',
      }))
  },
}

/** All that was found, in the order of the checks. */
export const examine = (facts: Facts): Finding[] =>
  Object.entries(checks).flatMap(([check, look]) =>
    look(facts).map((fault): Finding => ({ check, verdict: "failed", ...fault })),
  )

const leastNode = [22, 13] as const

/**
 * Of a version, as in "22", "v22.13.0" or "22.x"; what isn't one, as "lts/-1" or "node", is of no known age.
 */
function isOlderNode(version: string): boolean {
  const [, major, minor = leastNode[1]] = /^v?(\d+)(?:\.(\d+))?/.exec(version) ?? []
  if (major === undefined) return false
  return Number(major) < leastNode[0] || (Number(major) === leastNode[0] && Number(minor) < leastNode[1])
}

/** What each alternative of a range begins with, as in ">=18 <23 || ^24"; none for an upper end alone. */
const lowerEndsOf = (range: string): string[] =>
  range.split("||").flatMap((part) => /^\s*[\^~>=v\s]*(\d.*)/.exec(part)?.[1] ?? [])

const majorOf = (version: string) => Number.parseInt(version, 10)
const rootOf = (paths: Facts["paths"]) => (paths.has("app") || !paths.has("src/app") ? "" : "src/")
const pathOf = (files: Facts["files"], pattern: RegExp) =>
  [...files.keys()].find((path) => pattern.test(path))
