import { spawnSync } from "node:child_process"
import { globSync, readFileSync } from "node:fs"
import { basename, join } from "node:path"
import { projectDir } from "./run.ts"
import { type ForeignApp, makeForeignApp } from "./testing/foreign-app.ts"
import { tools } from "./tools.ts"

const toolchains = tools.toolchains.find()
/** The folder of a compiler's package; null where the tool that brings it isn't there. */
export const compilers = {
  "this project's TypeScript": join(projectDir, "node_modules/typescript"),
  "the newest TypeScript": join(projectDir, "node_modules/typescript-newest"),
  "the oldest TypeScript": toolchains && join(toolchains, "node_modules/typescript-oldest"),
} as const

/** As strict as an app may be, the declarations of its packages included. */
const strictest = {
  ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true },
  ...{ verbatimModuleSyntax: true, isolatedModules: true, skipLibCheck: false },
  ...{ declaration: true, outDir: "built", rootDir: ".", jsx: "react-jsx", types: ["node"] },
  ...{ target: "es2022", lib: ["es2023", "dom", "dom.iterable", "esnext.disposable"] },
}

export const resolutions = {
  bundler: { module: "esnext", moduleResolution: "bundler" },
  nodenext: { module: "nodenext", moduleResolution: "nodenext" },
} as const

/** What the compiler says of an app, with its figures where it is asked for them. */
export function compile(
  app: ForeignApp,
  compiler: string,
  resolution: keyof typeof resolutions,
  ...flags: string[]
): string {
  app.write("tsconfig.json", {
    compilerOptions: { ...strictest, ...resolutions[resolution] },
    include: ["*.ts", "*.tsx"],
  })
  const bin = JSON.parse(readFileSync(join(compiler, "package.json"), "utf8")).bin.tsc as string
  const { stdout, stderr } = spawnSync(process.execPath, [join(compiler, bin), ...flags], {
    ...{ cwd: app.folder, encoding: "utf8" },
  })
  return stdout + stderr
}

/** An app with the files of `testing/foreign`, which use every door of the package that an app does. */
export async function makeTypedApp(): Promise<ForeignApp> {
  const app = await makeForeignApp()
  for (const path of globSync(join(projectDir, "scripts/testing/foreign/*")))
    app.write(basename(path), readFileSync(path, "utf8"))
  return app
}

/** So many channels of so many events each, three at least, all of the channels used at both ends. */
export function manyChannels(channels: number, events: number): string {
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)
  const definitions = numbers(channels).map((channel) => {
    const messages = numbers(events).map((event) => `"event-${event}": z.object({ n${event}: z.number() })`)
    return `export const c${channel} = defineChannel("c${channel}:{id}", { messages: { ${messages.join(", ")} } })`
  })
  const names = numbers(channels).map((channel) => `c${channel}`)
  const uses = names.map(
    (name) => `
      void realtime.publish(${name}({ id: "1" }), "event-1", { n1: 1 })
      void client.channel(${name}({ id: "1" })).subscribe({
        onMessages: ([message]) => { if (message?.event === "event-2") message.payload.n2 satisfies number },
      })`,
  )
  return `import { defineChannel } from "throughline"
    import type { RealtimeClient } from "throughline/client"
    import type { Realtime } from "throughline/server"
    import * as z from "zod/mini"
    ${definitions.join("\n")}
    export const channels = { ${names.join(", ")} }
    declare const realtime: Realtime<typeof channels>
    declare const client: RealtimeClient
    ${uses.join("\n")}`
}
