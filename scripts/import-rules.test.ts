import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { cruise, type IConfiguration, type ICruiseResult } from "dependency-cruiser"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

const path = new URL("../.dependency-cruiser.mjs", import.meta.url).href
const { forbidden = [], options } = ((await import(path)) as { default: IConfiguration }).default

/** A file, what it imports, and the rule that must object; null where the import is as it should be. */
const cases: [file: string, imported: string, rule: string | null][] = [
  ["realtime/errors.ts", "node:fs", "root-is-pure"],
  ["realtime/message.ts", "react", "root-is-pure"],
  ["realtime/channel.ts", "./errors.ts", null],
  ["realtime/json.ts", "../lib/a.ts", "realtime-stands-alone"],
  ["realtime/providers/ably/client.ts", "../pusher/mapping.ts", "providers-apart"],
  ["realtime/providers/ably/mapping.ts", "ably", "mapping-is-pure"],
  ["realtime/providers/pusher/client.ts", "./server.ts", "client-half-without-server-half"],
  ["realtime/providers/pusher/client.ts", "node:crypto", "client-half-without-node"],
  ["realtime/providers/pusher/server.ts", "./client.ts", "server-half-without-client-half"],
  ["realtime/providers/socketio/gateway.ts", "./mapping.ts", null],
  ["realtime/providers/ably/server.ts", "../../server/core.ts", "providers-know-the-root-only"],
  ["realtime/client/create-client.ts", "../providers/ably/client.ts", "halves-know-no-provider"],
  ["realtime/client/stream.ts", "../server/core.ts", "halves-apart"],
  ["realtime/client/types.ts", "react", "client-knows-no-react"],
  ["realtime/react/use-channel.ts", "../client/stream.ts", null],
  ["realtime/log/sqlite.ts", "../client/stream.ts", "server-half-without-the-browsers"],
  ["realtime/next/open.ts", "../client/stream.ts", "server-half-without-the-browsers"],
  ["realtime/next/peers.ts", "../../emulators/pusher/index.ts", null],
  ["emulators/pusher/server.ts", "../../realtime/message.ts", "emulators-share-nothing-of-ours"],
  ["emulators/listener.ts", "../realtime/message.ts", "emulators-share-nothing-of-ours"],
  ["emulators/pusher/index.ts", "../ably/index.ts", "emulators-apart"],
  ["emulators/ably/index.ts", "ably", "emulators-without-the-vendor"],
  ["emulators/ably/channel-sdk.test.ts", "ably", null],
  ["realtime/server/core.ts", "../testing/index.ts", "nothing-that-ships-imports-tests"],
  ["realtime/server/core.test.ts", "../testing/index.ts", null],
  ["app/page.ts", "../realtime/client/stream.ts", "realtime-by-its-doors"],
  ["app/layout.ts", "../server/main.ts", "app-and-server-apart"],
  ["lib/a.ts", "../app/page.ts", "lib-below-app-and-server"],
  ["server/main.ts", "../lib/guarded.ts", "no-server-only-in-plain-node"],
  ["lib/guarded.ts", "server-only", null],
  ["lib/typo.ts", "./no-such-file.ts", "resolvable"],
  ["lib/undeclared.ts", "undeclared", "no-undeclared-package"],
  // A ring is reported once.
  ["lib/ring.ts", "./ring-back.ts", null],
  ["lib/ring-back.ts", "./ring.ts", "no-cycle"],
  ["lib/type-ring.ts", "./type-ring-back.ts", null],
  ["lib/type-ring-back.ts", "./type-ring.ts", "no-cycle"],
  ["examples/a/app/page.ts", "../../../realtime/client/index.ts", null],
  ["examples/a/app/text.ts", "../../../realtime/yjs/index.ts", null],
  ["examples/a/app/row.ts", "../../../realtime/client/stream.ts", "realtime-by-its-doors"],
  ["examples/a/app/table.ts", "../../b/app/table.ts", "examples-stand-alone"],
  ["examples/a/app/texts.ts", "../../../lib/a.ts", "examples-stand-alone"],
  ["app/tool.ts", "vitest", "no-test-tool-in-what-ships"],
]

const declared = {
  dependencies: { ably: "1", react: "1", "server-only": "1" },
  devDependencies: { vitest: "1" },
}
const folder = mkdtempSync(join(tmpdir(), "throughline-imports-"))
let violations: string[] = []

function write(path: string, content: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), content)
}

const statement = (imported: string, name: string) =>
  imported.includes("/type-")
    ? `import type * as ${name} from "${imported}"`
    : `import * as ${name} from "${imported}"\n${name}`

beforeAll(async () => {
  write("package.json", JSON.stringify({ name: "example", ...declared }))
  for (const name of ["ably", "react", "server-only", "undeclared", "vitest"]) {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: "1.0.0", main: "index.js" }))
    write(`node_modules/${name}/index.js`, "")
  }
  const files = Map.groupBy(cases, ([file]) => file)
  for (const [file, imports] of files) {
    write(file, imports.map(([, imported], index) => statement(imported, `x${index}`)).join("\n"))
    for (const [, imported] of imports) {
      const target = join(dirname(file), imported)
      if (imported.startsWith(".") && !imported.includes("no-such") && !files.has(target)) write(target, "")
    }
  }
  const { tsConfig: _, ...rest } = options ?? {}
  const result = await cruise(["app", "examples", "lib", "realtime", "emulators", "server"], {
    ...rest,
    baseDir: folder,
    validate: true,
    ruleSet: { forbidden },
  } as Parameters<typeof cruise>[1])
  violations = (result.output as ICruiseResult).summary.violations.map(
    ({ from, rule }) => `${from}: ${rule.name}`,
  )
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe("the rules of who may import whom", () => {
  it.each(cases)("%s importing %s: %s", (file, _imported, rule) => {
    const found = violations.filter((violation) => violation.startsWith(`${file}: `))
    if (rule) expect(found).toContain(`${file}: ${rule}`)
    else expect(found).toEqual([])
  })

  it("say what to do instead", () => {
    for (const { name, comment } of forbidden) expect(comment, name).toMatch(/.{40}/)
  })

  it("all have a case here", () => {
    const names = forbidden.map(({ name }) => name)
    expect(new Set(cases.flatMap(([, , rule]) => rule ?? []))).toEqual(new Set(names))
  })
})
