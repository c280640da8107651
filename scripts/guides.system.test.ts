import { spawnSync } from "node:child_process"
import { globSync, readFileSync } from "node:fs"
import { basename, dirname, join, relative } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { blocksOf, writeGuide } from "../realtime/testing/guide.ts"
import { readSurface } from "./api-surface.ts"
import { packOnce } from "./pack.ts"
import { projectDir } from "./run.ts"
import { type ForeignApp, makeForeignApp } from "./testing/foreign-app.ts"

const adopting = "docs/guides/adopting.md"
const guide = readFileSync(join(projectDir, adopting), "utf8")
/** Those in Japanese have the same blocks, which `readme.test.ts` compares. */
const guides = globSync("docs/guides/*.md", { cwd: projectDir }).filter((path) => !path.endsWith(".ja.md"))
/** Beside whole files these show pieces, each of which is a module of its own. */
const readmes = [
  "README.md",
  "realtime/README.md",
  "emulators/README.md",
  "emulators/pusher/README.md",
  "emulators/ably/README.md",
]

/** What a document takes for granted: files of the reader's own, and packages that this project doesn't have. */
const assumed: Record<string, Record<string, string>> = {
  "realtime/README.md": {
    "lib/members.ts": `
      import type { User } from "throughline"
      export declare function currentUser(request: Request): Promise<User | null>
      export declare function isMember(userId: string, roomId: string): Promise<boolean>`,
  },
  "docs/guides/authorizing.md": {
    "lib/members.ts": `
      export declare function isMember(userId: string, roomId: string): Promise<boolean>
      export declare function isModerator(userId: string): Promise<boolean>
      export declare function deleteMember(userId: string, roomId: string): Promise<void>`,
    "lib/budget.ts": "export declare function take(whose: string, count: number): Promise<number>",
  },
  "docs/guides/identity.md": {
    "lib/auth.ts": `
      interface Session { user: { id: string; name: string } }
      export declare const auth: { api: { getSession(of: { headers: Headers }): Promise<Session | null> } }`,
    "lib/clerk.ts": `
      interface State { toAuth(): { userId: string | null } | null }
      export declare const clerk: { authenticateRequest(request: Request): Promise<State> }`,
    "next-auth.d.ts": `
      declare module "next-auth/jwt" {
        interface Options { req: Request; secret: string | undefined; secureCookie: boolean }
        export function getToken(options: Options): Promise<{ sub?: string; name?: string | null } | null>
      }`,
  },
  "docs/guides/writing-a-provider.md": {
    "providers/mine/service.ts": `
      export interface Service {
        url: string
        send(channel: string, event: string, data: string): Promise<boolean>
        count(channel: string): Promise<number>
        disconnect(userId: string, channel?: string): Promise<void>
        sign(userId: string, channel: string): string
        close(): Promise<void>
      }`,
    "providers/mine/socket.ts": `
      import type { ConnectionState, RealtimeError, Signal, WireMessage } from "throughline"
      interface Events {
        permission(): Promise<unknown>
        onJoined(): void
        onLost(): void
        onRefused(error: RealtimeError): void
        onMessage(message: WireMessage): void
        onSignal(signal: Signal): void
        onState(patches: unknown): void
      }
      interface Socket { open(): void; close(): void; join(channel: string, events: Events): () => void }
      export declare function connectTo(url: string, on: { onState(state: ConnectionState): void }): Socket`,
    "providers/mine/local-service.ts": `
      import type { RealtimeTransport, User } from "throughline"
      import type { ContractRealtime } from "throughline/testing"
      import type { Service } from "./service"
      export interface LocalService extends Service {
        key: string
        sendAs(userId: string, channel: string, data: string): Promise<void>
        cut(): void
        refuse(isRefused: boolean): void
        stop(): Promise<void>
      }
      interface Opening { service: LocalService; realtime: ContractRealtime; user: User; key: string }
      export declare function startService(): Promise<LocalService>
      export declare function openTransport(opening: Opening): RealtimeTransport`,
  },
}

/** What pieces take for granted beside what the packages export: a line for each name. */
const declarations: Record<string, string> = {
  z: 'import * as z from "zod/mini"',
  initial: 'declare const initial: import("throughline").LogPage',
  config: 'declare const config: import("throughline/server").ClientConfig',
  client: 'declare const client: import("throughline/client").RealtimeClient',
  realtime: 'declare const realtime: import("throughline/server").Realtime',
  currentUser: 'declare function currentUser(request: Request): Promise<import("throughline").User | null>',
  isMember: "declare function isMember(userId: string, roomId: string): Promise<boolean>",
  http: 'declare const http: import("node:http").Server',
  others: 'declare const others: import("node:http").RequestListener',
  documentLocks:
    'declare const documentLocks: import("throughline").ChannelDefinition<"locks:{document}", typeof import("throughline").lockMessages, {}, import("zod/mini").ZodMiniObject<{}>>',
  useEffect: 'import { useEffect } from "react"',
  Server: 'import { Server } from "socket.io"',
  Ably: 'import * as Ably from "ably"',
  Pusher: 'import Pusher from "pusher"',
  PusherJs: 'import PusherJs from "pusher-js"',
  startMyBackend:
    'declare const startMyBackend: () => Promise<import("throughline/testing").ContractBackend>',
}

/** The lines for the names that a piece uses and doesn't declare, and the piece. */
function completed(body: string, given: Readonly<Record<string, string>>): string {
  const isNamed = (name: string) => new RegExp(`(?<![.\\w"/-])${name}\\b(?![:"-])`).test(body)
  const isDeclared = (name: string) =>
    new RegExp(`(const|using|import)\\b[^=(:]*\\b${name}\\b[^=(]*( = | from )`).test(body)
  const missing = Object.entries(given).filter(([name]) => isNamed(name) && !isDeclared(name))
  return [...missing.map(([, line]) => line), body, "export {}"].join("\n")
}

/** The blocks of doc comments, by the file. */
function examplesIn(path: string): { language: string; body: string }[] {
  const text = readFileSync(join(projectDir, path), "utf8")
  return [...text.matchAll(/^ *\* ```(tsx?)\n([\s\S]*?)^ *\* ```$/gm)].map(
    ([, language = "", body = ""]) => ({
      ...{ language, body: body.replace(/^ *\* ?/gm, "") },
    }),
  )
}

/** As `create-next-app` makes it, and `next-env.d.ts` below. */
const freshTsconfig = {
  compilerOptions: {
    target: "ES2017",
    lib: ["dom", "dom.iterable", "esnext"],
    allowJs: true,
    skipLibCheck: true,
    strict: true,
    noEmit: true,
    esModuleInterop: true,
    module: "esnext",
    moduleResolution: "bundler",
    resolveJsonModule: true,
    isolatedModules: true,
    jsx: "react-jsx",
  },
  include: ["**/*.ts", "**/*.tsx"],
}

let app: ForeignApp
afterAll(() => app[Symbol.dispose]())

/** Of each document, which files it shows. */
const files = new Map<string, string[]>()

let exported: Record<string, string> = {}

/** Writes each as a module of its own, under the place that shows it. */
function writePieces(place: string, pieces: readonly { language: string; body: string }[]): void {
  const service = place.includes("/pusher/") ? "pusher" : "ably"
  const kind = service === "pusher" ? "PusherServer" : "AblyEmulator"
  for (const [index, { language, body }] of pieces.entries()) {
    const path = join(place, `piece-${index}.${language}`)
    const shownIn = (guide: string, file: string) => relative(dirname(path), join(guide, file))
    const given = {
      ...exported,
      ...declarations,
      room: `import { room } from "${shownIn(adopting, "realtime/channels")}"`,
      documents: `import { documents } from "${shownIn("docs/guides/documents.md", "realtime/documents")}"`,
      emulator: `declare const emulator: import("throughline-emulators/${service}").${kind}`,
    }
    app.write(path, completed(body, given))
    files.set(place, [...(files.get(place) ?? []), basename(path)])
  }
}

/** Apps after the steps of a guide each, side by side, with the packed package. */
beforeAll(async () => {
  app = await makeForeignApp()
  const doors = Object.values(await packOnce()).flatMap((packed) => readSurface(packed).doors)
  // The first door that exports a name is the one that it is told of at.
  exported = Object.fromEntries(
    doors
      .flatMap(({ name, names }) =>
        [...names.keys()].map((each) => [each, `import { ${each} } from "${name}"`]),
      )
      .toReversed(),
  )
  app.write("package.json", { name: "app", private: true })
  app.write("tsconfig.json", freshTsconfig)
  // By it the app has the types of Node.js, which the compiler no longer takes by itself.
  app.write(
    "next-env.d.ts",
    '/// <reference types="next" />\n/// <reference types="next/image-types/global" />\n',
  )
  for (const document of [...guides, ...readmes]) {
    const folder = join(app.folder, document)
    // What the other guides show is put into the app of the first.
    if (guides.includes(document)) writeGuide(folder)
    for (const [path, content] of Object.entries(assumed[document] ?? {}))
      app.write(join(document, path), content)
    files.set(document, writeGuide(folder, document))
    const pieces = blocksOf(document).filter(({ language, path }) => /^tsx?$/.test(language) && !path)
    writePieces(document, pieces)
  }
  for (const path of globSync("{realtime,emulators}/**/*.{ts,tsx}", { cwd: projectDir }))
    if (!/node_modules|\.test\./.test(path)) writePieces(path, examplesIn(path))
}, 600_000)

/** The packages that these doors need as they are opened, and their types. */
function packagesOf(...doors: string[]): Set<string> {
  const seen = new Set<string>()
  const packages = new Set<string>()
  const visit = (file: string) => {
    if (seen.has(file)) return
    seen.add(file)
    // Code needs code, and declarations need declarations.
    const extension = file.endsWith(".d.ts") ? ".d.ts" : ".js"
    for (const [, from = ""] of readFileSync(file, "utf8").matchAll(
      /^(?:import|export) [^;]*?from "([^"]+)"/gm,
    )) {
      if (from.startsWith(".")) visit(join(dirname(file), from.replace(/\.js$/, extension)))
      else if (!from.startsWith("node:")) packages.add(/^(@[^/]+\/)?[^/]+/.exec(from)?.[0] ?? from)
    }
  }
  for (const door of doors) {
    const file = join(app.folder, "node_modules/throughline", door)
    visit(file)
    visit(file.replace(/\.js$/, ".d.ts"))
  }
  return packages
}

/** What a line of the guide installs, without what is for development only. */
const installedBy = (line: string | undefined) =>
  new Set(/npm install ((?!--)[^`\n]+)/.exec(line ?? "")?.[1]?.split(" "))

describe("the guides", () => {
  it("show whole files, each with its path", () => {
    const without = guides.flatMap((document) =>
      blocksOf(document)
        .filter(({ language, path }) => language.startsWith("ts") && !path)
        .map(({ body }) => `${document}: ${body}`),
    )
    expect(without).toEqual([])
  })

  it("have code, as READMEs and doc comments have, that passes the compiler in an app as create-next-app makes it", () => {
    const tsc = join(projectDir, "node_modules/typescript/bin/tsc")
    const { stdout, status } = spawnSync(process.execPath, [tsc, "-p", app.folder], { encoding: "utf8" })
    expect(stdout).toBe("")
    expect(status).toBe(0)
    expect(files.get(adopting)).toContain("realtime/server.ts")
    expect(files.get("README.md")).toEqual(["piece-0.ts", "piece-1.tsx"])
    expect(files.get("realtime/channel.ts")).toEqual(["piece-0.ts"])
    expect(files.get("docs/guides/authorizing.md")).toContain("lib/remove-member.ts")
  })
})

describe("the guide to adopting", () => {
  it.each([
    [
      "Socket.IO, the bundled gateway",
      ["providers/socketio/client.js", "providers/socketio/attach-gateway.js"],
    ],
    ["Pusher", ["providers/pusher/client.js", "providers/pusher/server.js"]],
    ["Ably", ["providers/ably/client.js", "providers/ably/server.js"]],
    ["messages in PostgreSQL", ["log/postgres.js"]],
  ])("names the packages that %s needs beside those that come along", (name, entries) => {
    const row = guide.split("\n").find((line) => line.startsWith(`| ${name} |`))
    const { dependencies } = JSON.parse(
      readFileSync(join(app.folder, "node_modules/throughline/package.json"), "utf8"),
    )
    const brought = new Set(Object.keys(dependencies))
    expect(installedBy(row)).toEqual(packagesOf(...entries).difference(brought))
  })
})
