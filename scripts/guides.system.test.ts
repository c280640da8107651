import { spawnSync } from "node:child_process"
import { globSync, readFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { blocksOfGuide, writeGuide } from "../realtime/testing/guide.ts"
import { projectDir } from "./run.ts"
import { type ForeignApp, makeForeignApp } from "./testing/foreign-app.ts"

const guideDir = join(projectDir, "docs/guides")
const guide = readFileSync(join(guideDir, "adopting.md"), "utf8")
/** Those in Japanese have the same blocks, which `readme.test.ts` compares. */
const guides = globSync("*.md", { cwd: guideDir })
  .filter((path) => !path.endsWith(".ja.md"))
  .map((path) => basename(path, ".md"))

/** What a guide takes for granted: files of the reader's own, and packages that this project doesn't have. */
const assumed: Record<string, Record<string, string>> = {
  authorizing: {
    "lib/members.ts": `
      export declare function isMember(userId: string, roomId: string): Promise<boolean>
      export declare function isModerator(userId: string): Promise<boolean>
      export declare function deleteMember(userId: string, roomId: string): Promise<void>`,
    "lib/budget.ts": "export declare function take(whose: string, count: number): Promise<number>",
  },
  identity: {
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
  "writing-a-provider": {
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

/** Before and after each block of the README, whose names are those of the guide to adopting. */
const around = [
  ['import { defineChannel } from "throughline"\nimport * as z from "zod/mini"', ""],
  [
    `import type { LogPage } from "throughline"
     import { useMessages } from "throughline/react"
     import { room } from "./ts-0"
     export function Room({ initial }: { initial: LogPage }) {`,
    "return messages.length + pending.length + send.length }",
  ],
]

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

/** Of each guide, which files it shows. */
const files = new Map<string, string[]>()

/** Apps after the steps of a guide each, side by side, with the packed package. */
beforeAll(async () => {
  app = await makeForeignApp()
  app.write("package.json", { name: "app", private: true })
  app.write("tsconfig.json", freshTsconfig)
  // By it the app has the types of Node.js, which the compiler no longer takes by itself.
  app.write(
    "next-env.d.ts",
    '/// <reference types="next" />\n/// <reference types="next/image-types/global" />\n',
  )
  for (const name of guides) {
    const folder = join(app.folder, name)
    // What the others show is put into the app of the first.
    writeGuide(folder)
    for (const [path, content] of Object.entries(assumed[name] ?? {})) app.write(join(name, path), content)
    files.set(name, writeGuide(folder, name))
  }
  const blocks = readFileSync(join(projectDir, "README.md"), "utf8").matchAll(/```(tsx?)\n([\s\S]*?)```/g)
  for (const [index, [, language, body]] of [...blocks].entries()) {
    const [before, after] = around[index] ?? []
    app.write(`README/ts-${index}.${language}`, `${before}\n${body}\n${after}`)
  }
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
    const without = guides.flatMap((name) =>
      blocksOfGuide(name)
        .filter(({ language, path }) => language.startsWith("ts") && !path)
        .map(({ body }) => `${name}: ${body}`),
    )
    expect(without).toEqual([])
  })

  it("have snippets, as the README has, that pass the compiler in an app as create-next-app makes it", () => {
    const tsc = join(projectDir, "node_modules/typescript/bin/tsc")
    const { stdout, status } = spawnSync(process.execPath, [tsc, "-p", app.folder], { encoding: "utf8" })
    expect(stdout).toBe("")
    expect(status).toBe(0)
    expect(files.get("adopting")).toContain("realtime/server.ts")
    expect(files.get("authorizing")).toContain("lib/remove-member.ts")
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
