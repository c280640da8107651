import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join, relative } from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { packOnce } from "./pack.ts"
import { projectDir } from "./run.ts"
import { type ForeignApp, makeForeignApp } from "./testing/foreign-app.ts"

/** What the app has beside the two tarballs: of `create-next-app`, and of what `init` lists. */
const packages = [
  ...["next", "react", "react-dom", "typescript", "@types/node", "@types/react", "@types/react-dom"],
  ...["zod", "socket.io", "socket.io-client", "pusher", "pusher-js", "ably"],
]

/** None of what may be set for other tests, but for what finds programs and the network's own certificates. */
const inherited = {
  ...{ PATH: process.env.PATH, HOME: process.env.HOME, NEXT_TELEMETRY_DISABLED: "1" },
  ...(process.env.NODE_EXTRA_CA_CERTS && { NODE_EXTRA_CA_CERTS: process.env.NODE_EXTRA_CA_CERTS }),
} as unknown as NodeJS.ProcessEnv

let app: ForeignApp
afterAll(() => app[Symbol.dispose]())

/** As `create-next-app` makes it, with throughline installed from its tarball. */
beforeAll(async () => {
  app = await makeForeignApp(packages)
  const { version } = JSON.parse(readFileSync(join(projectDir, "node_modules/next/package.json"), "utf8"))
  const own = Object.values(await packOnce()).find(({ manifest }) => manifest.name === "throughline")
  app.write("package.json", {
    ...{ name: "fresh", version: "0.1.0", private: true },
    scripts: { dev: "next dev", build: "next build", start: "next start" },
    dependencies: {
      ...{ next: version, react: "^19", "react-dom": "^19" },
      throughline: `file:${relative(app.folder, own?.tarball ?? "")}`,
    },
    devDependencies: {
      typescript: "^6",
      "@types/node": "^24",
      "@types/react": "^19",
      "@types/react-dom": "^19",
    },
  })
  app.write("tsconfig.json", {
    compilerOptions: {
      ...{ target: "ES2017", lib: ["dom", "dom.iterable", "esnext"], allowJs: true, skipLibCheck: true },
      ...{ strict: true, noEmit: true, esModuleInterop: true, module: "esnext", moduleResolution: "bundler" },
      ...{ resolveJsonModule: true, isolatedModules: true, jsx: "react-jsx", incremental: true },
      plugins: [{ name: "next" }],
      paths: { "@/*": ["./*"] },
    },
    include: ["next-env.d.ts", "**/*.ts", "**/*.tsx", ".next/types/**/*.ts"],
    exclude: ["node_modules"],
  })
  app.write(
    "next-env.d.ts",
    '/// <reference types="next" />\n/// <reference types="next/image-types/global" />\n',
  )
  app.write(
    "next.config.ts",
    'import type { NextConfig } from "next"\n\nconst config: NextConfig = {}\n\nexport default config\n',
  )
  app.write(
    "app/layout.tsx",
    `export default function RootLayout({ children }: Readonly<{ children: React.ReactNode }>) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  )
}
`,
  )
  app.write("app/page.tsx", "export default function Home() {\n  return <main>Hello</main>\n}\n")
}, 600_000)

/** Runs a program of the app's packages there; what it said, where it ended well. */
function run(program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(app.folder, "node_modules", program), ...args],
    {
      ...{ cwd: app.folder, encoding: "utf8", timeout: 400_000 },
      env: inherited,
    },
  )
  expect({ status, said: status === 0 ? "" : stdout + stderr }).toEqual({ status: 0, said: "" })
  return stdout
}

it("a fresh app is set up by the packed command, found well, compiled and built", () => {
  run("throughline/cli/bin.js", "init", "--yes", "--no-install", "--example", "chat")
  const { devDependencies } = JSON.parse(readFileSync(join(app.folder, "package.json"), "utf8"))
  expect(devDependencies["throughline-emulators"]).toMatch(/^file:.*throughline-emulators-.*\.tgz$/)
  expect(run("throughline/cli/bin.js", "doctor")).toContain("Nothing is wrong")
  expect(run("typescript/bin/tsc", "--noEmit")).toBe("")
  // Turbopack follows no link out of the app's folder, and packages are linked here.
  expect(run("next/dist/bin/next", "build", "--webpack")).toContain("/chat")
})
